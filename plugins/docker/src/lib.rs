//! Build provider `docker`: images by this machine's engine, with BuildKit where the engine has it.
//!
//! In the order in which an image passes them:
//! - `provider`: what is asked, and in which runtime it is answered;
//! - `ignore` and `context`: which files go into a build, and one sum for them all;
//! - `identity`: the tag, made from all that goes into an image;
//! - `observe`: which tags the images have, and which of them are built;
//! - `run`: builds one image: `buildkit` over the engine's gRPC socket, or `classic` on an engine
//!   without it.
//!
//! Reads the file system and speaks to the engine; the rooms that do neither say so.

mod buildkit;
mod classic;
mod context;
mod dockerfile;
mod identity;
mod ignore;
mod log;
mod observe;
mod provider;
mod run;
mod secret;
mod wire;

use std::path::Path;

use cloudpad_plugin_api::{Failure, Handler, Provider, register};

pub use provider::Docker;

register! {
    Provider {
        name: "docker",
        about: "builds images with this machine's Docker engine",
        handler: Handler::Build(&provider::LOCAL),
    },
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// That something of a build context cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("`{}` cannot be read: {error}", path.display()))
        .hint("make it readable, or list it in `.dockerignore` if the build does not need it")
}
