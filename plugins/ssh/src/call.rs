//! Runs one call on this plugin's runtime, and on the connection to its host. I/O.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Context, Failure, FailureKind, Outcome};
use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::deploy::lock;
use crate::pool::{self, Connection, Lease};

/// Connections are shared between calls, so they live on a runtime that outlives each of them.
pub(crate) fn runtime() -> Result<&'static Runtime, Failure> {
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

/// What a call is to its host.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    /// It looks. Whoever waits for it has nothing to do meanwhile.
    Look,
    /// It waits for what is there.
    Wait,
    /// It tells as it goes. Who has asked knows where it broke off, and asks for the rest.
    Follow,
    /// It changes something, and may be broken off in the middle.
    Change,
    /// It changes something, and when the caller asks to stop, it clears up what it has begun.
    Run,
}

impl Call {
    /// How long the engine may give no sign of life. One that is busy gives some, if late.
    fn patience(self) -> Duration {
        Duration::from_secs(if matches!(self, Call::Look) { 15 } else { 45 })
    }

    fn changes(self) -> bool {
        matches!(self, Call::Change | Call::Run)
    }

    /// What is left behind when it is broken off.
    fn broken_off(self) -> Outcome {
        if self.changes() { Outcome::Unknown } else { Outcome::None }
    }

    /// The failure of such a call. Whoever only looks leaves nothing behind.
    fn failed(self, failure: Failure) -> Failure {
        if self.changes() { failure } else { failure.outcome(Outcome::None) }
    }
}

/// Does `work` for `host`, on the caller's thread. What fails because a connection from an earlier call
/// is dead is tried once more on a new one: every method is idempotent. An engine that is hung is not
/// asked again.
pub(crate) fn on_host<T>(
    cx: &Context,
    host: &Host,
    call: Call,
    work: impl AsyncFn(Arc<Connection>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = Config::of(cx)?;
    let work = async |connection: Arc<Connection>| {
        let work = async {
            if call.changes() {
                lock::keep(&connection).await?;
            }
            work(connection.clone()).await
        };
        tokio::select! {
            done = work => done,
            () = connection.engine.silent_for(call.patience()) => Err(hung(host, call)),
        }
    };
    let whole = async {
        let Lease { connection, reused } = pool::lease(host, &config, cx.cancel()).await?;
        match work(connection.clone()).await {
            Err(failure) if failure.kind == FailureKind::Unreachable && failure.retryable => {
                pool::forget(host, &config, &connection).await;
                if !reused || matches!(call, Call::Follow) {
                    return Err(failure);
                }
                let again = pool::lease(host, &config, cx.cancel()).await;
                work(again.map_err(|refused| refused.outcome(failure.outcome))?.connection).await
            }
            done => done,
        }
    };
    let result = runtime()?.block_on(async {
        tokio::select! {
            result = whole => result,
            () = cloudpad_transport::cancelled(cx.cancel()), if !matches!(call, Call::Run) => Err(Failure::cancelled().outcome(call.broken_off())),
        }
    });
    result.map_err(|failure| call.failed(failure).on(&host.name))
}

/// Does `work` for `host` once, without a look at its engine: for what must not be done twice and is none of the
/// engine's business.
pub(crate) fn on_connection<T>(
    cx: &Context,
    host: &Host,
    work: impl AsyncFn(Arc<Connection>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = Config::of(cx)?;
    let whole = async {
        let lease = pool::lease(host, &config, cx.cancel()).await;
        work(lease.map_err(|failure| failure.outcome(Outcome::None))?.connection).await
    };
    let result = runtime()?.block_on(async {
        tokio::select! {
            result = whole => result,
            () = cloudpad_transport::cancelled(cx.cancel()) => Err(Failure::cancelled().outcome(Outcome::Unknown)),
        }
    });
    result.map_err(|failure| failure.on(&host.name))
}

fn hung(host: &Host, call: Call) -> Failure {
    let (name, seconds) = (&host.name, call.patience().as_secs());
    let message =
        format!("the engine of `{name}` does not answer: it has given no sign of life for {seconds} s");
    Failure::new(FailureKind::Unreachable, message)
        .outcome(call.broken_off())
        .hint("look at it there (`systemctl status docker`, `journalctl -u docker`), or restart it")
}
