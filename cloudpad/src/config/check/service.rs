//! Combinations within one service that cannot be. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::model::Check;

use crate::config::{Count, Mount, MountMode, Problem, Service, Update};

/// Networks that the engine has by itself, and that go with no other.
const BUILT_IN: [&str; 3] = ["host", "none", "bridge"];

pub(super) fn check(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    networks(name, service, problems);
    targets(name, service, problems);
    secrets(name, service, problems);
    mounts(name, service, problems);
    update(name, service, problems);
}

fn networks(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    let built_in = service.networks.iter().position(|network| BUILT_IN.contains(&network.as_str()));
    let Some(index) = built_in else { return };
    let network = &service.networks[index];
    if service.networks.len() > 1 {
        let message = format!("the network `{network}` goes with no other");
        problems.push(Problem::at_key(format!("services.{name}.networks.{index}"), message));
    }
    if network == "bridge" {
        return;
    }
    let asks = is_asked(service);
    if !service.ports.is_empty() {
        let message = format!("on the network `{network}` no port can be published");
        let hint = match network.as_str() {
            "host" => "remove `ports`: the container's ports are the host's",
            _ => "remove `ports` or `networks`",
        };
        problems.push(Problem::at_key(format!("services.{name}.ports"), message).hint(hint));
    }
    if network == "none" && asks {
        problems.push(
            Problem::at_key(
                format!("services.{name}.health"),
                "a container on the network `none` cannot be asked",
            )
            .hint("use `command`, which runs inside the container"),
        );
    }
}

/// Whether its health is asked for at a port.
fn is_asked(service: &Service) -> bool {
    let health = service.health.as_ref();
    health.is_some_and(|health| matches!(health.check, Check::Http { .. } | Check::Tcp { .. }))
}

fn targets(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (index, mount) in service.volumes.iter().enumerate() {
        if !seen.insert(&mount.target) {
            let message = format!("something else is mounted at `{}` already", mount.target);
            problems.push(Problem::at_key(format!("services.{name}.volumes.{index}"), message));
        }
    }
}

fn secrets(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    let mounted: BTreeSet<_> = service.volumes.iter().map(|mount| &mount.target).collect();
    for path in service.secrets.keys().filter(|path| mounted.contains(path)) {
        let message = format!("something else is mounted at `{path}` already");
        problems.push(Problem::at_key(format!("services.{name}.secrets.{path}"), message));
    }
    for variable in service.secrets.keys().filter(|variable| service.env.contains_key(*variable)) {
        let message = format!("the variable `{variable}` is in `env` already");
        problems.push(Problem::at_key(format!("services.{name}.secrets.{variable}"), message));
    }
}

/// Several instances on each host cannot have what only one container may have.
fn mounts(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    let Count::PerHost(count @ 2..) = service.count else { return };
    for (index, mount) in exclusive(service) {
        let message =
            format!("`per_host` is {count}, but only one container on a host may have `{}`", source(mount));
        problems.push(Problem::at_key(format!("services.{name}.volumes.{index}"), message).hint(SHARE));
    }
}

/// What to do about a mount that one container has for itself.
pub(super) const SHARE: &str =
    "add `:shared` if several containers may write to it at once, or `:ro` if they only read";

/// The mounts that one container has for itself.
pub(super) fn exclusive(service: &Service) -> impl Iterator<Item = (usize, &Mount)> {
    service.volumes.iter().enumerate().filter(|(_, mount)| mount.mode == MountMode::Exclusive)
}

/// What is mounted, as the file writes it.
pub(super) fn source(mount: &Mount) -> &str {
    let (crate::config::MountSource::Volume(source) | crate::config::MountSource::Path(source)) =
        &mount.source;
    source
}

fn update(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    if service.update != Update::StartFirst {
        return;
    }
    if let Some(why) = conflict(service) {
        problems.push(
            Problem::at_key(
                format!("services.{name}.update"),
                format!("`start-first` is impossible, since {why}"),
            )
            .hint("write `stop-first`, or leave `update` out"),
        );
    }
}

/// Why the old container is stopped before the new one starts, if that is not said by the service itself.
pub(super) fn stop_first_because(service: &Service) -> Option<String> {
    let shared = || service.is_on_host_network().then(|| format!("{SHARED} most likely need the same ports"));
    conflict(service).or_else(shared)
}

const SHARED: &str = "on the network `host` old and new container";

/// Why old and new container cannot run side by side, if they cannot.
fn conflict(service: &Service) -> Option<String> {
    if let Some(port) = service.ports.first() {
        return Some(format!("old and new container cannot both have port {} of the host", port.first));
    }
    if let Some((_, mount)) = exclusive(service).next() {
        return Some(format!("only one container may have `{}`", source(mount)));
    }
    // The old container would answer for the new one.
    let mistaken = service.is_on_host_network() && is_asked(service);
    mistaken.then(|| format!("{SHARED} cannot be told apart by a port"))
}
