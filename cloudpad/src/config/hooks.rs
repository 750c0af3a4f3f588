//! What `[hooks]` says, as meant. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Local commands at named points of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hooks {
    /// The commands of each point in their order, each an argument list.
    pub commands: BTreeMap<HookPoint, Vec<Vec<String>>>,
    /// Milliseconds after which a command is ended.
    pub timeout_ms: u64,
}

impl Default for Hooks {
    fn default() -> Self {
        const TEN_MINUTES: u64 = 600_000;
        Self { commands: BTreeMap::new(), timeout_ms: TEN_MINUTES }
    }
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before anything is done of a plan that builds images.
    BeforeBuild,
    /// Before anything is done of a deploy.
    BeforeDeploy,
    /// After a deploy in which nothing failed.
    AfterDeploy,
    /// After a deploy that failed or was interrupted, and after its undo.
    AfterFailure,
}

impl HookPoint {
    /// Every point, in the order of a run.
    pub const ALL: [HookPoint; 4] =
        [Self::BeforeBuild, Self::BeforeDeploy, Self::AfterDeploy, Self::AfterFailure];

    /// What the file calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeBuild => "before_build",
            Self::BeforeDeploy => "before_deploy",
            Self::AfterDeploy => "after_deploy",
            Self::AfterFailure => "after_failure",
        }
    }

    /// Whether nothing has been touched by then, so that a hook that fails keeps all from being done.
    pub fn is_before(self) -> bool {
        matches!(self, Self::BeforeBuild | Self::BeforeDeploy)
    }
}
