//! From the names in a config to providers that can be called. I/O: folders, plugins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::{
    Cancel, CheckConfig, Emit, Failure, FailureKind, Placement, Provider, PushScope, Request, Stage,
};

use super::external::External;
use super::find::{self, Candidate, Carrier as Kind, Finding, Listing, Place};
use super::guard;
use super::lock::Lock;
use super::mask::Mask;
use super::misspelt::{self, Wrong};
use super::session::{Who, confirm};
use super::setup::Setup;
use super::start::Launch;
use super::{Asked, Carrier, Chosen};
use crate::config::{Config, Problem, StageChoice, offer};

/// The provider of each stage that has one.
///
/// # Errors
/// See [`Providers::choose`](super::Providers::choose).
pub(super) fn choose(
    config: &Config,
    setup: &Setup,
    mask: &Arc<Mask>,
) -> Result<BTreeMap<Stage, Chosen>, Vec<Problem>> {
    let project: Arc<Path> = Arc::from(setup.project.as_path());
    let mut chooser = Chooser::new(config, setup, mask);
    let (mut chosen, mut problems) = (BTreeMap::new(), Vec::new());
    for (&stage, choice) in &config.stages {
        let Some(name) = &choice.provider else { continue };
        match chooser.carrier(stage, name) {
            Ok(carrier) => {
                let config = config_of(stage, choice, config);
                let (name, project) = (name.clone(), project.clone());
                let placement = match carrier {
                    Carrier::BuiltIn(provider) => provider.placement(),
                    // It has not said hello yet.
                    Carrier::External(..) => Placement::Hosts,
                };
                let provider = Chosen { name, config, carrier, placement, project };
                chosen.insert(stage, provider);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let (cancel, _done) = cancel_after(setup.limits.check);
    let (quick, slow): (Vec<_>, Vec<_>) =
        chosen.iter_mut().partition(|(_, chosen)| matches!(chosen.carrier, Carrier::BuiltIn(_)));
    problems.extend(quick.into_iter().filter_map(|(stage, chosen)| chosen.check(*stage, &cancel).err()));
    // Each plugin takes its time to start.
    problems.extend(thread::scope(|scope| {
        let begun: Vec<_> =
            slow.into_iter().map(|(stage, chosen)| scope.spawn(|| chosen.check(*stage, &cancel))).collect();
        let panicked = |_| Err(Problem::new("a plugin could not be checked"));
        let checked = begun.into_iter().map(|check| check.join().unwrap_or_else(panicked));
        checked.filter_map(Result::err).collect::<Vec<_>>()
    }));
    if problems.is_empty() { Ok(chosen) } else { Err(problems) }
}

/// A request to stop that is made in a while, unless what comes with it is dropped before.
fn cancel_after(time: Duration) -> (Cancel, Sender<()>) {
    let (cancel, (done, wait)) = (Cancel::new(), channel());
    let late = cancel.clone();
    thread::spawn(move || {
        if wait.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            late.cancel();
        }
    });
    (cancel, done)
}

/// A stage's own table; where it has none, that of the deploy stage when the same provider does both,
/// so that connection settings are written once.
fn config_of(stage: Stage, choice: &StageChoice, config: &Config) -> serde_json::Value {
    let deploy = &config.stages[&Stage::Deploy];
    if stage == Stage::Push && choice.config.is_null() && choice.provider == deploy.provider {
        return deploy.config.clone();
    }
    choice.config.clone()
}

impl Chosen {
    /// Has the provider look at its configuration. A plugin has to confirm that it has the provider at all.
    fn check(&mut self, stage: Stage, cancel: &Cancel) -> Result<(), Problem> {
        if let Carrier::External(plugin, scope) = &mut self.carrier {
            let who = &plugin.launch().who;
            let hello = plugin.hello(cancel).map_err(|failure| problem(stage, "", failure))?;
            let provides = confirm(&hello, stage, &self.name)
                .map_err(|why| problem(stage, "", Failure::invalid(format!("{who} {why}"))))?;
            *scope = provides.scope.unwrap_or(PushScope::Host);
            self.placement = Placement::of(&provides.methods);
            if !provides.methods.iter().any(|method| method == "config.check") {
                return Ok(());
            }
        }
        let emit: Emit = Arc::new(|_| {});
        let request = Request::ConfigCheck(CheckConfig { stage });
        let asked = Asked { request: &request, key: "", secrets: Values::default() };
        match self.call(asked, emit, cancel.clone()) {
            Ok(_) => Ok(()),
            Err(failure) if failure.kind == FailureKind::Crashed => Err(problem(stage, "", failure)),
            Err(failure) => {
                let message = format!("{stage} provider `{}`: {}", self.name, failure.message);
                let Wrong { below, hint } = misspelt::wrong(&self.config, &failure.message);
                let hint = failure.hint.or(hint);
                Err(problem(stage, &below, Failure { message, hint, ..failure }))
            }
        }
    }
}

/// A failure at a stage's place in the file. Of what a plugin wrote to standard error only the last line has room.
fn problem(stage: Stage, below: &str, failure: Failure) -> Problem {
    let (written, causes): (Vec<_>, Vec<_>) =
        failure.causes.into_iter().partition(|cause| cause.starts_with("stderr: "));
    let message = std::iter::once(failure.message).chain(causes).chain(written.into_iter().last());
    let message = message.collect::<Vec<_>>().join(": ");
    Problem { hint: failure.hint, ..Problem::at_key(format!("stages.{stage}{below}"), message) }
}

struct Chooser<'a> {
    config: &'a Config,
    setup: &'a Setup,
    /// What needs no look into any folder, and so costs nothing while all providers are built in.
    near: Listing,
    listing: OnceLock<Listing>,
    lock: OnceLock<Result<Option<Lock>, Failure>>,
    mask: Arc<Mask>,
    /// By file: one plugin may serve several stages.
    plugins: BTreeMap<std::path::PathBuf, Arc<External>>,
}

impl<'a> Chooser<'a> {
    fn new(config: &'a Config, setup: &'a Setup, mask: &Arc<Mask>) -> Self {
        Self {
            config,
            setup,
            near: setup.near(&config.plugins),
            listing: OnceLock::new(),
            lock: OnceLock::new(),
            mask: mask.clone(),
            plugins: BTreeMap::new(),
        }
    }

    fn listing(&self) -> &Listing {
        self.listing.get_or_init(|| self.setup.listing(&self.config.plugins))
    }

    fn carrier(&mut self, stage: Stage, name: &str) -> Result<Carrier, Problem> {
        let near = find::find(&self.near, stage, name).used.is_some();
        let listing = if near { &self.near } else { self.listing() };
        let found = chosen(listing, stage, name)?.clone();
        if let Kind::BuiltIn(_) = found.carrier {
            let built_in = Provider::built_in();
            let provider = built_in.into_iter().find(|p| p.stage() == stage && p.name == name);
            return provider.map(Carrier::BuiltIn).ok_or_else(|| Problem::new("a built-in provider is lost"));
        }
        Ok(Carrier::External(self.plugin(stage, &found)?, PushScope::Host))
    }

    fn plugin(&mut self, stage: Stage, found: &Candidate) -> Result<Arc<External>, Problem> {
        if let Some(plugin) = self.plugins.get(&found.path) {
            return Ok(plugin.clone());
        }
        let mut launch = self.setup.launch(found);
        self.add_lock(&found.name, &mut launch).map_err(|failure| problem(stage, "", failure))?;
        let plugin = Arc::new(External::new(launch, self.setup.limits, self.mask.clone()));
        self.plugins.insert(found.path.clone(), plugin.clone());
        Ok(plugin)
    }

    /// Adds the sum that the lock asks for, where the project has a lock.
    fn add_lock(&self, name: &str, launch: &mut Launch) -> Result<(), Failure> {
        match self.lock.get_or_init(|| self.setup.lock()) {
            Ok(Some(lock)) => guard::demand(lock, name, launch),
            Ok(None) => Ok(()),
            Err(failure) => Err(failure.clone()),
        }
    }
}

/// What serves `stage` under the name `provider`.
///
/// # Errors
/// The problem at the stage, where there is nothing, or nothing that can be used.
pub(super) fn chosen<'a>(
    listing: &'a Listing,
    stage: Stage,
    provider: &str,
) -> Result<&'a Candidate, Problem> {
    let finding = find::find(listing, stage, provider);
    let is_sure = finding.used.is_some_and(|used| matches!(used.place, Place::Config | Place::BuiltIn));
    if let Some(unread) = listing.unread.as_ref().filter(|_| !is_sure) {
        let message =
            format!("provider `{provider}` may be in `{}`, and {}", unread.path.display(), unread.why);
        return Err(Problem::at_key(format!("stages.{stage}"), message));
    }
    let found = finding.used.ok_or_else(|| unknown(stage, provider, listing, &finding))?;
    match &found.fault {
        Some(fault) => Err(Problem::at_key(format!("stages.{stage}"), guard::unusable(found, fault))),
        None => Ok(found),
    }
}

impl Setup {
    /// How a plugin that was found is started.
    pub fn launch(&self, found: &Candidate) -> Launch {
        let who = Who { name: found.name.clone(), path: found.path.display().to_string() };
        let other = format!("{who} is not the file that you have trusted");
        let other = Failure::invalid(other).hint("look at what has changed, then type `cloudpad trust`");
        Launch {
            path: found.path.clone(),
            carrier: found.carrier,
            sums: found.trusted.into_iter().map(|sum| (sum, other.clone())).collect(),
            dir: self.project.clone(),
            loader: self.loader.clone(),
            listener: self.listener.clone(),
            depth: self.depth,
            deepest: self.limits.depth,
            who,
        }
    }

    /// The plugin at `path`, wherever that is and whatever its name: for those who look at one that is not chosen.
    ///
    /// # Errors
    /// `invalid`, saying why it cannot be run.
    pub fn plugin_at(&self, path: &Path) -> Result<External, Failure> {
        // It is not started where the user is.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let found = super::folders::read_file(path);
        match &found.fault {
            Some(fault) => Err(Failure::invalid(format!("`{}` cannot be used: {fault}", path.display()))),
            None => Ok(External::new(self.launch(&found), self.limits, Arc::default())),
        }
    }
}

/// There is no such provider: what there is instead, and what was passed over.
fn unknown(stage: Stage, name: &str, listing: &Listing, finding: &Finding<'_>) -> Problem {
    let mut message = format!("stage `{stage}` has no provider `{name}`");
    for candidate in finding.rejected.iter().take(3) {
        let fault = candidate.fault.as_deref().unwrap_or_default();
        message += &format!("; `{}` was passed over: {fault}", candidate.path.display());
    }
    let known = listing.providers(stage);
    let hint = match known.as_slice() {
        [] => "no provider of this stage is built in or was found".to_owned(),
        known => offer(name, known),
    };
    let problem = Problem::at_key(format!("stages.{stage}"), message);
    problem.hint(format!("{hint}; a plugin is a file `cloudpad-{name}`, and `[plugins.{name}]` says where"))
}
