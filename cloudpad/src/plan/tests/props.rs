//! What is so of every plan, whatever the project and its past.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{Instance, label};
use cloudpad_plugin_api::stage::deploy::{Container, Release};
use proptest::prelude::*;

use super::kit::Case;
use super::random::{World, world};
use super::sim::{Sim, containers, interleaving, routed, running, serving};
use crate::observed::{HostState, Observed};
use crate::plan::past::{self, At};
use crate::plan::{self, Action, Failed, Plan};

fn plan_of(world: &World) -> Result<Plan, TestCaseError> {
    world.case.try_plan().map_err(|problems| TestCaseError::reject(format!("{problems:?}")))
}

/// What a look shows: the truth, but for hosts that are out of sight.
pub fn look(world: &World, truth: &Observed) -> Observed {
    let mut seen = truth.clone();
    for (name, host) in &world.case.observed.hosts {
        if matches!(host, HostState::Unseen(_)) {
            seen.hosts.insert(name.clone(), host.clone());
        }
    }
    seen
}

pub fn simulated(world: &World) -> Sim {
    let mut case = world.case.clone();
    case.observed = world.truth.clone();
    Sim::new(&case)
}

/// How many instances of each service have to serve at all times.
fn floors(world: &World) -> Vec<(String, usize)> {
    let inventory = world.case.inventory();
    let Ok(scope) = plan::scope(&world.case.config, &inventory, &world.case.goal.select) else {
        return Vec::new();
    };
    let floor = |(name, eligible): (&String, &Vec<usize>)| {
        let whole = match world.case.config.services[name].count {
            crate::config::Count::Replicas(count) => count,
            crate::config::Count::PerHost(count) => count * eligible.len() as u32,
        };
        let min = world.case.config.deploy.min_healthy.of(whole).min(whole) as usize;
        (name.clone(), min.min(serving(&world.truth, name)))
    };
    scope.services.iter().map(floor).collect()
}

/// Whether a plan stops or removes a container.
fn touches(plan: &Plan, host: &str, name: &str) -> bool {
    plan.actions.iter().any(|action| match &action.request {
        Request::DeployStop(stop) => stop.host.name == host && stop.container.name == name,
        Request::DeployRemove(remove) => {
            remove.host.name == host && remove.containers.iter().any(|c| c.name == name)
        }
        _ => false,
    })
}

/// How many instances of each service have to serve while one goes back: of no more than there were, nor will be.
fn floors_of_what_runs(world: &World) -> Vec<(String, usize)> {
    let min = world.case.config.deploy.min_healthy;
    let id = world.case.goal.restore.as_deref().unwrap_or_default();
    let mut whole: BTreeMap<&str, u32> = BTreeMap::new();
    // What a host that is out of sight remembers is known to nobody.
    for host in world.case.observed.hosts.values() {
        let HostState::Seen(seen) = host else { continue };
        if let At::Recorded(release) = past::at(seen, id) {
            release.containers.iter().for_each(|c| *whole.entry(&c.instance.service).or_default() += 1);
        }
    }
    let select = &world.case.goal.select;
    if select.narrows_hosts() || select.narrows_services() {
        return Vec::new();
    }
    let floor = |(name, whole): (&str, u32)| {
        (name.to_owned(), (min.of(whole).min(whole) as usize).min(serving(&world.truth, name)))
    };
    whole.into_iter().map(floor).collect()
}

/// The services that a plan has changed before a job that depends on them and was begun.
fn kept(world: &World, plan: &Plan, begun: &BTreeSet<u32>) -> BTreeSet<String> {
    let is_job = |action: &&Action| matches!(action.request, Request::DeployRun(_)) && !action.is_cleanup();
    let last =
        plan.actions.iter().filter(is_job).rfind(|job| begun.contains(&job.id)).map_or(0, |job| job.id);
    let needs = world.case.config.jobs.get("j").map_or(&[][..], |job| &job.depends_on);
    let before = plan.actions[..last as usize].iter().filter(|action| action.is_of_rollout());
    let services = before.filter_map(|action| action.service.as_deref().map(str::to_owned));
    services.filter(|service| needs.contains(service)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_before_all_is_built(world in world(), order: Vec<u8>) {
        let plan = plan_of(&world)?;
        let mut changed = None;
        for id in interleaving(&plan, &order) {
            let action = &plan.actions[id as usize];
            let is_made = match &action.request {
                Request::BuildRun(_) => true,
                Request::PushRun(push) => push.host.is_none(),
                _ => false,
            };
            prop_assert!(!is_made || changed.is_none(), "{} comes after {changed:?}", action.key);
            let is_job = matches!(action.request, Request::DeployRun(_)) && !action.is_cleanup();
            changed = changed.or((action.is_of_rollout() || is_job).then_some(&action.key));
        }
    }

    #[test]
    fn each_action_comes_after_what_it_needs(world in world()) {
        let plan = plan_of(&world)?;
        let mut keys = BTreeSet::new();
        for (place, action) in plan.actions.iter().enumerate() {
            prop_assert_eq!(action.id as usize, place);
            prop_assert!(action.needs.iter().all(|&need| need < action.id));
            prop_assert!(keys.insert(&action.key), "{} is there twice", action.key);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(world in world()) {
        let plan = plan_of(&world)?;
        let again = plan_of(&world.clone())?;
        prop_assert_eq!(serde_json::to_vec(&plan).unwrap(), serde_json::to_vec(&again).unwrap());
    }

    #[test]
    fn in_any_order_enough_instances_serve(world in world(), order: Vec<u8>) {
        let plan = plan_of(&world)?;
        let floors = floors(&world);
        let mut sim = simulated(&world);
        for id in interleaving(&plan, &order) {
            let action = &plan.actions[id as usize];
            sim.apply(action).map_err(TestCaseError::fail)?;
            for (service, floor) in &floors {
                let serving = sim.serving(service);
                prop_assert!(serving >= *floor, "{service}: {serving} < {floor} after {}", action.key);
            }
        }
    }

    #[test]
    fn what_is_not_meant_is_not_touched(world in world(), order: Vec<u8>) {
        let plan = plan_of(&world)?;
        let select = &world.case.goal.select;
        let mut sim = simulated(&world);
        for id in interleaving(&plan, &order) {
            sim.apply(&plan.actions[id as usize]).map_err(TestCaseError::fail)?;
        }
        for (name, host) in &world.truth.hosts {
            let hidden = matches!(world.case.observed.hosts[name], HostState::Unseen(_));
            if hidden || (!select.hosts.is_empty() && !select.hosts.contains(name)) {
                prop_assert_eq!(host, &sim.observed.hosts[name]);
            }
            for container in containers(host) {
                let meant = select.services.is_empty() || select.services.contains(&container.instance.service);
                prop_assert!(meant || containers(&sim.observed.hosts[name]).contains(container));
            }
        }
    }

    #[test]
    fn only_what_a_job_depends_on_changes_before_it_and_that_does(world in world(), order: Vec<u8>) {
        let plan = plan_of(&world)?;
        let order = interleaving(&plan, &order);
        let actions = || order.iter().map(|id| &plan.actions[*id as usize]);
        let is_job = |action: &Action| matches!(action.request, Request::DeployRun(_)) && !action.is_cleanup();
        let changes = |action: &&Action| {
            matches!(action.request, Request::DeployStart(_) | Request::DeployStop(_) | Request::DeployRemove(_))
        };
        let needs = world.case.config.jobs.get("j").map_or(&[][..], |job| &job.depends_on);
        let is_needed = |action: &&Action| needs.iter().any(|name| action.service.as_deref() == Some(name));
        let jobs: Vec<usize> = (0..order.len()).filter(|&at| is_job(&plan.actions[order[at] as usize])).collect();
        let (Some(&first), Some(&last)) = (jobs.first(), jobs.last()) else { return Ok(()) };
        prop_assert!(actions().take(last).filter(changes).all(|action| is_needed(&action)));
        let is_new = |at: &usize| match &plan.actions[order[*at] as usize].request {
            Request::DeployRun(run) => run.release == world.case.goal.release,
            _ => false,
        };
        prop_assert!(!jobs.iter().all(is_new) || !actions().skip(first).filter(changes).any(|a| is_needed(&a)));
    }

    #[test]
    fn what_is_protected_is_neither_stopped_nor_removed_unless_it_is_named(world in world()) {
        let plan = plan_of(&world)?;
        let named = |service: &String| world.case.goal.select.services.contains(service);
        for (host, state) in &world.truth.hosts {
            for container in containers(state).iter().filter(|c| !named(&c.instance.service)) {
                let spec = container.spec.as_ref().unwrap();
                let by_file = world.case.config.services.get(&container.instance.service);
                if spec.labels.contains_key(label::PROTECTED) || by_file.is_some_and(|s| s.protected) {
                    prop_assert!(!touches(&plan, host, &container.name), "{} of {host}", container.name);
                }
            }
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(world in world(), order: Vec<u8>) {
        let plan = plan_of(&world)?;
        let mut sim = simulated(&world);
        for id in interleaving(&plan, &order) {
            sim.apply(&plan.actions[id as usize]).map_err(TestCaseError::fail)?;
        }
        let mut after = world.clone();
        after.case.observed = look(&world, &sim.observed);
        let again = after.case.try_plan();
        prop_assert!(again.as_ref().is_ok_and(Plan::is_empty), "{again:#?}");
    }

    #[test]
    fn going_back_brings_what_was_to_run(world in world(), order: Vec<u8>, which: prop::sample::Index) {
        let known: Vec<String> = past::all(&world.case.observed).map(|release| release.id.clone()).collect();
        prop_assume!(!known.is_empty());
        let mut world = world;
        let id = which.get(&known).clone();
        world.case.goal.restore = Some(id.clone());
        let plan = plan_of(&world)?;
        let floors = floors_of_what_runs(&world);
        let mut sim = simulated(&world);
        for action in interleaving(&plan, &order) {
            sim.apply(&plan.actions[action as usize]).map_err(TestCaseError::fail)?;
            prop_assert!(floors.iter().all(|(service, floor)| sim.serving(service) >= *floor));
        }
        let inventory = world.case.inventory();
        let scope = plan::scope(&world.case.config, &inventory, &world.case.goal.select).unwrap();
        for &host in &scope.hosts {
            let name = &inventory.hosts()[host].name;
            let HostState::Seen(before) = &world.case.observed.hosts[name] else { continue };
            // What is protected stays as it is, and what belongs to it where it is.
            let is_protected = |c: &Container| {
                c.spec.as_ref().is_some_and(|spec| spec.labels.contains_key(label::PROTECTED))
                    || world.case.config.services.get(&c.instance.service).is_some_and(|s| s.protected)
            };
            let everywhere = || world.truth.hosts.values().flat_map(containers);
            let stays = |service: &str| {
                everywhere().any(|c| c.instance.service == service && is_protected(c))
                    && !world.case.goal.select.services.iter().any(|name| name == service)
            };
            // So does what too few others would serve without, which the plan says.
            let is_kept = |service: &str| {
                plan.notes.iter().any(|note| {
                    note.message.starts_with(&format!("`shop-{service}-"))
                        && note.message.ends_with("since too few others would serve without it")
                })
            };
            let meant = |service: &str| scope.covers(service, &world.case.config) && !stays(service) && !is_kept(service);
            let wanted: BTreeSet<_> = match past::at(before, &id) {
                At::Recorded(release) => release.containers.iter().map(|c| (&c.instance, &c.spec_id)).collect(),
                At::Nothing | At::Forgotten => BTreeSet::new(),
            };
            let up = containers(&sim.observed.hosts[name]).iter().filter(|c| c.state.is_up());
            let up: BTreeSet<_> = up.map(|c| (&c.instance, &c.spec_id)).collect();
            let of = |all: BTreeSet<_>| all.into_iter().filter(|(i, _): &(&Instance, _)| meant(&i.service)).collect::<BTreeSet<_>>();
            prop_assert_eq!(of(up), of(wanted));
            let (At::Recorded(Release { routes: Some(routes), .. }), HostState::Seen(now)) =
                (past::at(before, &id), &sim.observed.hosts[name])
            else {
                continue;
            };
            let led = now.proxy.iter().flat_map(|proxy| &proxy.routes).map(|route| (&route.service, &route.rule));
            let led: Vec<_> = led.filter(|(service, _)| meant(service)).collect();
            prop_assert_eq!(led, routes.iter().filter(|(service, _)| meant(service)).collect::<Vec<_>>());
        }
        world.case.observed = look(&world, &sim.observed);
        let again = world.case.try_plan();
        // What is as it was may be known by the name of the release that has gone back to it, and no other.
        let Case { config, observed, goal, .. } = &world.case;
        let obstacles = plan::obstacles(config, &inventory, observed, goal);
        prop_assert!(!obstacles.is_empty() || again.as_ref().is_ok_and(Plan::is_empty), "{again:#?}");
    }

    #[test]
    fn after_any_failure_what_ran_before_is_brought_back(
        world in world(),
        order: Vec<u8>,
        undo_order: Vec<u8>,
        far: prop::sample::Index,
        unheard: bool,
    ) {
        let plan = plan_of(&world)?;
        let order = interleaving(&plan, &order);
        prop_assume!(!order.is_empty());
        let far = far.index(order.len());
        let failing = &plan.actions[order[far] as usize];
        prop_assume!(!failing.is_cleanup());
        let mut sim = simulated(&world);
        for id in &order[..far] {
            sim.apply(&plan.actions[*id as usize]).map_err(TestCaseError::fail)?;
        }
        sim.fail(failing);
        let now = look(&world, &sim.observed);
        // It comes to its end after all, when nobody looks any more.
        if unheard && matches!(failing.request, Request::DeployStop(_)) {
            sim.apply(failing).map_err(TestCaseError::fail)?;
        }
        let case = &world.case;
        let unknown = if unheard { BTreeSet::from([failing.id]) } else { BTreeSet::new() };
        let begun = order[..=far].iter().copied().collect();
        let failed = Failed { plan: &plan, begun: &begun, unknown: &unknown };
        let undo = plan::undo(&failed, &case.observed, &now, &case.config, &case.inventory(), &case.goal);
        for action in &undo.actions {
            prop_assert!(action.needs.iter().all(|&need| need < action.id));
        }
        let left = running(&sim.observed);
        for id in interleaving(&undo, &undo_order) {
            sim.apply(&undo.actions[id as usize]).map_err(TestCaseError::fail)?;
        }
        // What was done for a job that was begun stays as it is.
        let kept = kept(&world, &plan, &begun);
        let of = |all: BTreeSet<(String, String)>, stays: bool| {
            let is_of = |name: &str| kept.iter().any(|service| name.starts_with(&format!("shop-{service}-")));
            all.into_iter().filter(|(_, name)| is_of(name) == stays).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(of(running(&sim.observed), false), of(running(&world.truth), false));
        prop_assert_eq!(of(running(&sim.observed), true), of(left, true));
        let routed = |observed| routed(observed).into_iter().filter(|(_, service, _)| !kept.contains(service)).collect::<Vec<_>>();
        prop_assert_eq!(routed(&sim.observed), routed(&world.truth), "{} failed, then {}", failing.key, super::kit::text(&undo));
    }
}
