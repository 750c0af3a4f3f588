//! A host for a plugin's tests, with feature `testing`. I/O: threads, the program that is tested.
//!
//! Each call goes the way of a real one: a hello from both sides, and JSON in both directions, so that a type
//! that is not the same on the other side is found. Where a provider is given, that is done without a process;
//! [`TestHost::program`] tests a plugin's program.
//!
//! ```
//! use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
//! use cloudpad_plugin_api::testing::TestHost;
//! use cloudpad_plugin_api::{Context, Event, Failure, Handler, Level, Reply, Request, model::Host};
//!
//! struct Numbered;
//!
//! #[derive(Default, serde::Deserialize)]
//! struct Config {
//!     count: usize,
//! }
//!
//! impl Inventory for Numbered {
//!     fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
//!         let Config { count } = cx.config()?;
//!         cx.log(Level::Debug, format!("counting to {count}"));
//!         let host = |n| Host::new(format!("h{n}"), format!("192.0.2.{n}"));
//!         Ok(Hosts { hosts: (1..=count).map(host).collect(), ..Hosts::default() })
//!     }
//! }
//!
//! let host = TestHost::new(Handler::Inventory(&Numbered)).config(serde_json::json!({ "count": 2 }));
//! let played = host.call(Request::InventoryList(List {}));
//! let Ok(Reply::Hosts(hosts)) = played.end else { panic!("{:?}", played.end) };
//! assert_eq!(hosts.hosts[1].address, "192.0.2.2");
//! assert_eq!(played.events, [Event::Log { level: Level::Debug, message: "counting to 2".into() }]);
//! ```

use std::process::Command;

use serde_json::Value;

use crate::stage::secrets::Values;
use crate::{Event, Failure, Handler, Plugin, Provider, Reply, Request, Secret};

mod linked;
mod play;
mod program;

pub use linked::Linked;
pub use play::Stop;

/// The name by which a provider that was given is called.
const NAME: &str = "tested";

/// A host that speaks to one provider.
pub struct TestHost {
    tested: Tested,
    provider: String,
    config: Value,
    secrets: Values,
}

enum Tested {
    Linked(Plugin),
    Program(Box<dyn Fn() -> Command + Sync>),
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// What happened before its end, in order.
    pub events: Vec<Event>,
    /// Its one end.
    pub end: Result<Reply, Failure>,
}

impl TestHost {
    /// A host of the provider with this code.
    pub fn new(handler: Handler) -> Self {
        let provider = Provider { name: NAME, about: "", handler };
        // Plugins are static. A test's few bytes are given back when its process ends.
        let providers = Box::leak(Box::new([provider]));
        let plugin = Plugin { name: NAME, version: "0.0.0", about: "", parallel: true, providers };
        Self::of(Tested::Linked(plugin), NAME)
    }

    /// A host of the provider `provider` in the plugin that `start` starts, anew for each call. The argument that
    /// asks for the protocol is added.
    pub fn program(provider: &str, start: impl Fn() -> Command + Sync + 'static) -> Self {
        Self::of(Tested::Program(Box::new(start)), provider)
    }

    fn of(tested: Tested, provider: &str) -> Self {
        Self { tested, provider: provider.to_owned(), config: Value::Null, secrets: Values::default() }
    }

    /// With this for the table `[stages.STAGE.config]`.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        Self { config, ..self }
    }

    /// With this for the value of a secret.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.0.insert(name.to_owned(), Secret::from(value.to_owned()));
        self
    }

    /// Makes a call, and waits for its end.
    ///
    /// # Panics
    /// The plugin does not keep to the protocol: something that it was given or has answered is not the same
    /// once it has been through JSON, the call has not exactly one end, or the program does not end well.
    pub fn call(&self, request: Request) -> Played {
        self.call_with(request, |_, _| {})
    }

    /// As [`call`](Self::call), with each event as it comes, so that a test can cancel the call at the right
    /// moment.
    ///
    /// # Panics
    /// As for [`call`](Self::call).
    pub fn call_with(&self, request: Request, on_event: impl FnMut(&Event, &Stop)) -> Played {
        let about = (self.provider.clone(), self.config.clone(), self.secrets.clone());
        let play = |host| play::call(host, about, request, on_event);
        match &self.tested {
            Tested::Linked(plugin) => program::linked(plugin, play),
            Tested::Program(start) => program::started(start(), play),
        }
    }
}
