use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};
use serde::Deserialize;

register! {
    Provider { name: "@name@", about: "the hosts that its config lists", handler: Handler::Inventory(&Plugin) },
}

/// The table `[stages.inventory.config]`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    hosts: Vec<Host>,
}

/// The provider.
pub struct Plugin;

impl Inventory for Plugin {
    /// Whether the config is one to work with. Touches nothing.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>().map(|_| ())
    }

    /// Every host there is, each name once. A list that may not be whole is a failure.
    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        Ok(Hosts {
            hosts: cx.config::<Config>()?.hosts,
            ..Hosts::default()
        })
    }
}
