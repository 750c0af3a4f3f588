//! What a cluster runs, and the releases that it remembers, as tables. Pure.

use cloudpad_plugin_api::stage::cluster::{Instance, Observation, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::State;

use crate::words::{columns, time};

/// Each instance of the services that are meant on a line, and what there is to say of services.
pub fn instances(seen: &Observation, is_meant: &dyn Fn(&str) -> bool) -> (String, Vec<String>) {
    let mut rows = vec![["INSTANCE", "NODE", "STATE", "RELEASE", "IMAGE"].map(str::to_owned)];
    let mut told = Vec::new();
    for service in seen.services.iter().filter(|service| is_meant(&service.name)) {
        rows.extend(service.instances.iter().map(|instance| row(service, instance)));
        told.extend(about(service));
    }
    (columns(&rows), told)
}

fn row(service: &Seen, instance: &Instance) -> [String; 5] {
    let number = instance.number.map(|number| format!(".{number}")).unwrap_or_default();
    let state = match instance.state {
        State::Running => "running".to_owned(),
        State::Starting => format!("starting: {}", instance.status),
        _ => format!("down: {}", instance.status),
    };
    let release = if instance.id == service.id { service.release.clone() } else { "another".to_owned() };
    [format!("{}{number}", service.name), instance.node.clone(), state, release, service.image.clone()]
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
