//! The project's lock on its hosts: one deploy at a time, whoever deploys. I/O, through a [`Runner`].
//!
//! It is taken before hosts are looked at, so that what is decided on what was seen stays so, and given back in the end. Where this
//! process just dies, the connections that hold it end with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{self, Holder, Unlock};
use cloudpad_plugin_api::{Cancel, Failure, FailureKind, Reply, Request};
use tokio::time::timeout;

use crate::plan::Plan;
use crate::plan::queue::Mode;
use crate::refusal::Refusal;
use crate::report::Phase;
use crate::run::Runner;
use crate::term::Term;
use crate::words;

/// How long one waits for a lock without being told to: a host needs a moment to notice that its holder is gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the lock may take to be given back; it is free a moment after this process has ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// A lock that a command is to have.
pub struct Lock {
    project: Arc<Project>,
    holder: Arc<Holder>,
    /// Whether to wait for as long as it takes.
    wait: bool,
    skips_broken: bool,
    begun: Instant,
    term: Arc<Term>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: BTreeMap<String, Arc<Host>>,
    /// Who else has it, by host.
    others: BTreeMap<String, Holder>,
    /// Of whom the user was told.
    told: Option<Holder>,
    unsupported: bool,
}

impl Lock {
    /// A lock of `project` for `holder`, which nobody has taken yet.
    pub fn new(project: Arc<Project>, holder: Holder, term: Arc<Term>) -> Self {
        let (holder, begun, state) = (Arc::new(holder), Instant::now(), Mutex::default());
        Self { project, holder, wait: false, skips_broken: false, begun, term, state }
    }

    /// The same, which `wait`s for as long as somebody else has it, and is had although the inventory has what is no host.
    #[must_use]
    pub fn but(self, wait: bool, skips_broken: bool) -> Self {
        Self { wait, skips_broken, ..self }
    }

    /// Whether it is had although the inventory has what is no host.
    pub fn skips_broken(&self) -> bool {
        self.skips_broken
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries to take it on these hosts. Returns why it could not be tried, by host.
    pub async fn take(&self, runner: &Runner, hosts: &[Arc<Host>]) -> BTreeMap<String, Failure> {
        let lock = |host: &Arc<Host>| {
            let (host, project, holder) = (host.clone(), self.project.clone(), self.holder.clone());
            Request::DeployLock(deploy::Lock { host, project, holder })
        };
        let plan = Plan::of_requests(hosts.iter().map(lock).collect());
        let mut outcomes = runner.carry_out(Phase::Look, &plan, Mode::Open).await;
        let mut failures = BTreeMap::new();
        for (id, host) in (0..).zip(hosts) {
            match outcomes.remove(&id) {
                Some(Ok(Reply::Locked(deploy::Locked { held_by: Some(other) }))) => {
                    self.state().others.insert(host.name.clone(), other);
                }
                Some(Err(failure)) if failure.kind == FailureKind::Unsupported => self.warn_unsupported(),
                Some(Err(failure)) => {
                    failures.insert(host.name.clone(), failure);
                }
                Some(Ok(_)) => {
                    self.state().taken.insert(host.name.clone(), host.clone());
                }
                None => {
                    failures.insert(host.name.clone(), Failure::cancelled());
                }
            }
        }
        failures
    }

    fn warn_unsupported(&self) {
        let told = std::mem::replace(&mut self.state().unsupported, true);
        if !told {
            self.term.warn("the deploy provider has no locks: nothing keeps another deploy from doing its work meanwhile");
        }
    }

    /// Takes it again wherever it was lost. Returns why it could not be, where that is so.
    pub async fn keep(&self, runner: &Runner) -> Option<String> {
        let taken: Vec<_> = self.state().taken.values().cloned().collect();
        let failures = self.take(runner, &taken).await;
        let others = std::mem::take(&mut self.state().others);
        let other = others.iter().next().map(|(host, other)| words::held(&self.project, host, other));
        let failed =
            failures.iter().next().map(|(host, failure)| format!("{host}: {}", words::failure(failure)));
        Some(format!("the lock is lost: {}", other.or(failed)?))
    }

    /// Whether somebody else has it somewhere.
    pub fn is_contended(&self) -> bool {
        !self.state().others.is_empty()
    }

    /// Waits a moment before another try, and keeps nothing meanwhile that others wait for.
    ///
    /// # Errors
    /// When it is not to be waited for any longer.
    pub async fn try_again(&self, runner: &Runner) -> Result<(), Refusal> {
        let twice = self.twice();
        self.give_back(runner).await;
        if let Some(refusal) = twice {
            return Err(refusal);
        }
        let others = std::mem::take(&mut self.state().others);
        let Some((host, other)) = others.into_iter().next() else { return Ok(()) };
        if !self.wait && self.begun.elapsed() >= PATIENCE {
            return Err(self.refusal(&host, &other));
        }
        if self.wait {
            self.tell(&host, other);
        }
        // Two that were in each other's way do not come back at the same moment.
        let pause = Duration::from_millis(300 + u64::from(std::process::id() % 200));
        if runner.stop.within(pause).await { Err(Refusal::Stopped) } else { Ok(()) }
    }

    /// Why it is not to be waited for, where this very run has it on a host that goes by two names.
    fn twice(&self) -> Option<Refusal> {
        let state = self.state();
        let (host, _) = state.others.iter().find(|(_, other)| **other == *self.holder)?;
        let (taken, _) = state.taken.iter().next()?;
        let names = match state.taken.len() {
            1 => format!("`{taken}`"),
            _ => "another of the project's hosts".to_owned(),
        };
        let message = format!("`{host}` is the same machine as {names}: this run has its lock already");
        Some(Refusal::new(message).hint("a machine is one host; give it all its roles in one place"))
    }

    fn tell(&self, host: &str, other: Holder) {
        let mut state = self.state();
        if state.told.as_ref() != Some(&other) {
            self.term.status(&format!("waiting: {}", words::held(&self.project, host, &other)));
            state.told = Some(other);
        }
    }

    fn refusal(&self, host: &str, other: &Holder) -> Refusal {
        Refusal::new(words::held(&self.project, host, other)).hint(
            "`--wait` waits for it; the lock ends with the program that has it, and is never left behind",
        )
    }

    /// Gives it back wherever it was taken.
    pub async fn give_back(&self, runner: &Runner) {
        let taken = std::mem::take(&mut self.state().taken);
        let unlock = |host: Arc<Host>| {
            let request = Request::DeployUnlock(Unlock { host, project: self.project.clone() });
            let providers = runner.providers.clone();
            // Of no run: it comes after the report, and where it fails the end of this process does the same.
            tokio::task::spawn_blocking(move || {
                drop(providers.call(&request, "", Arc::new(|_| {}), Cancel::new()))
            })
        };
        let unlocks: Vec<_> = taken.into_values().map(unlock).collect();
        let all = async {
            for unlock in unlocks {
                let _ = unlock.await;
            }
        };
        let _ = timeout(FAREWELL, all).await;
    }
}
