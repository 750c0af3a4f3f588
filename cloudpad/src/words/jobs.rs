//! Jobs in words. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::Run;

use super::some_of;
use crate::plan::Plan;

/// A job by its name; what is none, by that of its container.
pub(super) fn name(run: &Run) -> &str {
    run.labels.get(label::JOB).unwrap_or(&run.container)
}

/// The services that the plan brings before a job, as that waits for them.
pub(super) fn after(plan: &Plan, run: &Run) -> String {
    let same = plan.actions.iter().filter(|action| match &action.request {
        Request::DeployRun(other) => name(other) == name(run) && !action.is_cleanup(),
        _ => false,
    });
    let needs = same.flat_map(|action| &action.needs);
    let services = needs.filter_map(|&need| plan.actions.get(need as usize)?.service.as_deref());
    let services: BTreeSet<String> = services.map(str::to_owned).collect();
    match services.is_empty() {
        true => String::new(),
        false => format!(" (when {} serves)", some_of(&services.into_iter().collect::<Vec<_>>())),
    }
}
