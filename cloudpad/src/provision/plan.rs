//! The plan that brings machines to where Cloudpad can use them. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Command, Look};

use super::Seen;
use super::etcd::Cluster;
use super::steps::{Judged, Step, as_root, judge};
use crate::config::Problem;
use crate::plan::{Action, Note, Plan};

/// One step after the other on each machine, and in the end a look by which it is known that its engine answers us. Of what makes a
/// machine a member of `cluster`, it has the steps up to its key.
///
/// # Errors
/// What cannot be brought there; nothing is to be touched then.
pub fn plan(seen: &[(Arc<Host>, Seen)], cluster: Option<&Cluster>) -> Result<Plan, Vec<Problem>> {
    let (mut plan, mut problems) = (Plan::default(), Vec::new());
    plan.notes.extend(cluster.into_iter().flat_map(|cluster| cluster.notes.clone()));
    for (host, seen) in seen {
        match judge(&host.name, seen) {
            Ok(judged) => add(&mut plan, host, seen, (judged, cluster)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

/// Two plans as they are shown, one behind the other.
pub fn both(first: &Plan, second: Plan) -> Plan {
    let mut both = first.clone();
    let before = u32::try_from(first.actions.len()).unwrap_or(u32::MAX);
    both.actions.extend(second.actions.into_iter().map(|action| Action {
        id: action.id.saturating_add(before),
        needs: action.needs.iter().map(|need| need.saturating_add(before)).collect(),
        ..action
    }));
    both
}

fn add(plan: &mut Plan, host: &Arc<Host>, seen: &Seen, (judged, cluster): (Judged, Option<&Cluster>)) {
    let Judged { mut steps, notes } = judged;
    plan.notes.extend(notes);
    // Nobody here gets a group by what is done meanwhile.
    let joins_here = host.is_local() && steps.iter().any(|step| matches!(step, Step::Join(_)));
    let check = !steps.is_empty() && !joins_here;
    if joins_here {
        let message = "log in anew on this machine, to be in the group `docker`".to_owned();
        plan.notes.push(Note { incomplete: false, message });
    }
    let (packages, key) = cluster.map(|cluster| cluster.before(&host.name)).unwrap_or_default();
    install(&mut steps, packages);
    steps.extend(key);
    let requests = steps.iter().map(|step| command(host, as_root(&seen.facts), step));
    let check = check.then(|| Request::DeployHost(Look { host: host.clone() }));
    let mut before = None;
    for request in requests.chain(check) {
        before = Some(push(plan, host, before.into_iter().collect(), request));
    }
}

/// Has packages installed with the others, if there are any.
fn install(steps: &mut Vec<Step>, packages: Vec<&'static str>) {
    let others = steps.iter_mut().find_map(|step| match step {
        Step::Install(others) => Some(others),
        _ => None,
    });
    match others {
        _ if packages.is_empty() => {}
        Some(others) => others.extend(packages),
        None => steps.push(Step::Install(packages)),
    }
}

/// Adds a request to a plan, and returns its number.
pub fn push(plan: &mut Plan, host: &Arc<Host>, needs: Vec<u32>, request: Request) -> u32 {
    let name: Arc<str> = host.name.as_str().into();
    let id = u32::try_from(plan.actions.len()).unwrap_or(u32::MAX);
    plan.actions.push(Action {
        id,
        needs,
        host: Some(name.clone()),
        service: None,
        continues: false,
        key: format!("provision/{name}/{id}"),
        request,
    });
    id
}

/// A step as a command: its name is the script's own, so that a shell's complaints say it too.
pub fn command(host: &Arc<Host>, root: &[&str], step: &Step) -> Request {
    let (script, arguments) = step.script();
    let words = root.iter().copied().chain(["sh", "-c", script]).map(str::to_owned);
    let command = words.chain([step.title()]).chain(arguments).collect();
    Request::DeployCommand(Command { host: host.clone(), command, timeout_ms: None })
}
