//! What every command on a project begins with: the project, its config, its providers, a runner.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::Holder;
use cloudpad_plugin_api::{Placement, Request, Stage};

mod asking;
mod inventory;
mod machines;

use super::args::{self, Global};
use super::{Ended, FileText, Refused};
use crate::config::{self, Config, OnFailure, Places};
use crate::hooks::Hooks;
use crate::inventory::Selection;
use crate::journal::Journal;
use crate::lock::Lock;
use crate::look::{self, At, Looked};
use crate::observed::Observed;
use crate::plan::{self, Goal, Note, Origin, Plan, Until};
use crate::plugin::Providers;
use crate::plugin::listener::Listener;
use crate::plugin::setup::Setup;
use crate::project::{self, Project};
use crate::refusal::Refusal;
use crate::report::{Event, exit};
use crate::rollout::{Basis, roll_out};
use crate::run::{Record, Runner, Stop};
use crate::term::Term;
use crate::words;

/// The commands that there are where a cluster decides what runs where.
const IN_CLUSTERS: [&str; 17] = [
    "build",
    "deploy",
    "doctor",
    "history",
    "logs",
    "plan",
    "ps",
    "push",
    "registry ls",
    "registry prune",
    "releases",
    "remove",
    "rollback",
    "scale",
    "secrets edit",
    "secrets ls",
    "secrets set",
];

/// A project's config, read and understood.
pub(super) struct Loaded {
    pub project: Project,
    pub config: Config,
    file: FileText,
}

/// Finds and reads the project's config.
pub(super) fn load(global: &Global) -> Result<Loaded, Refused> {
    read(Project::find()?, global.environment.as_deref())
}

/// Reads the config of a project that was found, in this environment.
pub(super) fn read(project: Project, environment: Option<&str>) -> Result<Loaded, Refused> {
    let mut file =
        FileText { name: project.display_name(), text: project.text.clone(), places: Places::default() };
    let input =
        config::Input { text: &project.text, dir: &project.dir, environment, var: &project::variable };
    let config = config::load(&input).map_err(|problems| file.refuses(problems.into()))?;
    file.places = config.places.clone();
    Ok(Loaded { project, config, file })
}

/// What finding and starting the project's plugins depends on. What they write for people is shown as they write it.
pub(super) fn setup(project: &Project, term: &Arc<Term>) -> Setup {
    let term = term.clone();
    let listener = Listener::new(move |who, line| term.plugin(&who.name, line));
    Setup { listener, ..Setup::of_process(&project.dir) }
}

impl Loaded {
    /// A refusal whose problems are shown in the config's file.
    pub(super) fn refuses(&self, refusal: Refusal) -> Refused {
        self.file.refuses(refusal)
    }
}

impl FileText {
    /// A refusal whose problems are shown in this file.
    fn refuses(&self, refusal: Refusal) -> Refused {
        Refused { refusal, file: Some(self.clone()) }
    }
}

/// A project that is being worked on.
pub(super) struct Session {
    pub config: Config,
    pub runner: Runner,
    pub term: Arc<Term>,
    time: String,
    command: &'static str,
    directory: PathBuf,
    origin: Origin,
    cache: PathBuf,
    file: FileText,
    /// Of the project, for a command that has it to itself.
    lock: Option<Lock>,
    /// Whether the inventory is not asked.
    cached: bool,
    /// What there is to say of the hosts in a plan, once they are known.
    of_hosts: RefCell<Vec<Note>>,
    runtime: tokio::runtime::Runtime,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            self.wait_for(lock.give_back(&self.runner));
        }
    }
}

impl Session {
    /// Opens the project of the working directory for `command`. Commands that change something keep
    /// a journal.
    pub(super) fn open(
        command: &'static str,
        changes: bool,
        global: &Global,
        term: &Arc<Term>,
    ) -> Result<Self, Refused> {
        let Loaded { project, config, file } = load(global)?;
        let providers = Providers::choose(&config, &setup(&project, term));
        let providers = providers.map_err(|problems| file.refuses(problems.into()))?;
        if providers.placement() == Placement::Cluster && !IN_CLUSTERS.contains(&command) {
            return Err(file.refuses(not_for_clusters(command, &config)));
        }
        let runtime = runtime()?;
        let state_dir = state_dir(&project, changes, term)?;
        let time = project::now();
        let journal = match changes {
            true => {
                Journal::open(&state_dir, &time, command).map_err(|error| unwritable(&state_dir, &error))?
            }
            false => Journal::none(),
        };
        let record = Arc::new(Record::new(term.clone(), journal));
        let origin = project::origin(&project.dir);
        let Origin { by, from } = origin.clone();
        record.event(Event::Run { command, project: config.project.prefix(), time: time.clone(), by, from });
        let stop = runtime.block_on(async { Stop::on_signals(term.clone()) });
        let stop = stop.map_err(|error| Refusal::new(format!("cannot listen for signals: {error}")))?;
        let runner = Runner { providers: Arc::new(providers), record, stop };
        let (directory, cache, lock) = (project.dir, state_dir, None);
        let term = term.clone();
        let (cached, of_hosts) = (global.cached, RefCell::default());
        Ok(Self {
            config,
            runner,
            term,
            time,
            command,
            directory,
            origin,
            cache,
            file,
            lock,
            cached,
            of_hosts,
            runtime,
        })
    }

    /// The same, with the project's lock on all hosts that are looked at.
    pub(super) fn exclusive(mut self, command: &str, args: &args::Lock) -> Self {
        let (who, since) = (project::operator(), words::time(&self.time));
        let holder = Holder { who, since, command: command.to_owned() };
        let lock = Lock::new(self.config.project.clone(), holder, self.term.clone());
        self.lock = Some(lock.but(args.wait, args.skip_broken_hosts));
        self
    }

    /// A refusal whose problems are shown in the config's file.
    pub(super) fn refuses(&self, refusal: Refusal) -> Refused {
        self.file.refuses(refusal)
    }

    /// Looks at what is meant.
    pub(super) fn look(&self, selection: &Selection, at: At) -> Result<Looked, Refused> {
        let looked = match self.runner.providers.placement() {
            Placement::Cluster => {
                let look = look::look_at_cluster(&self.runner, &self.config, selection, at, &self.cache);
                self.wait_for_look(look)
            }
            Placement::Hosts => {
                let (inventory, lock) = (self.inventory()?, self.lock.as_ref());
                let look =
                    look::look(&self.runner, &self.config, inventory, selection, at, &self.cache, lock);
                let published = self.published();
                self.wait_for_look(async {
                    let (looked, published) = tokio::join!(look, published);
                    let mut looked = looked?;
                    looked.observed.published = published?;
                    Ok(looked)
                })
            }
        };
        // What was not seen because the user had enough is no host's or source's fault.
        if self.runner.stop.is_requested() {
            return Err(Refusal::Stopped.into());
        }
        looked.map_err(|refusal| self.refuses(refusal))
    }

    /// Keeps the lock that it has until the user wants it to end, and looks after it every so often; returns why not, where
    /// it is lost.
    pub(super) fn keep_lock(&self, check: Duration) -> Option<String> {
        let lock = self.lock.as_ref()?;
        self.wait_for(async {
            while !self.runner.stop.within(check).await {
                let lost = lock.keep(&self.runner).await;
                if lost.is_some() && !self.runner.stop.is_requested() {
                    return lost;
                }
            }
            None
        })
    }

    /// Looks also at the secrets of what has to be made again to go back to the release that `goal` names.
    pub(super) fn look_back(&self, looked: &mut Looked, goal: &Goal) -> Result<(), Refused> {
        let Looked { inventory, observed, .. } = looked;
        let names = plan::look_back_for_secrets(&self.config, inventory, observed, goal)
            .map_err(|problems| self.refuses(problems.into()))?;
        observed.secrets = self.look_at_secrets(names)?;
        Ok(())
    }

    /// Has these secrets looked up, and returns what tells the value of each from others.
    pub(super) fn look_at_secrets(
        &self,
        names: BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, Refused> {
        let marks = self.wait_for_look(look::secrets(&self.runner, names));
        marks.map_err(|refusal| self.refuses(refusal))
    }

    /// Asks whether to go ahead. The question has a thread of its own, which ends with the program, since
    /// nobody answers a question that was interrupted.
    ///
    /// # Errors
    /// When the answer is no, or the user stops it.
    pub(super) fn confirm(&self, question: &'static str) -> Result<(), Refusal> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let term = self.term.clone();
        std::thread::spawn(move || answer.send(term.confirm(question)));
        self.wait_for(async {
            tokio::select! {
                biased;
                () = self.runner.stop.requested() => Err(Refusal::Stopped),
                said = answered => match said {
                    Ok(true) => Ok(()),
                    _ => Err(Refusal::new("nothing was done")),
                },
            }
        })
    }

    /// What is asked for, now that `looked` is known.
    pub(super) fn goal(&self, until: Until, select: Selection, looked: &Looked) -> Goal {
        let push_scope = self.runner.providers.push_scope();
        let release = looked.observed.release(&self.time);
        let origin = self.origin.clone();
        Goal { until, select, release, origin, restore: None, push_scope, cache: self.cache.clone() }
    }

    /// Decides what is to be done, and tells it to those who listen.
    pub(super) fn plan(&self, looked: &Looked, goal: &Goal) -> Result<Plan, Refused> {
        let mut plan = plan::plan(&self.config, &looked.inventory, &looked.observed, goal)
            .map_err(|problems| self.refuses(problems.into()))?;
        match looked.observed.cluster {
            Some(_) => {
                let review = look::review(&self.runner, &self.config, &plan);
                self.wait_for_look(review).map_err(|refusal| self.refuses(refusal))?;
            }
            None => self.look_for_room(&mut plan, looked)?,
        }
        plan.notes.extend(self.departed(looked, goal));
        self.decided(&mut plan, looked, goal);
        Ok(plan)
    }

    /// Adds to a plan what others are to be told once it is done, and tells it to those who listen.
    pub(super) fn decided(&self, plan: &mut Plan, looked: &Looked, goal: &Goal) {
        if goal.until == Until::Deploy {
            plan::publish(plan, &self.config.project, &looked.inventory, &looked.observed);
        }
        let release = plan::release_name(plan, &looked.observed, goal).to_owned();
        self.announce(plan, &release);
    }

    /// Tells a plan to those who listen, with where its hosts are from, if that is not where they should be.
    pub(super) fn tell(&self, plan: &mut Plan, goal: &Goal) {
        self.announce(plan, &goal.release);
    }

    /// The same of a plan that is carried out under this name, be it that of no release.
    pub(super) fn announce(&self, plan: &mut Plan, name: &str) {
        // A plan that was saved has told of it already, perhaps in another way.
        let ours = self.of_hosts.borrow();
        plan.notes.retain(|note| ours.iter().all(|other| other.message != note.message));
        plan.notes.extend(ours.iter().cloned());
        self.runner.record.event(Event::Plan {
            release: name.to_owned(),
            changes: plan.changes.clone(),
            actions: plan.actions.len(),
            notes: plan.notes.clone(),
        });
    }

    /// Makes a plan that changes no container, and carries it out without asking.
    pub(super) fn prepare(&self, until: Until, selection: Selection, at: At) -> Ended {
        let looked = self.look(&selection, at)?;
        let goal = self.goal(until, selection, &looked);
        let plan = self.plan(&looked, &goal)?;
        if let Some(code) = self.ended_by(&plan) {
            return Ok(code);
        }
        self.warn_of(&plan);
        self.carry_out(&plan, &looked, &goal)
    }

    /// Shows the notes of a plan that is not shown itself; to who wants to know only what is wrong, those of what is left undone.
    pub(super) fn warn_of(&self, plan: &Plan) {
        let meant = plan.notes.iter().filter(|note| note.incomplete || !self.term.is_quiet());
        meant.for_each(|note| self.term.warn(&note.message));
    }

    /// Tells which hosts were not seen, and returns the exit code for that.
    pub(super) fn tell_unseen(&self, observed: &Observed) -> u8 {
        let mut code = exit::OK;
        for (host, failure) in observed.unseen() {
            self.term.error(&format!("{host}: {}", words::failure(failure)));
            code = exit::FAILED;
        }
        code
    }

    /// Ends the run where a plan has nothing to do, with what there is to say of that.
    pub(super) fn ended_by(&self, plan: &Plan) -> Option<u8> {
        plan.actions.is_empty().then(|| {
            self.warn_of(plan);
            self.finish()
        })
    }

    /// Carries a plan out between its hooks, undoes it where it fails and the policy says so, and ends the run.
    pub(super) fn carry_out(&self, plan: &Plan, looked: &Looked, goal: &Goal) -> Ended {
        self.carry_out_or(self.config.deploy.on_failure, plan, looked, goal)
    }

    /// The same with another answer to failure.
    pub(super) fn carry_out_or(
        &self,
        on_failure: OnFailure,
        plan: &Plan,
        looked: &Looked,
        goal: &Goal,
    ) -> Ended {
        let Looked { inventory, observed, .. } = looked;
        let hooks = self.hooks(plan, plan::release_name(plan, observed, goal));
        self.wait_for(hooks.before())?;
        self.check_is_true_yet(plan, looked)?;
        let basis = Basis { config: &self.config, inventory, observed, goal, on_failure };
        if self.wait_for(roll_out(&self.runner, plan, basis)) {
            self.term.warn("the inventory tells others yet where instances were before; the next `deploy` tells where they are");
        }
        let interrupted = self.runner.stop.is_requested();
        self.wait_for(hooks.after(&self.runner.record.report(interrupted)));
        Ok(self.end(interrupted))
    }

    /// The name of a new one-off container that is like those of `service`.
    pub(super) fn one_off(&self, service: &str) -> String {
        let (project, time) = (self.config.project.prefix(), self.time.to_lowercase());
        format!("{project}-run-{service}-{time}-{}", std::process::id())
    }

    /// Does work that blocks while the user's wish to stop is heard.
    pub(super) fn listening<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Refusal> {
        std::thread::scope(|scope| {
            let (done, is_done) = tokio::sync::oneshot::channel();
            scope.spawn(move || drop(done.send(work())));
            self.wait_for(is_done).map_err(|_| Refusal::new("the work has ended without a result"))
        })
    }

    /// Runs asynchronous work to its end.
    pub(super) fn wait_for<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// The same with a look: it changes nothing, so one wish to stop is enough to break it off.
    fn wait_for_look<F: Future>(&self, look: F) -> F::Output {
        self.wait_for(self.runner.stop.at_once_during(look))
    }

    /// A hook that changes what an image is made from makes another image of it than the plan is about.
    fn check_is_true_yet(&self, plan: &Plan, looked: &Looked) -> Result<(), Refused> {
        let builds = plan.actions.iter().any(|action| matches!(action.request, Request::BuildRun(_)));
        if !builds || !plan.hooks.iter().any(|hook| hook.point.is_before()) {
            return Ok(());
        }
        let look = look::look_at_images(&self.runner, &self.config, &looked.scope, &self.cache);
        let now = self.wait_for(look).map_err(|refusal| self.refuses(refusal))?.images;
        let then = |name: &String| looked.observed.images.get(name).map(|image| &image.reference);
        match now.iter().find(|(name, image)| then(name) != Some(&image.reference)) {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::new(format!(
                "image `{name}` is made from something else now than when it was looked at, before the hooks ran"
            ))
            .hint("let `prepare` of its source do what makes its files: that runs before they are looked at")
            .into()),
        }
    }

    fn hooks<'a>(&'a self, plan: &'a Plan, release: &'a str) -> Hooks<'a> {
        let Self { runner, config, directory, command, .. } = self;
        Hooks { runner, config, directory, command, release, plan }
    }

    /// Ends the run, and returns the exit code.
    pub(super) fn finish(&self) -> u8 {
        self.end(self.runner.stop.is_requested())
    }

    fn end(&self, interrupted: bool) -> u8 {
        let report = self.runner.record.finish(interrupted);
        let is_release = matches!(self.command, "build" | "push" | "deploy" | "rollback");
        let text = words::report(&report, is_release);
        if report.exit_code() == exit::OK {
            self.term.status(&text);
        } else {
            self.term.error(&text);
        }
        report.exit_code()
    }
}

/// The deploy provider leaves it to a cluster what runs where, and this command is about hosts.
fn not_for_clusters(command: &str, config: &Config) -> Refusal {
    let provider = config.stages[&Stage::Deploy].provider.as_deref().unwrap_or_default();
    let message = format!(
        "`cloudpad {command}` is not supported with deploy provider `{provider}`: a cluster decides what runs where"
    );
    Refusal::new(message).hint(format!("with a cluster there are `{}`", IN_CLUSTERS.join("`, `")))
}

/// Where the project keeps what Cloudpad keeps between runs. Who only looks can do without.
fn state_dir(project: &Project, changes: bool, term: &Term) -> Result<PathBuf, Refusal> {
    match project.state_dir() {
        Err(Refusal::Message { message, .. }) if !changes => {
            term.detail(&format!("{message}; nothing is kept of this run"));
            Ok(project.state_path())
        }
        made => made,
    }
}

fn unwritable(state_dir: &Path, error: &std::io::Error) -> Refusal {
    let folder = state_dir.join("journal");
    Refusal::new(format!("cannot write a journal of this run in `{}`: {error}", folder.display()))
        .hint("what changes hosts is noted there for `cloudpad history`")
}

/// One thread hands work out; each request has a thread of its own while it is under way.
fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2 * crate::run::MOST_AT_ONCE)
        .build()
        .map_err(|error| Refusal::new(format!("cannot start: {error}")))
}
