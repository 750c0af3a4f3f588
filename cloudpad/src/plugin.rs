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
mod file_name;
pub mod find;
pub mod folders;
mod guard;
mod head;
pub mod host;
pub mod limits;
pub mod listener;
pub mod lock;
pub mod mask;
mod misspelt;
mod plain;
mod plausible;
mod secrets;
pub mod session;
pub mod setup;
pub mod start;
pub mod sum;
pub mod trust;
pub mod used;
pub mod vault;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cloudpad_docker as _;
use cloudpad_etcd as _;
use cloudpad_fleet as _;
use cloudpad_git as _;
use cloudpad_inventory as _;
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::wire::Provides;
use cloudpad_plugin_api::{
    Cancel, Context, Emit, Event, Failure, FailureKind, Handler, Outcome, Placement, Provider, PushScope,
    Reply, Request, Stage,
};
use cloudpad_registry as _;
use cloudpad_secrets as _;
use cloudpad_ssh as _;
use cloudpad_swarm as _;
use serde_json::Value;

use crate::config::{Config, Problem};
use external::External;
use mask::Mask;
use session::Ask;
use setup::Setup;
use vault::Vault;

/// The hidden command that loads a plugin that is a library.
pub const HOST: &str = "__plugin-host";

/// The providers that a config has chosen. Plugins that run are ended with it.
pub struct Providers {
    by_stage: BTreeMap<Stage, Chosen>,
    vault: Vault,
    mask: Arc<Mask>,
}

/// A provider with its configuration.
struct Chosen {
    name: String,
    config: Value,
    carrier: Carrier,
    /// Of stage `deploy`: who decides where something runs.
    placement: Placement,
    /// The project's folder.
    project: Arc<Path>,
}

enum Carrier {
    BuiltIn(&'static Provider),
    /// A plugin, and how it pushes, where it does.
    External(Arc<External>, PushScope),
}

/// What a provider is asked.
struct Asked<'a> {
    request: &'a Request,
    key: &'a str,
    secrets: Values,
}

impl Providers {
    /// Finds the provider of each stage, and has it look at its configuration. Plugins are started for that, no
    /// others than those that the config chooses.
    ///
    /// # Errors
    /// One problem for each provider that does not exist, may not or cannot run, or cannot work with its
    /// configuration.
    pub fn choose(config: &Config, setup: &Setup) -> Result<Self, Vec<Problem>> {
        let mask = Arc::new(secrets::mask(config));
        let by_stage = choose::choose(config, setup, &mask)?;
        Ok(Self { by_stage, vault: Vault::new(&config.project), mask })
    }

    /// Whether images are pushed to each host or once for all.
    pub fn push_scope(&self) -> PushScope {
        match self.by_stage.get(&Stage::Push).map(|chosen| &chosen.carrier) {
            Some(Carrier::BuiltIn(Provider { handler: Handler::Push(push), .. })) => push.scope(),
            Some(Carrier::External(_, scope)) => *scope,
            _ => PushScope::Host,
        }
    }

    /// Who decides where something runs.
    pub fn placement(&self) -> Placement {
        self.by_stage.get(&Stage::Deploy).map_or(Placement::Hosts, |chosen| chosen.placement)
    }

    /// Whether a provider lists hosts beside those of the config.
    pub fn has_inventory(&self) -> bool {
        self.by_stage.contains_key(&Stage::Inventory)
    }

    /// Whether the provider of a stage offers a method, as far as that is known.
    pub fn offers(&self, stage: Stage, method: &str, cancel: &Cancel) -> bool {
        let Some(chosen) = self.by_stage.get(&stage) else { return false };
        match &chosen.carrier {
            Carrier::BuiltIn(provider) => provider.methods().contains(&method),
            Carrier::External(plugin, _) => plugin.hello(cancel).is_ok_and(|hello| {
                let ours = |offer: &&Provides| offer.stage == stage && offer.provider == chosen.name;
                let offer = hello.provides.iter().find(ours);
                offer.is_some_and(|offer| offer.methods.iter().any(|offered| offered == method))
            }),
        }
    }

    /// Whether the provider of a stage works on several calls at a time, as far as that is known.
    pub fn is_parallel(&self, stage: Stage, cancel: &Cancel) -> bool {
        match self.by_stage.get(&stage).map(|chosen| &chosen.carrier) {
            Some(Carrier::BuiltIn(_)) => true,
            Some(Carrier::External(plugin, _)) => plugin.hello(cancel).is_ok_and(|hello| hello.parallel),
            None => false,
        }
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

    /// A reply as it may be shown: without the values of secrets.
    pub fn shown(&self, request: &Request, reply: &Reply) -> Reply {
        if self.mask.is_empty() {
            return reply.clone();
        }
        let shown = serde_json::to_value(reply).map(|ok| self.mask.json(ok));
        shown.and_then(|ok| request.reply(ok)).unwrap_or(Reply::Done)
    }

    /// An event of somebody else's process as it may be shown: without the values of secrets, and each text in one line.
    pub fn hide(&self, event: Event) -> Event {
        plain::event(self.mask.event(event))
    }

    /// A failure likewise.
    pub fn hide_in(&self, failure: Failure) -> Failure {
        plain::failure(self.mask.failure(failure))
    }

    /// What tells the value of each secret that was asked for from others, by name.
    pub fn marks(&self) -> BTreeMap<String, String> {
        self.vault.marks()
    }

    /// Sends `request` to the provider of its stage, with the values of the secrets that it names, and waits for what
    /// comes of it. `key` is the same for the same work. Values are kept for later requests, and in nothing that is
    /// said of this one.
    ///
    /// # Errors
    /// What the provider answers; `crashed` when it panics, or when its plugin dies or misbehaves.
    pub fn call(&self, request: &Request, key: &str, emit: Emit, cancel: Cancel) -> Result<Reply, Failure> {
        let stage = request.stage();
        let Some(chosen) = self.by_stage.get(&stage) else {
            return Err(Failure::invalid(format!("no provider is chosen for stage `{stage}`")));
        };
        let mask = self.mask.clone();
        let masked: Emit = Arc::new(move |event| emit(plain::event(mask.event(event))));
        let call = Asked { request, key, secrets: self.vault.values_for(request) };
        let reply = chosen.call(call, masked, cancel).map_err(|failure| self.hide_in(failure))?;
        plausible::check(request, &reply).map_err(|why| chosen.cannot_be(request, &self.mask.text(&why)))?;
        if let Reply::Secrets(found) = &reply {
            self.mask.add(found.values.0.values().map(|value| value.expose().to_owned()));
            self.vault.keep(&found.values);
        }
        Ok(reply)
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        // All are told before the end of any is awaited.
        self.plugins().iter().for_each(|plugin| plugin.finish());
    }
}

impl Chosen {
    /// It has answered what cannot be.
    fn cannot_be(&self, request: &Request, why: &str) -> Failure {
        let message =
            format!("{} provider `{}` has answered what cannot be: {why}", request.stage(), self.name);
        let outcome = if session::may_change(request) { Outcome::Unknown } else { Outcome::None };
        Failure::new(FailureKind::Crashed, message).outcome(outcome)
    }

    fn call(&self, asked: Asked<'_>, emit: Emit, cancel: Cancel) -> Result<Reply, Failure> {
        let Asked { request, key, secrets } = asked;
        match &self.carrier {
            Carrier::BuiltIn(provider) => {
                let cx = Context::new(self.config.clone(), emit, cancel).keyed(key);
                let cx = cx.with_secrets(secrets).within(self.project.clone());
                provider.call_contained(&cx, request)
            }
            Carrier::External(plugin, _) => {
                let (provider, config) = (&self.name, &self.config);
                let ask = Ask { provider, config, key, secrets: &secrets, request };
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
        assert_eq!(
            names,
            [
                "inventory command",
                "inventory etcd",
                "source git",
                "secrets age",
                "secrets command",
                "secrets env",
                "build docker",
                "push registry",
                "push ssh",
                "deploy fleet",
                "deploy ssh",
                "deploy swarm"
            ]
        );
    }
}
