//! Finds the provider that does each stage, and calls it. I/O: runs plugins.
//!
//! A provider is built in, or lives in a plugin of its own: an executable, or a library that a process of
//! ours loads. The way of a plugin, each step a room: [`folders`] reads where plugins may be, [`find`] decides
//! which of them is meant, [`trust`] and [`lock`] say whether it may run, [`start`] starts it, [`session`]
//! speaks to it, [`mask`] keeps secrets out of what it says. [`host`] is the other end for a library.
//!
//! Built-in providers register themselves; a crate that nobody names would silently not be linked.

mod choose;
pub mod external;
mod file;
mod file_name;
pub mod find;
pub mod folders;
mod guard;
mod head;
pub mod host;
pub mod limits;
pub mod lock;
pub mod mask;
mod secrets;
pub mod session;
pub mod setup;
pub mod start;
pub mod sum;
pub mod trust;
pub mod used;

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_docker as _;
use cloudpad_git as _;
use cloudpad_plugin_api::{
    Cancel, Context, Emit, Failure, Handler, Provider, PushScope, Reply, Request, Stage,
};
use cloudpad_registry as _;
use cloudpad_ssh as _;
use serde_json::Value;

use crate::config::{Config, Problem};
use external::External;
use session::Ask;
use setup::Setup;

/// The hidden command that loads a plugin that is a library.
pub const HOST: &str = "__plugin-host";

/// The providers that a config has chosen. Plugins that run are ended with it.
pub struct Providers {
    by_stage: BTreeMap<Stage, Chosen>,
}

/// A provider with its configuration.
struct Chosen {
    name: String,
    config: Value,
    carrier: Carrier,
}

enum Carrier {
    BuiltIn(&'static Provider),
    /// A plugin, and how it pushes, where it does.
    External(Arc<External>, PushScope),
}

impl Providers {
    /// Finds the provider of each stage, and has it look at its configuration. Plugins are started for that, no
    /// others than those that the config chooses.
    ///
    /// # Errors
    /// One problem for each provider that does not exist, may not or cannot run, or cannot work with its
    /// configuration.
    pub fn choose(config: &Config, setup: &Setup) -> Result<Self, Vec<Problem>> {
        choose::choose(config, setup).map(|by_stage| Self { by_stage })
    }

    /// Whether images are pushed to each host or once for all.
    pub fn push_scope(&self) -> PushScope {
        match self.by_stage.get(&Stage::Push).map(|chosen| &chosen.carrier) {
            Some(Carrier::BuiltIn(Provider { handler: Handler::Push(push), .. })) => push.scope(),
            Some(Carrier::External(_, scope)) => *scope,
            _ => PushScope::Host,
        }
    }

    /// Whether a provider lists hosts beside those of the config.
    pub fn has_inventory(&self) -> bool {
        self.by_stage.contains_key(&Stage::Inventory)
    }

    /// The plugins that are used, each once.
    pub fn plugins(&self) -> Vec<&Arc<External>> {
        let mut plugins: Vec<&Arc<External>> = Vec::new();
        for chosen in self.by_stage.values() {
            if let Carrier::External(plugin, _) = &chosen.carrier
                && !plugins.iter().any(|known| Arc::ptr_eq(known, plugin))
            {
                plugins.push(plugin);
            }
        }
        plugins
    }

    /// Sends `request` to the provider of its stage, and waits for what comes of it. `key` is the same for the same
    /// work.
    ///
    /// # Errors
    /// What the provider answers; `crashed` when it panics, or when its plugin dies or misbehaves.
    pub fn call(&self, request: &Request, key: &str, emit: Emit, cancel: Cancel) -> Result<Reply, Failure> {
        let stage = request.stage();
        let Some(chosen) = self.by_stage.get(&stage) else {
            return Err(Failure::invalid(format!("no provider is chosen for stage `{stage}`")));
        };
        chosen.call(request, key, emit, cancel)
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        // All are told before the end of any is awaited.
        self.plugins().iter().for_each(|plugin| plugin.finish());
    }
}

impl Chosen {
    fn call(&self, request: &Request, key: &str, emit: Emit, cancel: Cancel) -> Result<Reply, Failure> {
        match &self.carrier {
            Carrier::BuiltIn(provider) => {
                let cx = Context::new(self.config.clone(), emit, cancel).keyed(key);
                provider.call_contained(&cx, request)
            }
            Carrier::External(plugin, _) => {
                let ask = Ask { provider: &self.name, config: &self.config, key, request };
                plugin.call(ask, &emit, &cancel)
            }
        }
    }
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
