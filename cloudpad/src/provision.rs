//! What makes a bare machine a host: what is so there, and the steps from that to where it has to be. Pure, but for [`look`].
//!
//! Each step is a fixed script for the host's shell (`provision/*.sh`), which gets its values as arguments; it is a request like any
//! other, `deploy.command`. `facts` reads what such a script has printed, `daemon` the engine's configuration, `steps` decides what
//! is to be done on one machine, `etcd` what makes it a member of a cluster, `plan` puts that of all together.

mod daemon;
pub mod etcd;
mod facts;
mod look;
mod plan;
mod steps;
#[cfg(test)]
mod tests;

pub use daemon::{Rotation, rotation};
pub use facts::{Facts, Init, Root};
pub use look::{Seen, Wanted, look};
pub use plan::{both, plan};
pub use steps::{is_old, old};
