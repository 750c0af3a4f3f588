//! The plan that brings machines to where Cloudpad can use them. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Command, Look};

use super::Seen;
use super::steps::{Judged, Step, as_root, judge};
use crate::config::Problem;
use crate::plan::{Action, Note, Plan};

/// One step after the other on each machine, and in the end a look by which it is known that its engine answers us.
///
/// # Errors
/// What cannot be brought there; nothing is to be touched then.
pub fn plan(seen: &[(Arc<Host>, Seen)]) -> Result<Plan, Vec<Problem>> {
    let (mut plan, mut problems) = (Plan::default(), Vec::new());
    for (host, seen) in seen {
        match judge(&host.name, seen) {
            Ok(judged) => add(&mut plan, host, seen, judged),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

fn add(plan: &mut Plan, host: &Arc<Host>, seen: &Seen, judged: Judged) {
    let Judged { steps, notes } = judged;
    plan.notes.extend(notes);
    let requests: Vec<Request> =
        steps.iter().map(|step| Request::DeployCommand(command(host, seen, step))).collect();
    if requests.is_empty() {
        return;
    }
    // Nobody here gets a group by what is done meanwhile.
    let joins_here = host.is_local() && steps.iter().any(|step| matches!(step, Step::Join(_)));
    let check = (!joins_here).then(|| Request::DeployHost(Look { host: host.clone() }));
    if joins_here {
        let message = "log in anew on this machine, to be in the group `docker`".to_owned();
        plan.notes.push(Note { incomplete: false, message });
    }
    let name: Arc<str> = host.name.as_str().into();
    let mut before = None;
    for request in requests.into_iter().chain(check) {
        let id = u32::try_from(plan.actions.len()).unwrap_or(u32::MAX);
        plan.actions.push(Action {
            id,
            needs: before.into_iter().collect(),
            host: Some(name.clone()),
            service: None,
            continues: false,
            key: format!("provision/{name}/{id}"),
            request,
        });
        before = Some(id);
    }
}

/// A step as a command: its name is the script's own, so that a shell's complaints say it too.
fn command(host: &Arc<Host>, seen: &Seen, step: &Step) -> Command {
    let (script, arguments) = step.script();
    let words = as_root(&seen.facts).iter().copied().chain(["sh", "-c", script]).map(str::to_owned);
    let command = words.chain([step.title()]).chain(arguments).collect();
    Command { host: host.clone(), command, timeout_ms: None }
}
