//! Deploy provider `fleet`: services as units of fleet 1.0. The modules whose first line says so are pure.
//!
//! A unit is what systemd would read from a file, option by option ([`mod@unit`]). Nothing is sent that fleet would take and
//! make something else of ([`check`]). fleet keeps units running and does nothing else, so what a service is to be is remembered in a
//! unit that never runs ([`wish`]), and whoever waits for it carries the rollout out ([`rollout`], [`drive`]).

use cloudpad_plugin_api::{Handler, Provider, register};

mod call;
mod carrier;
pub mod change;
pub mod check;
pub mod client;
pub mod clock;
mod cluster;
pub mod config;
pub mod drive;
pub mod journal;
pub mod judge;
mod logs;
pub mod names;
pub mod note;
pub mod observe;
pub mod place;
pub mod probe;
pub mod quote;
pub mod rollout;
pub mod service;
pub mod unit;
pub mod wire;
pub mod wish;

#[cfg(test)]
#[path = "../tests/it/systemd.rs"]
mod systemd;

register! {
    Provider {
        name: "fleet",
        about: "services as units of a fleet of systemds",
        handler: Handler::Cluster(&cluster::Fleet),
    },
}
