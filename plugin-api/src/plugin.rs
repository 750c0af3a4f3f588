//! A plugin: what it is called, and which providers it has. Pure.

use crate::wire::{PROTOCOL, PluginHello};
use crate::{Provider, Request};

/// A plugin that is linked into the program. [`register!`](crate::register) makes it known.
pub struct Plugin {
    /// The name of its crate.
    pub name: &'static str,
    /// The version of its crate.
    pub version: &'static str,
    /// The description of its crate; may be empty.
    pub about: &'static str,
    /// Whether it takes a call while another is under way.
    pub parallel: bool,
    /// What it offers.
    pub providers: &'static [Provider],
}

inventory::collect!(Plugin);

/// Makes a plugin known, once for each crate, with all its providers. Its name, version and description are
/// the crate's own.
///
/// ```
/// use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
/// use cloudpad_plugin_api::{Context, Failure, Handler, Provider, model::Host, register};
///
/// struct Fixed;
///
/// impl Inventory for Fixed {
///     fn list(&self, _: &Context, _: &List) -> Result<Hosts, Failure> {
///         Ok(Hosts { hosts: vec![Host::new("h1", "192.0.2.1")], ..Hosts::default() })
///     }
/// }
///
/// register! {
///     Provider { name: "fixed", about: "one host, always", handler: Handler::Inventory(&Fixed) },
/// }
/// # fn main() { assert!(Provider::built_in().iter().any(|provider| provider.name == "fixed")) }
/// ```
///
/// Several calls may be under way at the same time. Where a provider cannot have that, say so, and they
/// come one after the other:
///
/// ```
/// # use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register, stage::inventory};
/// # struct Slow;
/// # impl inventory::Inventory for Slow {
/// #     fn list(&self, _: &Context, _: &inventory::List) -> Result<inventory::Hosts, Failure> {
/// #         Ok(inventory::Hosts::default())
/// #     }
/// # }
/// register! {
///     parallel: false;
///     Provider { name: "slow", about: "one at a time", handler: Handler::Inventory(&Slow) },
/// }
/// # fn main() { assert!(cloudpad_plugin_api::Plugin::built_in().iter().any(|plugin| !plugin.parallel)) }
/// ```
#[macro_export]
macro_rules! register {
    (parallel: $parallel:literal; $($provider:expr),+ $(,)?) => {
        $crate::inventory::submit! {
            $crate::Plugin {
                name: ::core::env!("CARGO_PKG_NAME"),
                version: ::core::env!("CARGO_PKG_VERSION"),
                about: ::core::env!("CARGO_PKG_DESCRIPTION"),
                parallel: $parallel,
                providers: &[$($provider),+],
            }
        }
    };
    ($($provider:expr),+ $(,)?) => {
        $crate::register! { parallel: true; $($provider),+ }
    };
}

impl Plugin {
    /// Every plugin that is linked in, by name.
    pub fn built_in() -> Vec<&'static Plugin> {
        let mut all: Vec<_> = inventory::iter::<Plugin>.into_iter().collect();
        // The registry's own order depends on the linker.
        all.sort_by_key(|plugin| plugin.name);
        all
    }

    /// The one plugin that is linked in.
    ///
    /// # Errors
    /// There is none, or there are several: whom a host speaks to must be certain.
    pub fn only() -> Result<&'static Plugin, String> {
        match Plugin::built_in().as_slice() {
            [only] => Ok(only),
            [] => {
                Err("no plugin is linked in here: a crate that calls `register!` is only linked where it is \
                       named, as in `main!(my_crate)`"
                    .to_owned())
            }
            all => {
                let names: Vec<_> = all.iter().map(|plugin| format!("`{}`", plugin.name)).collect();
                Err(format!("several plugins are linked in here, and there can be one: {}", names.join(", ")))
            }
        }
    }

    /// Its hello.
    pub fn hello(&self) -> PluginHello {
        PluginHello {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            protocols: vec![PROTOCOL],
            provides: self.providers.iter().map(Provider::offer).collect(),
            parallel: self.parallel,
        }
    }

    /// The provider of this name that serves the stage of `request`.
    pub(crate) fn provider(&self, name: &str, request: &Request) -> Option<&'static Provider> {
        self.providers.iter().find(|provider| provider.name == name && provider.stage() == request.stage())
    }
}

#[cfg(test)]
mod tests {
    use super::Plugin;

    #[test]
    fn a_program_without_a_plugin_says_why() {
        let refused = Plugin::only().err().unwrap();
        assert!(refused.starts_with("no plugin is linked in here"), "{refused}");
    }
}
