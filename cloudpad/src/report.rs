//! What happens in a run, as values: events, and the report that sums them up. Pure.
//!
//! Events are what `--json` prints and the journal keeps, one per line; text for people is rendered
//! from the same values. The last event of a run is its [`Report`].

mod hooks;

use std::collections::BTreeSet;

use cloudpad_plugin_api::{Failure, Reply, Request};
use serde::{Deserialize, Serialize};

use crate::config::HookPoint;
use crate::plan::{Action, Change, Note};
use crate::words::plural;
pub use hooks::{FailedHook, HookStep};

/// Something that happens in a run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first event.
    Run {
        /// The command, such as `deploy`.
        command: &'static str,
        /// The project, with its environment.
        project: String,
        /// When it began, as releases and the journal call it.
        time: String,
        /// Who has begun it, such as `anna@laptop`.
        by: String,
        /// From where: a directory, or a run of a CI service.
        from: String,
    },
    /// A plan has been made.
    Plan {
        /// The release that new containers belong to.
        release: String,
        /// What will be different.
        changes: Vec<Change>,
        /// How many actions it takes.
        actions: usize,
        /// What the user should know.
        notes: Vec<Note>,
    },
    /// Actions of a phase begin; their numbers count from 0 in each phase.
    Phase {
        /// Which phase.
        phase: Phase,
        /// How many actions it has.
        actions: usize,
        /// What the user should know that was not told with the plan.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Note>,
    },
    /// An action has begun.
    Started {
        /// The phase it belongs to.
        phase: Phase,
        /// What is done.
        #[serde(flatten)]
        action: Subject,
    },
    /// Something happens while an action is under way.
    During {
        /// The phase it belongs to.
        phase: Phase,
        /// What is done.
        #[serde(flatten)]
        action: Subject,
        /// What happens.
        detail: cloudpad_plugin_api::Event,
    },
    /// Actions have been under way for long.
    Waiting {
        /// The phase they belong to.
        phase: Phase,
        /// Each of them.
        actions: Vec<Waiting>,
    },
    /// An action is done.
    Done {
        /// The phase it belongs to.
        phase: Phase,
        /// What was done.
        #[serde(flatten)]
        action: Subject,
        /// How long it took, in milliseconds.
        ms: u64,
        /// What the provider answered; left out where it is a whole observation, or secret.
        #[serde(skip_serializing_if = "is_not_told")]
        reply: Reply,
    },
    /// An action was not done.
    Failed {
        /// The phase it belongs to.
        phase: Phase,
        /// What was tried.
        #[serde(flatten)]
        action: Subject,
        /// How long it took, in milliseconds.
        ms: u64,
        /// Why not.
        error: Failure,
    },
    /// Something happens to a hook.
    Hook {
        /// When it runs.
        hook: HookPoint,
        /// Its command, as it is told.
        command: String,
        /// What happens.
        #[serde(flatten)]
        step: HookStep,
    },
    /// The last event.
    Report(Report),
}

fn is_not_told(reply: &Reply) -> bool {
    matches!(reply, Reply::Observation(_) | Reply::Images(_) | Reply::Hosts(_) | Reply::Secrets(_))
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Finding out what is so.
    Look,
    /// Carrying out the plan.
    Apply,
    /// Bringing back what ran before a failed rollout.
    Undo,
}

/// What an event is about: an action, without its whole request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The action's number in its phase.
    pub id: u32,
    /// The request's method.
    pub method: &'static str,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What it is done to: an image, a container, a source.
    pub object: String,
}

impl Subject {
    /// The subject of an action.
    pub fn of(action: &Action) -> Self {
        Self {
            id: action.id,
            method: action.request.method(),
            host: action.host.as_deref().map(str::to_owned),
            object: object(&action.request),
        }
    }
}

/// The name of the script that a command is: the word behind it, as the shell takes it, whoever runs the shell.
pub fn script(command: &[String]) -> Option<&str> {
    let words = command.iter().position(|word| word == "sh").map(|at| &command[at..])?;
    match words {
        [_, option, _, name, ..] if option == "-c" => Some(name),
        _ => None,
    }
}

/// What a request is done to, in the word a user knows it by.
fn object(request: &Request) -> String {
    match request {
        Request::SourceResolve(q) => q.name.clone(),
        Request::SourceFetch(q) => q.source.name.clone(),
        Request::BuildRun(q) => q.reference.clone(),
        Request::PushRun(q) => q.reference.clone(),
        Request::PushRemove(q) => format!("{} of {}", plural(q.images.len(), "image"), q.repository),
        Request::DeployPull(q) => match (&q.tag, q.image.get()) {
            (Some(tag), _) => tag.clone(),
            (None, Ok(reference)) => reference.to_owned(),
            (None, Err(_)) => String::new(),
        },
        Request::DeployStart(q) | Request::DeployCreate(q) => q.container.clone(),
        Request::DeployReady(q) => q.container.clone(),
        Request::DeployRoute(q) => q.service.clone(),
        Request::DeployStop(q) => q.container.name.clone(),
        Request::DeployRun(q) => q.container.clone(),
        Request::DeployExec(q) => q.container.name.clone(),
        Request::DeployCommand(q) => match script(&q.command) {
            Some(name) => format!("`{name}`"),
            None => format!("`{}`", q.command.join(" ")),
        },
        Request::DeployRecord(q) => match &q.release {
            Some(release) => release.id.clone(),
            None => format!("{} as forgotten", q.forget.join(", ")),
        },
        Request::InventoryPublish(q) => q.services.keys().cloned().collect::<Vec<_>>().join(", "),
        Request::ClusterApply(q) => q.service.name.clone(),
        Request::ClusterReady(q) => q.service.clone(),
        Request::ClusterRemove(q) => {
            q.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
        }
        Request::ClusterRecord(q) => match &q.release {
            Some(release) => release.id.clone(),
            None => format!("{} as forgotten", q.forget.join(", ")),
        },
        Request::DeployClear(q) => {
            q.networks.iter().chain(&q.volumes).cloned().collect::<Vec<_>>().join(", ")
        }
        Request::DeployRemove(q) => {
            let containers = q.containers.iter().map(|c| c.name.as_str());
            containers.chain(q.images.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

/// An action that has been under way for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// What is done.
    #[serde(flatten)]
    pub action: Subject,
    /// For how many milliseconds.
    pub ms: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All that was asked for is so.
    Done,
    /// It was so already.
    NothingToDo,
    /// Nothing failed, but a host that was asked for was left out.
    Incomplete,
    /// Something failed, and hosts may have changed.
    Failed,
    /// Something failed, and what had been changed by then has been taken back: what ran before runs again.
    Undone,
    /// The user stopped it.
    Interrupted,
}

/// The sum of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// The release that new containers belong to.
    pub release: String,
    /// How many notes the plan has.
    pub notes: usize,
    /// How many actions of the plan were done.
    pub done: usize,
    /// How many were not even begun.
    pub not_run: usize,
    /// What failed, in the order in which it did.
    pub failures: Vec<Failed>,
    /// Hosts to which something that was asked for was not done.
    pub incomplete_hosts: BTreeSet<String>,
    /// Hooks that failed after the work was done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_hooks: Vec<FailedHook>,
    /// Bytes of images that were sent.
    pub sent: u64,
    /// Milliseconds from the first event to the last.
    pub ms: u64,
}

/// An action that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    /// When it was.
    pub phase: Phase,
    /// What was tried.
    #[serde(flatten)]
    pub action: Subject,
    /// Why it failed.
    pub error: Failure,
}

/// Adds events up to a [`Report`].
#[derive(Clone, Debug, Default)]
pub struct Tally {
    release: String,
    notes: usize,
    planned: usize,
    done: usize,
    sent: u64,
    failures: Vec<Failed>,
    incomplete_hosts: BTreeSet<String>,
    failed_hooks: Vec<FailedHook>,
    incomplete: bool,
    undo: Option<usize>,
    undo_incomplete: bool,
    undone: usize,
}

impl Tally {
    /// Takes an event into account.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Plan { release, notes, .. } => {
                self.release.clone_from(release);
                self.notes = notes.len();
                self.incomplete |= notes.iter().any(|n| n.incomplete);
            }
            // What takes two plans has two of them.
            Event::Phase { phase: Phase::Apply, actions, .. } => self.planned += *actions,
            Event::Phase { phase: Phase::Undo, actions, notes } => {
                self.undo = Some(*actions);
                self.undo_incomplete = notes.iter().any(|n| n.incomplete);
            }
            Event::Done { phase, reply, .. } => self.add_done(*phase, reply),
            Event::Failed { phase, action, error, .. } => self.add_failed(*phase, action, error),
            Event::Hook { hook, command, step: HookStep::Failed { error, .. } } => {
                let (command, error) = (command.clone(), error.clone());
                self.failed_hooks.push(FailedHook { hook: *hook, command, error });
            }
            Event::Run { .. }
            | Event::Hook { .. }
            | Event::Phase { phase: Phase::Look, .. }
            | Event::Started { .. }
            | Event::During { .. }
            | Event::Waiting { .. }
            | Event::Report(_) => {}
        }
    }

    fn add_done(&mut self, phase: Phase, reply: &Reply) {
        match phase {
            Phase::Look => {}
            Phase::Apply => self.done += 1,
            Phase::Undo => self.undone += 1,
        }
        if let Reply::Pushed(pushed) = reply {
            self.sent += pushed.sent.unwrap_or_default();
        }
    }

    fn add_failed(&mut self, phase: Phase, action: &Subject, error: &Failure) {
        self.incomplete_hosts.extend(action.host.clone());
        self.failures.push(Failed { phase, action: action.clone(), error: error.clone() });
    }

    /// The report of a run that took `ms` milliseconds, and that the user did or did not stop.
    pub fn report(self, interrupted: bool, ms: u64) -> Report {
        Report {
            ending: self.ending(interrupted),
            not_run: self.planned.saturating_sub(self.done + self.failed_in(Phase::Apply)),
            release: self.release,
            notes: self.notes,
            done: self.done,
            failures: self.failures,
            incomplete_hosts: self.incomplete_hosts,
            failed_hooks: self.failed_hooks,
            sent: self.sent,
            ms,
        }
    }

    fn failed_in(&self, phase: Phase) -> usize {
        self.failures.iter().filter(|f| f.phase == phase).count()
    }

    fn ending(&self, interrupted: bool) -> Ending {
        if interrupted {
            return Ending::Interrupted;
        }
        if self.failures.iter().all(|failed| failed.phase == Phase::Look) {
            return match (self.incomplete, self.planned) {
                (true, _) => Ending::Incomplete,
                (false, 0) => Ending::NothingToDo,
                (false, _) => Ending::Done,
            };
        }
        match self.undo {
            Some(actions) if self.undone == actions && !self.undo_incomplete => Ending::Undone,
            _ => Ending::Failed,
        }
    }
}

impl Report {
    /// The hooks that follow a run that ended so.
    pub fn hooks(&self) -> HookPoint {
        match self.ending {
            Ending::Done | Ending::NothingToDo | Ending::Incomplete => HookPoint::AfterDeploy,
            Ending::Failed | Ending::Undone | Ending::Interrupted => HookPoint::AfterFailure,
        }
    }

    /// The exit code that tells a script how the run ended.
    pub fn exit_code(&self) -> u8 {
        match self.ending {
            Ending::Done | Ending::NothingToDo if self.failed_hooks.is_empty() => exit::OK,
            Ending::Done | Ending::NothingToDo => exit::FAILED,
            Ending::Incomplete | Ending::Failed | Ending::Undone => exit::FAILED,
            Ending::Interrupted => exit::INTERRUPTED,
        }
    }
}

/// Exit codes.
pub mod exit {
    /// Done, or nothing to do.
    pub const OK: u8 = 0;
    /// Failed; hosts may have changed.
    pub const FAILED: u8 = 1;
    /// Refused before anything was touched.
    pub const REFUSED: u8 = 2;
    /// `plan --exit-code` has found changes.
    pub const CHANGES: u8 = 3;
    /// A bug in Cloudpad.
    pub const BUG: u8 = 101;
    /// The user stopped it.
    pub const INTERRUPTED: u8 = 130;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(host: &str) -> Subject {
        Subject { id: 0, method: "deploy.start", host: Some(host.to_owned()), object: "c".to_owned() }
    }

    fn phase(phase: Phase, actions: usize, incomplete: bool) -> Event {
        let note = Note { incomplete: true, message: "left out".to_owned() };
        Event::Phase { phase, actions, notes: incomplete.then_some(note).into_iter().collect() }
    }

    fn done(phase: Phase) -> Event {
        Event::Done { phase, action: subject("h1"), ms: 1, reply: Reply::Done }
    }

    fn failed(phase: Phase) -> Event {
        Event::Failed { phase, action: subject("h2"), ms: 1, error: Failure::failed("no") }
    }

    fn plan(incomplete: bool) -> Event {
        let note = Note { incomplete, message: "h3 is away".to_owned() };
        Event::Plan { release: "r1".to_owned(), changes: Vec::new(), actions: 2, notes: vec![note] }
    }

    fn report(events: &[Event], interrupted: bool) -> Report {
        let mut tally = Tally::default();
        events.iter().for_each(|event| tally.add(event));
        tally.report(interrupted, 1)
    }

    #[test]
    fn each_ending_has_its_exit_code() {
        use Phase::{Apply, Look, Undo};
        let cases: [(&[Event], Ending, u8); 8] = [
            (&[plan(false)], Ending::NothingToDo, 0),
            (&[plan(false), phase(Apply, 1, false), done(Apply)], Ending::Done, 0),
            (&[failed(Look), plan(false), phase(Apply, 1, false), done(Apply)], Ending::Done, 0),
            (&[plan(true)], Ending::Incomplete, 1),
            (&[failed(Look), plan(true), phase(Apply, 1, false), done(Apply)], Ending::Incomplete, 1),
            (&[plan(false), phase(Apply, 2, false), done(Apply), failed(Apply)], Ending::Failed, 1),
            (&[phase(Apply, 2, false), failed(Apply), phase(Undo, 1, false), done(Undo)], Ending::Undone, 1),
            (&[phase(Apply, 2, false), failed(Apply), phase(Undo, 1, true), done(Undo)], Ending::Failed, 1),
        ];
        for (events, ending, code) in cases {
            let report = report(events, false);
            assert_eq!((report.ending, report.exit_code()), (ending, code), "{events:?}");
        }
        let interrupted = report(&[phase(Apply, 3, false), done(Apply)], true);
        assert_eq!(
            (interrupted.ending, interrupted.exit_code(), interrupted.not_run),
            (Ending::Interrupted, 130, 2)
        );
    }

    #[test]
    fn a_hook_that_fails_afterwards_is_a_failure_of_its_own() {
        let error = Failure::failed("no");
        let (hook, command) = (HookPoint::AfterDeploy, "notify".to_owned());
        let hook = Event::Hook { hook, command, step: HookStep::Failed { ms: 1, error } };
        let told = report(&[plan(false), phase(Phase::Apply, 1, false), done(Phase::Apply), hook], false);
        assert_eq!((told.ending, told.exit_code(), told.failures.len()), (Ending::Done, 1, 0));
        assert_eq!(told.failed_hooks[0].command, "notify");
    }

    #[test]
    fn hosts_on_which_something_failed_are_named() {
        let report =
            report(&[phase(Phase::Apply, 3, false), done(Phase::Apply), failed(Phase::Apply)], false);
        assert_eq!(report.incomplete_hosts.iter().collect::<Vec<_>>(), ["h2"]);
        assert_eq!((report.done, report.not_run, report.failures.len()), (1, 1, 1));
    }
}
