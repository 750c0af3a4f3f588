//! Which hooks go with a plan. Pure.

use cloudpad_plugin_api::Request;
use serde::{Deserialize, Serialize};

use super::{Action, Until};
use crate::config::{Config, HookPoint};

/// A local command that goes with a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// When it runs.
    pub point: HookPoint,
    /// The argument list.
    pub command: Vec<String>,
}

/// The hooks of a plan with these actions, in their order. One that does nothing has none.
pub(super) fn hooks(config: &Config, until: Until, actions: &[Action]) -> Vec<Hook> {
    let builds = actions.iter().any(|action| matches!(action.request, Request::BuildRun(_)));
    let deploys = until == Until::Deploy && !actions.is_empty();
    let goes_with = |point: &HookPoint| match point {
        HookPoint::BeforeBuild => builds,
        HookPoint::BeforeDeploy | HookPoint::AfterDeploy | HookPoint::AfterFailure => deploys,
    };
    let points = config.hooks.commands.iter().filter(|(point, _)| goes_with(point));
    let hooks = points.flat_map(|(&point, commands)| {
        commands.iter().map(move |command| Hook { point, command: command.clone() })
    });
    hooks.collect()
}
