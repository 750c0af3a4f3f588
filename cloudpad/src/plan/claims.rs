//! What is in the way of a new container: ports, and volumes that are not shared. Pure.

use cloudpad_plugin_api::model::Port;
use cloudpad_plugin_api::stage::deploy::PortHeld;

use super::ChangeKind;
use super::protect::is_protected;
use super::sight::{self, HostSight, Sight, Sighted};
use super::unit::{New, Unit};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;

/// The project's containers that hold what `new` needs, by name.
///
/// # Errors
/// A port that somebody else's container holds.
fn blockers<'a>(
    unit: &Unit<'a>,
    new: &New<'_>,
    sight: &'a HostSight<'a>,
) -> Result<Vec<&'a Sighted<'a>>, Foreign<'a>> {
    let mut found = Vec::new();
    for port in &new.wanted.spec.ports {
        for held in sight.seen.ports.iter().filter(|held| clash(port, held)) {
            // Most often it is the one whose place the new one takes.
            let own = unit.stops.iter().find(|old| old.name == held.container).copied();
            found.push(own.or_else(|| sight.named(&held.container)).ok_or(Foreign(held))?);
        }
    }
    let exclusive = &new.wanted.exclusive;
    if !exclusive.is_empty() {
        found.extend(sight::up(&sight.containers).filter(|c| writes(c, exclusive)));
    }
    found.retain(|container| container.name != new.wanted.name);
    found.sort_unstable_by_key(|container| &container.container.name);
    found.dedup_by_key(|container| container.place);
    Ok(found)
}

/// A port that somebody else's container holds.
struct Foreign<'a>(&'a PortHeld);

fn clash(port: &Port, held: &PortHeld) -> bool {
    port.published == held.published
        && port.protocol == held.protocol
        && same_address(port.host_ip.as_deref(), held.host_ip.as_deref())
}

pub(super) fn same_address(a: Option<&str>, b: Option<&str>) -> bool {
    let all = |ip: Option<&str>| matches!(ip, None | Some("" | "0.0.0.0" | "::"));
    all(a) || all(b) || a == b
}

fn writes(container: &Sighted<'_>, sources: &[String]) -> bool {
    let volumes = container.spec.iter().flat_map(|spec| &spec.volumes);
    volumes.into_iter().any(|volume| !volume.read_only && sources.contains(&volume.source))
}

fn foreign(held: &PortHeld, host: &str, service: &str) -> Problem {
    let (number, holder) = (held.published, &held.container);
    let message =
        format!("port {number} of `{host}` is held by the container `{holder}`, which is not the project's");
    let problem = Problem::at_key(format!("services.{service}.ports"), message);
    problem.hint("stop that container, or publish another port")
}

/// Finds out what is in the way of each unit of a service. `stopped` are the containers, by place, that
/// the plan stops anyway.
pub(super) fn find_blockers<'a>(
    units: &mut [Unit<'a>],
    (sight, inventory, config): (&'a Sight<'a>, &Inventory, &Config),
    stopped: &[bool],
    problems: &mut Vec<Problem>,
) {
    for unit in units {
        // What is restarted has had all that it needs, beside all others.
        if matches!(unit.told, Some((ChangeKind::Restart, _))) {
            continue;
        }
        let (Some(new), Some(seen)) = (&unit.start, sight.host(unit.host)) else { continue };
        let host = &inventory.hosts()[unit.host].name;
        match blockers(unit, new, seen) {
            Err(Foreign(held)) => problems.push(foreign(held, host, unit.which.service)),
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
fn block<'a>(unit: &mut Unit<'a>, by: &'a Sighted<'a>, stopped: &[bool]) -> bool {
    if unit.stops.iter().any(|old| old.place == by.place) {
        unit.stop_first = true;
    } else if stopped[by.place] {
        unit.blockers.push(by);
    } else {
        return false;
    }
    true
}

fn untouched(unit: &Unit<'_>, holder: &Sighted<'_>, host: &str, config: &Config) -> Problem {
    let (instance, theirs, name) = (unit.which.instance(), &holder.instance, &holder.name);
    let message = format!("`{instance}` needs a port or volume of `{host}` that `{name}` of `{theirs}` has");
    let theirs = &theirs.service;
    Problem::new(message).hint(if is_protected(holder, config) {
        format!("`{theirs}` is protected: name both with `--service {} --service {theirs}`", instance.service)
    } else if config.services.contains_key(theirs) {
        format!("let `{theirs}` be part of the deploy too")
    } else {
        format!(
            "`{theirs}` is no service any more, and goes when services are not selected: deploy all of them"
        )
    })
}
