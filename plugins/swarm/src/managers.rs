//! Runs one call on the engine of a manager, and on the next one where that is lost. I/O.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Context, Failure, FailureKind, Outcome};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use crate::config::Config;

/// How long an engine may give no sign of life.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many connections to a manager a call may lose before it asks the next one.
const CONNECTIONS: u32 = 3;

/// How long managers may take to choose another leader. They wait ten seconds or more before they begin.
const ELECTION: Duration = Duration::from_secs(45);

/// How long to wait until managers without a leader are asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Connections are shared between calls, so they live on a runtime that outlives each of them.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("cloudpad-swarm").enable_all();
        builder.build().map_err(|error| error.to_string())
    };
    let refused =
        |error: &String| Failure::failed("could not start the threads that speak to managers").cause(error);
    RUNTIME.get_or_init(build).as_ref().map_err(refused)
}

/// Engines of managers that have answered, by manager and config. The lock is held for a moment.
static ENGINES: LazyLock<Mutex<HashMap<String, Arc<Engine>>>> = LazyLock::new(Mutex::default);

/// Does `work` on the first manager that answers. Every method is idempotent, so what one was lost in is asked of the next; and of all
/// again where those that are left are about to choose another leader.
pub(crate) fn on_manager<T>(
    cx: &Context,
    changes: bool,
    work: impl AsyncFn(&Engine) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = Config::of(cx)?;
    let whole = async {
        let mut leaderless: Option<Instant> = None;
        loop {
            let mut lost: Vec<(String, Failure)> = Vec::new();
            for manager in &config.managers {
                match on_one(manager, &config, cx.cancel(), &work).await {
                    Err(failure) if is_lost(&failure) => lost.push((manager.clone(), failure)),
                    done => return done,
                }
            }
            let chooses = lost.iter().any(|(_, failure)| is_leaderless(failure));
            if !chooses || leaderless.get_or_insert_with(Instant::now).elapsed() > ELECTION {
                return Err(nobody(&lost, changes));
            }
            sleep(PAUSE).await;
        }
    };
    let result = runtime()?.block_on(async {
        tokio::select! {
            result = whole => result,
            () = cloudpad_transport::cancelled(cx.cancel()) => {
                let outcome = if changes { Outcome::Unknown } else { Outcome::None };
                Err(Failure::cancelled().outcome(outcome))
            }
        }
    });
    // Whoever was connecting says so, if it hears of it first.
    result.map_err(|failure| match failure.kind {
        FailureKind::Cancelled => Failure::cancelled().outcome(failure.outcome),
        _ => failure,
    })
}

/// Does `work` on a manager. Where the connection breaks off, on another one to it: that may have been all that was wrong.
async fn on_one<T>(
    manager: &str,
    config: &Config,
    cancel: &Cancel,
    work: &impl AsyncFn(&Engine) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut before: Option<Failure> = None;
    for _ in 0..CONNECTIONS {
        let engine = match (engine(manager, config, cancel).await, before) {
            (Err(refused), Some(before)) => return Err(refused.outcome(before.outcome)),
            (engine, _) => engine?,
        };
        let done = tokio::select! {
            done = work(&engine) => done,
            () = engine.silent_for(PATIENCE) => Err(hung(manager)),
        };
        match done {
            Err(failure) if is_lost(&failure) => {
                forget(manager, config);
                if !failure.retryable {
                    return Err(failure);
                }
                before = Some(failure);
            }
            done => return done,
        }
    }
    Err(before.unwrap_or_else(|| hung(manager)))
}

async fn engine(manager: &str, config: &Config, cancel: &Cancel) -> Result<Arc<Engine>, Failure> {
    let key = key(manager, config);
    let known = ENGINES.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(engine) = known {
        return Ok(engine);
    }
    let engine = Arc::new(connect(manager, config, cancel).await?);
    let info = engine.docker().await?.info().await;
    let info = info.map_err(|error| failure("could not ask the engine whether it is a manager", &error))?;
    if !info.swarm.and_then(|swarm| swarm.control_available).unwrap_or_default() {
        let message = format!("the engine of `{manager}` is no manager of a swarm");
        return Err(Failure::new(FailureKind::Unreachable, message));
    }
    ENGINES.lock().unwrap_or_else(PoisonError::into_inner).insert(key, engine.clone());
    Ok(engine)
}

async fn connect(manager: &str, config: &Config, cancel: &Cancel) -> Result<Engine, Failure> {
    let host = Host::new(manager, manager);
    if host.is_local() && config.endpoint().is_none() {
        return Engine::local().await;
    }
    let transport = cloudpad_transport::connect(&host, &config.options(), cancel).await?;
    Ok(Engine::over(transport, config.endpoint().unwrap_or_default()))
}

fn forget(manager: &str, config: &Config) {
    ENGINES.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(manager, config));
}

fn key(manager: &str, config: &Config) -> String {
    format!("{manager} {config:?}")
}

/// Whether another manager may well do what this one could not: it is not there, or cut off from the others.
fn is_lost(failure: &Failure) -> bool {
    failure.kind == FailureKind::Unreachable || is_leaderless(failure)
}

fn is_leaderless(failure: &Failure) -> bool {
    let says = |text: &String| text.contains("does not have a leader");
    says(&failure.message) || failure.causes.iter().any(says)
}

fn hung(manager: &str) -> Failure {
    let message = format!("the engine of `{manager}` has given no sign of life for {} s", PATIENCE.as_secs());
    Failure::new(FailureKind::Unreachable, message)
}

/// Every manager was asked. One alone speaks for itself.
fn nobody(lost: &[(String, Failure)], changes: bool) -> Failure {
    let unsure = changes && lost.iter().any(|(_, failure)| failure.outcome != Outcome::None);
    let outcome = if unsure { Outcome::Unknown } else { Outcome::None };
    let names: Vec<_> = lost.iter().map(|(manager, _)| format!("`{manager}`")).collect();
    let were = if names.len() == 1 { "was" } else { "were" };
    let message = format!("no manager of the swarm answers: {} {were} tried", names.join(", "));
    let failure = Failure::new(FailureKind::Unreachable, message).outcome(outcome);
    let hint = lost.iter().find_map(|(_, failure)| failure.hint.clone());
    let hint = hint
        .unwrap_or_else(|| "name a manager that runs in `managers` of `[stages.deploy.config]`".to_owned());
    let because = lost.iter().map(|(manager, failure)| format!("{manager}: {failure}"));
    because.fold(failure, Failure::cause).hint(hint)
}
