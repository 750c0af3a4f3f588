//! Deploy provider `fleet`: units of fleet 1.0 made from services. The modules whose first line says so are pure.
//!
//! A unit is what systemd would read from a file, option by option ([`unit`]). Nothing is sent that fleet would take and
//! make something else of ([`check`]).

mod carrier;
pub mod check;
pub mod client;
pub mod clock;
pub mod config;
pub mod drive;
pub mod judge;
pub mod names;
pub mod place;
pub mod probe;
pub mod quote;
pub mod rollout;
pub mod service;
pub mod unit;
pub mod wire;

#[cfg(test)]
#[path = "../tests/it/systemd.rs"]
mod systemd;
