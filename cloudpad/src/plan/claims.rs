//! What only one container of a host can have at a time: ports, and volumes that are not shared. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::{Instance, Port, Protocol};
use cloudpad_plugin_api::stage::deploy::{Container, PortHeld};

use super::sight::{HostSight, Sight};
use super::unit::{New, Unit};
use crate::config::{Config, Place, Problem};
use crate::inventory::Inventory;

/// The project's containers that hold what `new` needs, by name.
///
/// # Errors
/// A port that somebody else's container holds.
fn blockers<'a>(new: &New<'_>, sight: &HostSight<'a>, host: &str) -> Result<Vec<&'a Container>, Problem> {
    let mut found: BTreeMap<&str, &Container> = BTreeMap::new();
    for port in &new.spec.ports {
        for held in sight.seen.ports.iter().filter(|held| clash(port, held)) {
            match sight.named(&held.container) {
                Some(container) => _ = found.insert(&container.name, container),
                None => return Err(foreign(port, held, host)),
            }
        }
    }
    if !new.exclusive.is_empty() {
        let users = sight.seen.containers.iter().filter(|c| c.state.is_up() && writes(c, &new.exclusive));
        found.extend(users.map(|container| (container.name.as_str(), container)));
    }
    found.remove(new.name.as_str());
    Ok(found.into_values().collect())
}

fn clash(port: &Port, held: &PortHeld) -> bool {
    port.published == held.published
        && port.protocol == held.protocol
        && same_address(port.host_ip.as_deref(), held.host_ip.as_deref())
}

fn same_address(a: Option<&str>, b: Option<&str>) -> bool {
    let all = |ip: Option<&str>| matches!(ip, None | Some("" | "0.0.0.0" | "::"));
    all(a) || all(b) || a == b
}

fn writes(container: &Container, sources: &[String]) -> bool {
    let volumes = container.spec.iter().flat_map(|spec| &spec.volumes);
    volumes.into_iter().any(|volume| !volume.read_only && sources.contains(&volume.source))
}

fn foreign(port: &Port, held: &PortHeld, host: &str) -> Problem {
    let (number, holder) = (port.published, &held.container);
    Problem::new(format!(
        "port {number} of `{host}` is held by the container `{holder}`, which is not the project's"
    ))
    .hint("stop that container, or publish another port")
}

/// Finds out what is in the way of each unit of a service. `stopped` holds the containers, by host
/// and name, that the plan stops anyway.
pub(super) fn find_blockers<'a>(
    units: &mut [Unit<'a>],
    (sight, inventory, config): (&Sight<'a>, &Inventory, &Config),
    stopped: &BTreeSet<(usize, &str)>,
    problems: &mut Vec<Problem>,
) {
    for unit in units {
        let (Some(new), Some(seen)) = (&unit.start, sight.host(unit.host)) else { continue };
        let host = &inventory.hosts()[unit.host].name;
        match blockers(new, seen, host) {
            Err(problem) => problems.push(at(problem, &unit.instance.service, "ports")),
            Ok(found) => {
                for container in found {
                    if !block(unit, container, stopped) {
                        problems.push(untouched(unit, container, host, config));
                    }
                }
            }
        }
    }
}

/// Notes that `by` is in the unit's way; no when nothing stops it.
fn block<'a>(unit: &mut Unit<'a>, by: &'a Container, stopped: &BTreeSet<(usize, &str)>) -> bool {
    if unit.stops.iter().any(|old| old.name == by.name) {
        unit.stop_first = true;
    } else if stopped.contains(&(unit.host, by.name.as_str())) {
        unit.blockers.push(&by.name);
    } else {
        return false;
    }
    true
}

fn untouched(unit: &Unit<'_>, holder: &Container, host: &str, config: &Config) -> Problem {
    let (instance, theirs, name) = (&unit.instance, &holder.instance, &holder.name);
    let message = format!("`{instance}` needs a port or volume of `{host}` that `{name}` of `{theirs}` has");
    let theirs = &theirs.service;
    Problem::new(message).hint(if config.services.contains_key(theirs) {
        format!("let `{theirs}` be part of the deploy too")
    } else {
        format!(
            "`{theirs}` is no service any more, and goes when services are not selected: deploy all of them"
        )
    })
}

fn at(mut problem: Problem, service: &str, what: &str) -> Problem {
    problem.place = Some(Place::Key(format!("services.{service}.{what}")));
    problem
}

type Listener = (Option<String>, Instance);

/// What the wanted containers of all hosts claim; finds those that want the same.
#[derive(Default)]
pub(super) struct Claims {
    /// By host, port and protocol: the addresses that are listened on, and who does.
    ports: BTreeMap<(usize, u16, Protocol), Vec<Listener>>,
    volumes: BTreeMap<(usize, String), Instance>,
    /// What has been said, so that it is said once for two instances and not again for each host.
    told: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Claims {
    /// Adds what `instance` needs on a host.
    pub(super) fn add(
        &mut self,
        host: (usize, &str),
        instance: &Instance,
        ports: &[Port],
        volumes: &[String],
    ) {
        for port in ports {
            self.add_port(host, instance, port);
        }
        for volume in volumes {
            self.add_volume(host, instance, volume);
        }
    }

    fn add_port(&mut self, (index, host): (usize, &str), instance: &Instance, port: &Port) {
        let claims = self.ports.entry((index, port.published, port.protocol)).or_default();
        let other = claims.iter().find(|(ip, _)| same_address(ip.as_deref(), port.host_ip.as_deref()));
        let other = other.map(|(_, other)| other.clone());
        claims.push((port.host_ip.clone(), instance.clone()));
        if let Some(other) = other {
            let message = format!("`{other}` and `{instance}` both need port {} of `{host}`", port.published);
            let hint = "publish a range of ports, or let them run on different hosts";
            self.tell("ports", &other, instance, Problem::new(message).hint(hint));
        }
    }

    fn add_volume(&mut self, (index, host): (usize, &str), instance: &Instance, source: &str) {
        if let Some(other) = self.volumes.insert((index, source.to_owned()), instance.clone()) {
            let message = format!("`{other}` and `{instance}` would both write to `{source}` of `{host}`");
            let hint = "mount it `:shared` when the application can bear that, or `:ro`";
            self.tell("volumes", &other, instance, Problem::new(message).hint(hint));
        }
    }

    fn tell(&mut self, what: &str, a: &Instance, b: &Instance, problem: Problem) {
        if self.told.insert(format!("{what} {a} {b}")) {
            self.problems.push(at(problem, &b.service, what));
        }
    }

    /// What cannot be.
    pub(super) fn problems(self) -> Vec<Problem> {
        self.problems
    }
}
