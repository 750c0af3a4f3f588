//! What runs, as `cloudpad ps` lists it. Pure.

mod cells;
pub mod cluster;
pub mod hosts;
pub mod registry;
pub mod secrets;
pub mod usage;

use cloudpad_plugin_api::model::{Instance, Port};
use cloudpad_plugin_api::stage::deploy::{Container, Observation, OneOff, State};
use serde::Serialize;

use crate::observed::{HostState, Observed};
use crate::one_offs;
pub use cells::{not_running, table};

/// Which containers are listed.
pub struct Shown<'a> {
    /// Whether a host is meant.
    pub hosts: &'a dyn Fn(&str) -> bool,
    /// Whether an instance is meant.
    pub instances: &'a dyn Fn(&Instance) -> bool,
    /// Whether the one-off containers of a service or job are meant.
    pub one_offs: &'a dyn Fn(&str) -> bool,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// An instance, such as `web.1`.
    Instance(Instance),
    /// A one-off container, in words such as `web (run)`.
    OneOff(String),
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instance(instance) => instance.fmt(f),
            Self::OneOff(words) => f.write_str(words),
        }
    }
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The service and number; of a one-off container what it is of.
    #[serde(serialize_with = "as_text")]
    pub instance: Name,
    /// The host.
    pub host: String,
    /// What it does.
    pub state: State,
    /// Whether it serves, where it has a health check that was made.
    pub healthy: Option<bool>,
    /// What came of that, where it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For how long it has done so, in words, as far as that is known.
    #[serde(rename = "for")]
    pub lasting: String,
    /// What its process has ended with, where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The image, as far as it is known.
    pub image: String,
    /// The release that made it.
    pub release: String,
    /// The host's ports that lead to it.
    pub ports: Vec<Port>,
    /// The requests that the host's proxy leads to it: a name, a path or both each; `*` for all.
    pub routes: Vec<String>,
    /// The container's name.
    pub container: String,
}

fn as_text<S: serde::Serializer>(name: &Name, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(name)
}

impl Row {
    fn tells_the_same(&self, other: &Self) -> bool {
        let timeless = |row: &Self| Self { lasting: String::new(), ..row.clone() };
        timeless(self) == timeless(other)
    }
}

/// Whether two lists tell the same, but for the time that has passed.
pub fn tell_the_same(some: &[Row], others: &[Row]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.tells_the_same(other))
}

/// Lists what was seen by instance and host, the newest container of an instance first, and then one-off containers.
pub fn rows(observed: &Observed, shown: &Shown<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (host, state) in observed.hosts.iter().filter(|(host, _)| (shown.hosts)(host)) {
        let HostState::Seen(seen) = state else { continue };
        let meant = seen.containers.iter().filter(|container| (shown.instances)(&container.instance));
        rows.extend(meant.map(|container| (container.created, row(host, seen, container))));
        let meant = seen.one_offs.iter().filter(|one_off| (shown.one_offs)(one_offs::of(one_off)));
        rows.extend(meant.map(|one_off| (one_off.created, one_off_row(host, one_off))));
    }
    rows.sort_by(|(a, left), (b, right)| {
        let place = (&left.instance, &left.host).cmp(&(&right.instance, &right.host));
        place.then(b.cmp(a)).then_with(|| left.container.cmp(&right.container))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Those of them that run, and of each instance that has none such on its host the last one; a one-off container that has ended
/// is neither.
pub fn running(rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let (up, down): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.state.is_up());
    let is_up =
        |row: &Row| up.iter().any(|other| (&other.instance, &other.host) == (&row.instance, &row.host));
    let mut last: Vec<Row> =
        down.into_iter().filter(|row| !is_up(row) && matches!(row.instance, Name::Instance(_))).collect();
    last.dedup_by(|next, first| (&next.instance, &next.host) == (&first.instance, &first.host));
    (up, last)
}

fn row(host: &str, seen: &Observation, container: &Container) -> Row {
    let spec = container.spec.as_ref();
    let is_up = container.state.is_up();
    Row {
        instance: Name::Instance(container.instance.clone()),
        host: host.to_owned(),
        state: container.state,
        healthy: match container.state {
            State::Unhealthy => Some(false),
            _ => container.status.healthy.then_some(true),
        },
        reason: container.status.reason.clone(),
        lasting: container.status.lasting.clone(),
        exit_code: container.status.exit_code,
        image: spec.map(|spec| spec.image.clone()).unwrap_or_default(),
        release: container.release.clone(),
        ports: spec.filter(|_| is_up).map(|spec| spec.ports.clone()).unwrap_or_default(),
        routes: routes(seen, &container.name),
        container: container.name.clone(),
    }
}

fn one_off_row(host: &str, one_off: &OneOff) -> Row {
    Row {
        instance: Name::OneOff(one_offs::words(one_off)),
        host: host.to_owned(),
        state: one_off.state,
        healthy: None,
        reason: None,
        lasting: one_off.lasting.clone(),
        exit_code: one_off.exit_code,
        image: one_off.image.clone(),
        release: one_off.release.clone(),
        ports: Vec::new(),
        routes: Vec::new(),
        container: one_off.name.clone(),
    }
}

fn routes(seen: &Observation, container: &str) -> Vec<String> {
    let routes = seen.proxy.iter().flat_map(|proxy| &proxy.routes);
    let leading = routes.filter(|route| route.containers.iter().any(|name| name == container));
    let requests = leading.flat_map(|route| {
        let path = route.rule.path.clone().unwrap_or_default();
        let all = if path.is_empty() { "*" } else { "" };
        let names = match route.rule.hosts.is_empty() {
            true => vec![all.to_owned()],
            false => route.rule.hosts.clone(),
        };
        names.into_iter().map(move |name| format!("{name}{path}"))
    });
    requests.collect()
}

#[cfg(test)]
mod tests;
