//! `cloudpad __plugin-host`: the process that a plugin which is a library lives in. Cloudpad starts it for itself.

use std::path::PathBuf;

use super::Ended;
use crate::plugin::host;

/// Load a plugin that is a library, and speak for it
#[derive(clap::Args)]
#[command(hide = true)]
pub(super) struct Args {
    /// The library, absolute
    library: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        Ok(host::run(&self.library)?)
    }
}
