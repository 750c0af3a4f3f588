//! Runs one call on this plugin's runtime. I/O: threads.

use std::sync::{Arc, OnceLock};

use cloudpad_plugin_api::{Context, Failure, Outcome};
use tokio::runtime::{Builder, Runtime};

use crate::client::Client;
use crate::clock::Wall;
use crate::config::Config;

/// Connections through a tunnel are shared between calls, so they live on a runtime that outlives each of them.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("cloudpad-fleet").enable_all();
        builder.build().map_err(|error| error.to_string())
    };
    let refused =
        |error: &String| Failure::failed("could not start the threads that speak to fleet").cause(error);
    RUNTIME.get_or_init(build).as_ref().map_err(refused)
}

/// Does `work` with the fleet of the config, until the caller asks to stop; `outcome` is what is left behind then.
pub(crate) fn with_fleet<T>(
    cx: &Context,
    outcome: Outcome,
    work: impl AsyncFnOnce(&Client, &Config) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = Config::of(cx)?;
    let client = Client::new(config.clone(), Arc::new(Wall::default()), cx.cancel().clone())?;
    runtime()?.block_on(async {
        tokio::select! {
            done = work(&client, &config) => done,
            () = cloudpad_transport::cancelled(cx.cancel()) => Err(Failure::cancelled().outcome(outcome)),
        }
    })
}
