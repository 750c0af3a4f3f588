//! What a provider may say and ask while it works on one call. Pure but for the caller's callbacks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::lenient::{known_or_empty, or_empty};
use crate::stage::deploy::Happened;
use crate::stage::secrets::Values;
use crate::{Failure, Secret};

/// Something that happens while a call is under way. It never ends the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A line for the user.
    Log {
        /// How much it matters.
        #[serde(default, deserialize_with = "known_or_empty")]
        level: Level,
        /// One line.
        message: String,
    },
    /// How far the work is.
    Progress(Progress),
    /// A line that a tool, a build step or a container has printed.
    Output {
        /// Whose line it is, such as a build step; empty when there is only one source.
        #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
        source: String,
        /// The line, without its end.
        line: String,
        /// When it was printed, in nanoseconds since 1970, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<i64>,
        /// Whether it was printed to standard error, where that is known.
        #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
        stderr: bool,
    },
    /// Something that has happened to a container.
    Happened(Happened),
    /// A kind from a newer protocol.
    #[serde(other)]
    Other,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For `-v`.
    Debug,
    /// For everyone; also what has no level, or one from a newer protocol.
    #[default]
    Info,
    /// Something the user should change; the work goes on.
    Warn,
}

/// How far a piece of work is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, such as `sending layers`.
    pub label: String,
    /// How much is done, in `unit`.
    #[serde(default, deserialize_with = "or_empty")]
    pub done: u64,
    /// How much there is to do, in `unit`, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// `bytes` or `steps`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// Where a call's events go.
pub type Emit = Arc<dyn Fn(Event) + Send + Sync>;

/// A request to stop, which a caller makes once and a provider looks at or waits for.
#[derive(Clone, Default)]
pub struct Cancel {
    state: Arc<Mutex<CancelState>>,
}

#[derive(Default)]
struct CancelState {
    cancelled: bool,
    waiting: Vec<Box<dyn FnOnce() + Send>>,
}

impl Cancel {
    /// A request that has not been made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the request. Further calls do nothing.
    pub fn cancel(&self) {
        let waiting = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.cancelled = true;
            std::mem::take(&mut state.waiting)
        };
        for wake in waiting {
            wake();
        }
    }

    /// Whether the request has been made.
    pub fn is_cancelled(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).cancelled
    }

    /// Calls `wake` when the request is made, at once if it has been. `wake` must not block.
    pub fn on_cancel(&self, wake: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.cancelled {
            drop(state);
            wake();
        } else {
            state.waiting.push(Box::new(wake));
        }
    }
}

/// The configuration of a provider that has none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoConfig {}

/// One call, as its provider sees it. Cheap to clone and to hand to the provider's own threads.
#[derive(Clone)]
pub struct Context {
    config: Arc<serde_json::Value>,
    secrets: Arc<Values>,
    key: Arc<str>,
    directory: Arc<Path>,
    emit: Emit,
    cancel: Cancel,
}

impl Context {
    /// A call with the provider's configuration (`null` where there is none), a place for its events
    /// and a way to stop it.
    pub fn new(config: serde_json::Value, emit: Emit, cancel: Cancel) -> Self {
        let (secrets, directory) = (Arc::default(), Arc::from(Path::new("")));
        Self { config: Arc::new(config), secrets, key: Arc::from(""), directory, emit, cancel }
    }

    /// The same call with a key for its work.
    #[must_use]
    pub fn keyed(self, key: &str) -> Self {
        Self { key: Arc::from(key), ..self }
    }

    /// The same call with the values of the secrets that its request names.
    #[must_use]
    pub fn with_secrets(self, secrets: Values) -> Self {
        Self { secrets: Arc::new(secrets), ..self }
    }

    /// The value of a secret that the request names.
    ///
    /// # Errors
    /// `invalid` when the caller has not sent it.
    pub fn secret(&self, name: &str) -> Result<&Secret, Failure> {
        let missing = || Failure::invalid(format!("the value of secret `{name}` was not sent"));
        self.secrets.0.get(name).ok_or_else(missing)
    }

    /// The same for the same work, for a service that takes such a key to do nothing twice; empty for
    /// what changes nothing.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same call for the project in `directory`, which need not be the working directory.
    #[must_use]
    pub fn within(self, directory: Arc<Path>) -> Self {
        Self { directory, ..self }
    }

    /// Where a path that the configuration names leads: a relative one is relative to the project's folder, in which
    /// plugins are started, but not Cloudpad.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// The provider's configuration: the table `[stages.STAGE.config]` of `Cloudpad.toml`.
    ///
    /// # Errors
    /// `invalid`, when the table does not have the shape of `T`.
    pub fn config<T: DeserializeOwned + Default>(&self) -> Result<T, Failure> {
        if self.config.is_null() {
            return Ok(T::default());
        }
        T::deserialize(&*self.config).map_err(|error| {
            Failure::invalid(format!("this provider's `config` table is not understood: {error}"))
        })
    }

    /// Sends an event.
    pub fn emit(&self, event: Event) {
        (self.emit)(event);
    }

    /// Sends a line for the user.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.emit(Event::Log { level, message: message.into() });
    }

    /// Sends a line that something else has printed.
    pub fn output(&self, source: impl Into<String>, line: impl Into<String>) {
        self.emit(Event::Output { source: source.into(), line: line.into(), time: None, stderr: false });
    }

    /// Says how many bytes of `total` are done.
    pub fn bytes(&self, label: &str, done: u64, total: Option<u64>) {
        self.emit(Event::Progress(Progress {
            label: label.to_owned(),
            done,
            total,
            unit: "bytes".to_owned(),
        }));
    }

    /// The caller's request to stop.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Fails with `cancelled` when the caller has asked to stop; for use between steps.
    ///
    /// # Errors
    /// `cancelled`, when the caller has asked to stop.
    pub fn check_cancelled(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        Ok(())
    }
}
