//! What a cluster runs, and the releases that it remembers. Pure.

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::cluster::{self, Observation, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::State;

use super::{Name, Row, Shown};
use crate::words::{columns, time};

/// Lists the instances of a cluster as those of hosts: its nodes are the hosts. One of those that are on each node is the first there.
pub fn rows(seen: &Observation, shown: &Shown<'_>) -> Vec<Row> {
    let of = |service: &'_ Seen| service.instances.iter().map(|one| row(service, one)).collect::<Vec<_>>();
    let mut rows: Vec<Row> = seen.services.iter().flat_map(of).collect();
    rows.retain(|row| match &row.instance {
        Name::Instance(instance) => (shown.instances)(instance),
        Name::OneOff(_) => false,
    });
    rows.sort_by(|one, other| (&one.instance, &one.host).cmp(&(&other.instance, &other.host)));
    rows
}

fn row(service: &Seen, instance: &cluster::Instance) -> Row {
    // What it is of another time is not told.
    let is_it = instance.id == service.id;
    let spec = service.service.as_ref().map(|service| &service.spec).filter(|_| is_it);
    let status = instance.status.clone();
    let (lasting, reason) = match instance.state {
        State::Running => (status, None),
        _ => (String::new(), Some(status).filter(|status| !status.is_empty())),
    };
    Row {
        instance: Name::Instance(Instance {
            service: service.name.clone(),
            number: instance.number.unwrap_or(1),
        }),
        host: instance.node.clone(),
        state: instance.state,
        healthy: match instance.state {
            State::Unhealthy => Some(false),
            _ => instance.healthy.then_some(true),
        },
        reason,
        lasting,
        exit_code: None,
        image: if is_it { image(service) } else { String::new() },
        release: if is_it { service.release.clone() } else { String::new() },
        ports: spec.filter(|_| instance.state.is_up()).map(|spec| spec.ports.clone()).unwrap_or_default(),
        routes: Vec::new(),
        container: String::new(),
    }
}

/// What it is made from, as plans call it; of a service that others have changed what nodes have.
fn image(service: &Seen) -> String {
    let applied = service.service.as_ref().filter(|_| !service.id.is_empty());
    applied.map_or_else(|| service.image.clone(), |applied| applied.spec.image.clone())
}

/// What there is to say of services that are meant.
pub fn about_services(seen: &Observation, is_meant: &dyn Fn(&str) -> bool) -> Vec<String> {
    seen.services.iter().filter(|service| is_meant(&service.name)).filter_map(about).collect()
}

fn about(service: &Seen) -> Option<String> {
    let up = service.instances.iter().filter(|instance| instance.state == State::Running).count();
    let (name, message) = (&service.name, &service.message);
    match service.rollout {
        Rollout::Updating => Some(format!("`{name}` is being updated: {message}")),
        Rollout::Paused => Some(format!("the update of `{name}` has stopped: {message}")),
        Rollout::RolledBack => Some(format!("the last update of `{name}` was taken back: {message}")),
        Rollout::Settled => (up < service.wanted as usize)
            .then(|| format!("{up} of {} instances of `{name}` run", service.wanted)),
    }
}

/// The releases that a cluster remembers, newest first.
pub fn releases(seen: &Observation) -> String {
    let mut rows = vec![["RELEASE", "TIME", "BY", "COMMAND", "CHANGED"].map(str::to_owned)];
    rows.extend(seen.releases.iter().flatten().rev().map(|release| {
        let about = &release.about;
        let command = match &about.restores {
            Some(id) => format!("{} to {id}", about.command),
            None => about.command.clone(),
        };
        let stamp = time(release.id.get(..16).unwrap_or_default());
        [release.id.clone(), stamp, about.by.clone(), command, release.changed.join(", ")]
    }));
    columns(&rows)
}
