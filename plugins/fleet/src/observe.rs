//! A project's services from a look at a fleet. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Instance, Node, Observation, Release, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::State;

use crate::judge::{Look, Standing, Target, standing};
use crate::unit::{Desired, hash};
use crate::wire::{Machine, Row, Unit};
use crate::wish::{GivenUp, Units, Wish};
use crate::{names, note, place};

/// The revision of a service of which there are units, and nothing that says what it is to be.
pub const UNKNOWN: &str = "unknown";

/// What there is of a project.
pub fn observation(project: &Project, look: &Look, with_releases: bool) -> Observation {
    let wished = look.units.iter().filter_map(|unit| names::wished(project, &unit.name));
    let running = look.units.iter().filter_map(|unit| names::Instance::of(project, &unit.name));
    let services: BTreeSet<String> = wished.chain(running.map(|instance| instance.service)).collect();
    let mut nodes: Vec<Node> = look.machines.iter().map(node).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    Observation {
        nodes,
        services: services.iter().map(|service| seen(project, service, look)).collect(),
        releases: with_releases.then(|| releases(project, look)),
        ..Observation::default()
    }
}

fn node(machine: &Machine) -> Node {
    let of = |key: &str| machine.metadata.get(key).cloned();
    let labels =
        machine.metadata.iter().filter(|(key, _)| ![place::ROLE, place::NAME].contains(&key.as_str()));
    Node {
        name: name(machine).to_owned(),
        address: machine.primary_ip.clone(),
        roles: of(place::ROLE).into_iter().collect(),
        labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
        closed: String::new(),
    }
}

/// What a machine is called.
pub fn name(machine: &Machine) -> &str {
    machine.metadata.get(place::NAME).unwrap_or(&machine.id)
}

/// Releases that are remembered, by id. One that is not understood is left out.
fn releases(project: &Project, look: &Look) -> Vec<Release> {
    let known = look.units.iter().filter(|unit| names::released(project, &unit.name).is_some());
    let mut releases: Vec<Release> = known.filter_map(|unit| note::read(&unit.options)).collect();
    releases.sort_by(|one, other| one.id.cmp(&other.id));
    releases
}

/// What a service is to be, with the revision of that.
pub fn wish(project: &Project, service: &str, units: &[Unit]) -> (Option<String>, Option<Wish>) {
    let marker = units.iter().find(|unit| unit.name == names::wish(project, service));
    let is_ours =
        |unit: &Unit| names::Instance::of(project, &unit.name).is_some_and(|found| found.service == service);
    match marker {
        Some(unit) => (Some(hash(&unit.options)), note::read(&unit.options)),
        None => (units.iter().any(is_ours).then(|| UNKNOWN.to_owned()), None),
    }
}

fn seen(project: &Project, service: &str, look: &Look) -> Seen {
    let (revision, wish) = wish(project, service, &look.units);
    let mut seen =
        Seen { name: service.to_owned(), revision: revision.unwrap_or_default(), ..Seen::default() };
    let units = wish.as_ref().and_then(|wish| wish.units(project, 0).ok());
    seen.instances = instances(project, service, look, wish.as_ref());
    let Some(wish) = wish else { return seen };
    seen.wanted = wish.count(&look.machines);
    (seen.rollout, seen.message) = match wish.given_up {
        GivenUp::Stopped(why) => (Rollout::Paused, why),
        GivenUp::Back(why) => (Rollout::RolledBack, why),
        GivenUp::No if units.is_some_and(|units| is_so(project, service, look, &units)) => {
            (Rollout::Settled, String::new())
        }
        GivenUp::No => (Rollout::Updating, String::new()),
    };
    (seen.id, seen.release, seen.image) = (wish.id, wish.release, wish.image);
    seen.service = Some(Arc::new(wish.service));
    seen
}

/// Whether the units are declared that are to be, and no others.
fn is_so(project: &Project, service: &str, look: &Look, units: &Units) -> bool {
    let declared = |target: &Target| standing(target, look) != Standing::Missing;
    let olds = crate::drive::olds(project, service, &units.goal, &look.units);
    units.goal.targets.iter().all(declared) && olds.is_empty()
}

fn instances(project: &Project, service: &str, look: &Look, wish: Option<&Wish>) -> Vec<Instance> {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for wish in wish.and_then(|wish| wish.before.as_deref()).into_iter().chain(wish) {
        if let Ok(units) = wish.units(project, 0) {
            ids.insert(units.template.hash, wish.id.clone());
        }
    }
    let mut instances = Vec::new();
    for unit in &look.units {
        let Some(instance) =
            names::Instance::of(project, &unit.name).filter(|found| found.service == service)
        else {
            continue;
        };
        let is_everywhere = crate::unit::values(&unit.options, "X-Fleet", "Global") == ["true"];
        let of = |node: &str, state, status: String| Instance {
            number: (!is_everywhere).then_some(instance.number),
            node: node.to_owned(),
            state,
            id: ids.get(&hash(&unit.options)).cloned().unwrap_or_default(),
            healthy: false,
            status,
        };
        let rows: Vec<&Row> = look.rows.iter().filter(|row| is_of(row, unit)).collect();
        if rows.is_empty() {
            instances.push(match unit.desired_state {
                Desired::Launched => of("", State::Starting, "fleet has not told of it yet".to_owned()),
                _ => of("", State::Stopped, "not told to run".to_owned()),
            });
        }
        instances.extend(
            rows.into_iter()
                .map(|row| of(where_is(row, look), state(row), format!("{}/{}", row.active, row.sub))),
        );
    }
    instances.sort_by(|one, other| (one.number, &one.node).cmp(&(other.number, &other.node)));
    instances
}

/// What the machine of a row is called.
fn where_is<'a>(row: &'a Row, look: &'a Look) -> &'a str {
    look.machines.iter().find(|machine| machine.id == row.machine).map_or(&row.machine, name)
}

/// Whether a row is about where the unit is to be; those of machines that are gone stay for a while.
pub fn is_of(row: &Row, unit: &Unit) -> bool {
    row.name == unit.name && unit.machine.as_ref().is_none_or(|machine| *machine == row.machine)
}

fn state(row: &Row) -> State {
    match (row.load.as_str(), row.active.as_str(), row.sub.as_str()) {
        ("loaded", "active" | "reloading" | "deactivating", _) => State::Running,
        ("loaded", "activating", "auto-restart") => State::Restarting,
        ("loaded", "activating", _) => State::Starting,
        _ => State::Stopped,
    }
}
