//! What runs, as `cloudpad ps` lists it. Pure.

mod cells;
pub mod hosts;
pub mod secrets;
pub mod usage;

use cloudpad_plugin_api::model::{Instance, Port};
use cloudpad_plugin_api::stage::deploy::{Container, Observation, State};
use serde::Serialize;

use crate::observed::{HostState, Observed};
pub use cells::{not_running, table};

/// Which containers are listed.
pub struct Shown<'a> {
    /// Whether a host is meant.
    pub hosts: &'a dyn Fn(&str) -> bool,
    /// Whether an instance is meant.
    pub instances: &'a dyn Fn(&Instance) -> bool,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The service and number.
    #[serde(serialize_with = "as_text")]
    pub instance: Instance,
    /// The host.
    pub host: String,
    /// What it does.
    pub state: State,
    /// Whether its engine asks it whether it serves, and it does.
    pub healthy: bool,
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

fn as_text<S: serde::Serializer>(instance: &Instance, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(instance)
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

/// Lists what was seen by instance and host, the newest container of an instance first.
pub fn rows(observed: &Observed, shown: &Shown<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (host, state) in observed.hosts.iter().filter(|(host, _)| (shown.hosts)(host)) {
        let HostState::Seen(seen) = state else { continue };
        let meant = seen.containers.iter().filter(|container| (shown.instances)(&container.instance));
        rows.extend(meant.map(|container| (container.created, row(host, seen, container))));
    }
    rows.sort_by(|(a, left), (b, right)| {
        let place = (&left.instance, &left.host).cmp(&(&right.instance, &right.host));
        place.then(b.cmp(a)).then_with(|| left.container.cmp(&right.container))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Those of them that run, and of each instance that has none such on its host the last one.
pub fn running(rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let (up, down): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.state.is_up());
    let is_up =
        |row: &Row| up.iter().any(|other| (&other.instance, &other.host) == (&row.instance, &row.host));
    let mut last: Vec<Row> = down.into_iter().filter(|row| !is_up(row)).collect();
    last.dedup_by(|next, first| (&next.instance, &next.host) == (&first.instance, &first.host));
    (up, last)
}

fn row(host: &str, seen: &Observation, container: &Container) -> Row {
    let spec = container.spec.as_ref();
    let is_up = container.state.is_up();
    Row {
        instance: container.instance.clone(),
        host: host.to_owned(),
        state: container.state,
        healthy: container.status.healthy,
        lasting: container.status.lasting.clone(),
        exit_code: container.status.exit_code,
        image: spec.map(|spec| spec.image.clone()).unwrap_or_default(),
        release: container.release.clone(),
        ports: spec.filter(|_| is_up).map(|spec| spec.ports.clone()).unwrap_or_default(),
        routes: routes(seen, &container.name),
        container: container.name.clone(),
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
