//! Finds the provider that does each stage, and calls it. I/O: runs plugins.
//!
//! Built-in providers register themselves; a crate that nobody names would silently not be linked.

pub mod external;
mod file;
mod file_name;
pub mod find;
pub mod folders;
mod head;
pub mod limits;
pub mod lock;
pub mod mask;
pub mod session;
pub mod start;
pub mod sum;
pub mod trust;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cloudpad_docker as _;
use cloudpad_git as _;
use cloudpad_plugin_api::{
    Cancel, Context, Emit, Failure, FailureKind, Handler, Outcome, Provider, PushScope, Reply, Request, Stage,
};
use cloudpad_registry as _;
use cloudpad_ssh as _;

use crate::config::{Config, Problem, StageChoice};

/// The hidden command that loads a plugin that is a library.
pub const HOST: &str = "__plugin-host";

/// The providers that a config has chosen.
pub struct Providers {
    by_stage: BTreeMap<Stage, Chosen>,
}

struct Chosen {
    provider: &'static Provider,
    config: serde_json::Value,
}

impl Providers {
    /// Finds the provider of each stage.
    ///
    /// # Errors
    /// One problem for each provider that does not exist, or cannot work with its configuration.
    pub fn choose(config: &Config) -> Result<Self, Vec<Problem>> {
        let mut by_stage = BTreeMap::new();
        let mut problems = Vec::new();
        for (&stage, choice) in &config.stages {
            let Some(name) = &choice.provider else { continue };
            match find(stage, name) {
                Ok(provider) => {
                    let chosen = Chosen { provider, config: config_of(stage, choice, config) };
                    problems.extend(chosen.problem(stage));
                    by_stage.insert(stage, chosen);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { by_stage }) } else { Err(problems) }
    }

    /// Whether images are pushed to each host or once for all.
    pub fn push_scope(&self) -> PushScope {
        match self.by_stage.get(&Stage::Push).map(|chosen| chosen.provider.handler) {
            Some(Handler::Push(push)) => push.scope(),
            _ => PushScope::Host,
        }
    }

    /// Whether a provider lists hosts beside those of the config.
    pub fn has_inventory(&self) -> bool {
        self.by_stage.contains_key(&Stage::Inventory)
    }

    /// Sends `request` to the provider of its stage, and waits for what comes of it.
    ///
    /// # Errors
    /// What the provider answers; `crashed` when it panics.
    pub fn call(&self, request: &Request, emit: Emit, cancel: Cancel) -> Result<Reply, Failure> {
        let stage = request.stage();
        let Some(chosen) = self.by_stage.get(&stage) else {
            return Err(Failure::invalid(format!("no provider is chosen for stage `{stage}`")));
        };
        let cx = Context::new(chosen.config.clone(), emit, cancel);
        catch_unwind(AssertUnwindSafe(|| chosen.provider.call(&cx, request))).unwrap_or_else(|panic| {
            let what = panic.downcast_ref::<String>().map(String::as_str);
            let what = what.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            let name = chosen.provider.name;
            Err(Failure::new(FailureKind::Crashed, format!("{stage} provider `{name}` panicked: {what}"))
                .outcome(Outcome::Unknown))
        })
    }
}

impl Chosen {
    /// What the provider finds wrong with its configuration.
    fn problem(&self, stage: Stage) -> Option<Problem> {
        let cx = Context::new(self.config.clone(), Arc::new(|_| {}), Cancel::new());
        let failure = self.provider.check(&cx).err()?;
        let message = format!("{stage} provider `{}`: {failure}", self.provider.name);
        let problem = Problem::at_key(format!("stages.{stage}.config"), message);
        Some(Problem { hint: failure.hint, ..problem })
    }
}

/// A stage's own table; where it has none, that of the deploy stage when the same provider does both,
/// so that connection settings are written once.
fn config_of(stage: Stage, choice: &StageChoice, config: &Config) -> serde_json::Value {
    let deploy = &config.stages[&Stage::Deploy];
    if stage == Stage::Push && choice.config.is_null() && choice.provider == deploy.provider {
        return deploy.config.clone();
    }
    choice.config.clone()
}

fn find(stage: Stage, name: &str) -> Result<&'static Provider, Problem> {
    let all = Provider::built_in();
    let of_stage = all.iter().filter(|p| p.stage() == stage);
    if let Some(found) = of_stage.clone().find(|p| p.name == name) {
        return Ok(found);
    }
    let known: Vec<_> = of_stage.map(|p| format!("`{}`", p.name)).collect();
    let hint = match known.as_slice() {
        [] => "no provider of this stage ships with this version of Cloudpad".to_owned(),
        known => format!("there is {}", known.join(", ")),
    };
    Err(Problem::at_key(format!("stages.{stage}"), format!("stage `{stage}` has no provider `{name}`"))
        .hint(hint))
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::Provider;

    /// A crate that is not linked is not missed by the compiler.
    #[test]
    fn these_providers_are_built_in() {
        let names: Vec<_> =
            Provider::built_in().iter().map(|p| format!("{} {}", p.stage(), p.name)).collect();
        assert_eq!(names, ["source git", "build docker", "push registry", "push ssh", "deploy ssh"]);
    }
}
