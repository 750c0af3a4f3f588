//! Runs one call on this plugin's runtime, and on the connection to its host. I/O.

use std::sync::{Arc, OnceLock};

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Context, Failure, FailureKind, Outcome};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::config::Config;
use crate::pool::{self, Connection, Lease};

/// Connections are shared between calls, so they live on a runtime that outlives each of them.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("cloudpad-ssh").enable_all();
        builder.build().map_err(|error| error.to_string())
    };
    let refused =
        |error: &String| Failure::failed("could not start the threads that speak to hosts").cause(error);
    RUNTIME.get_or_init(build).as_ref().map_err(refused)
}

/// Does `work` for `host`, on the caller's thread. What fails because a connection from an earlier call
/// is dead is tried once more on a new one: every method is idempotent.
///
/// `broken_off` is what is left behind when the caller's request to stop comes in the middle.
pub(crate) fn on_host<T>(
    cx: &Context,
    host: &Host,
    broken_off: Outcome,
    work: impl AsyncFn(Arc<Connection>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config: Config = cx.config()?;
    let whole = async {
        let Lease { connection, reused } = pool::lease(host, &config, cx.cancel()).await?;
        match work(connection.clone()).await {
            Err(failure) if failure.kind == FailureKind::Unreachable => {
                pool::forget(host, &config, &connection).await;
                if !reused {
                    return Err(failure);
                }
                work(pool::lease(host, &config, cx.cancel()).await?.connection).await
            }
            done => done,
        }
    };
    let result = runtime()?.block_on(async {
        tokio::select! {
            result = whole => result,
            () = cancelled(cx.cancel()) => Err(stopped().outcome(broken_off)),
        }
    });
    result.map_err(|failure| failure.on(&host.name))
}

async fn cancelled(cancel: &Cancel) {
    let (wake, woken) = oneshot::channel();
    cancel.on_cancel(move || {
        let _ = wake.send(());
    });
    // The sender lives as long as the caller's `Cancel`; when it goes away, nobody can ask any more.
    if woken.await.is_err() {
        std::future::pending().await
    }
}

fn stopped() -> Failure {
    Failure::new(FailureKind::Cancelled, "stopped because the caller asked for it")
}
