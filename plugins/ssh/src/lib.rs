//! Push and deploy provider `ssh`: images and containers on hosts, through one connection each.
//!
//! - [`config`]: the table `[stages.push.config]` and `[stages.deploy.config]`. Pure.
//! - `call`: runs one call, from the caller's thread, on this plugin's runtime; and `pool`, which
//!   holds the one connection that all calls for a host share.
//! - `deploy`: the verbs of stage `deploy`, one file each.
//! - `push`: an image from this machine's engine to a host, without what the host has already.

mod call;
pub mod config;
mod deploy;
mod pool;
mod push;

use cloudpad_plugin_api::{Handler, Provider, register};

pub use deploy::Deployer;
pub use pool::{Spent, spent};
pub use push::Pusher;

register! {
    Provider {
        name: "ssh",
        about: "images straight to each host, only the layers it lacks",
        handler: Handler::Push(&Pusher),
    },
    Provider {
        name: "ssh",
        about: "containers on hosts with an SSH server and a Docker engine",
        handler: Handler::Deploy(&Deployer),
    },
}
