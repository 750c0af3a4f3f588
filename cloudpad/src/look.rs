//! Finds out what is so: hosts, sources, images. I/O, through a [`Runner`].
//!
//! Hosts are looked at while sources are, so that a dead host or a bad key is found before a build
//! has cost anything.

mod cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::inventory::{AskPublished, Hosts, List, Publication};
use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::{Failure, FailureKind, Reply, Request};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::config::Config;
use crate::inventory::{Inventory, Selection};
use crate::lock::Lock;
use crate::observed::{HostState, Observed};
use crate::plan::queue::Mode;
use crate::plan::{self, Also, Plan, Scope};
use crate::refusal::Refusal;
use crate::report::Phase;
use crate::run::Runner;

pub use cluster::{look_at_cluster, review, seen, unfit};

/// How much longer than for the others one waits for hosts on which there can only be something to clear
/// away: it can be cleared away another time.
const GRACE: Duration = Duration::from_secs(5);

/// What there is, and what of it is meant.
pub struct Looked {
    /// Every host.
    pub inventory: Inventory,
    /// What is meant.
    pub scope: Scope,
    /// What was seen.
    pub observed: Observed,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Sources and images: enough to build.
    Images,
    /// Hosts: enough to tell what runs.
    Hosts,
    /// Hosts: enough to tell what runs and whether it serves.
    Health,
    /// Hosts, and what they remember of releases.
    Past,
    /// The same, about whatever of the selected services is left there.
    Left,
    /// The same as [`Past`](Self::Past) and whether what runs serves, also of hosts that are not selected and on which what is
    /// meant may run.
    PastAround,
    /// Images and hosts: enough to bring images to hosts.
    ImagesAndHosts,
    /// These, secrets, what hosts remember of releases, and whether what runs serves.
    Everything,
}

impl At {
    fn also(self) -> Also {
        Also {
            releases: matches!(self, At::Past | At::Left | At::PastAround | At::Everything),
            health: matches!(self, At::Health | At::PastAround | At::Everything),
        }
    }
}

/// Looks at what `selection` means of these hosts, and takes `lock` on the hosts before they are looked at.
///
/// # Errors
/// Problems with the selection; failures of sources or images; somebody else has the lock. A host that cannot be
/// looked at is no error here: it is there as [`HostState::Unseen`].
pub async fn look(
    runner: &Runner,
    config: &Config,
    inventory: Inventory,
    selection: &Selection,
    at: At,
    cache: &Path,
    lock: Option<&Lock>,
) -> Result<Looked, Refusal> {
    let mut scope = match at {
        At::Left => plan::scope_of_left(config, &inventory, selection)?,
        _ => plan::scope(config, &inventory, selection)?,
    };
    if at == At::PastAround {
        scope = scope.around();
    }
    if matches!(at, At::Images | At::ImagesAndHosts) {
        // What the config does not have any more is not built, and need not be looked for.
        known(&scope, config, &BTreeMap::new())?;
    }
    let hosts = async {
        if at == At::Images {
            return Ok::<_, Refusal>(BTreeMap::new());
        }
        loop {
            let (needed, others) = plan::look_hosts(config, &inventory, &scope, at.also());
            let seen = match at {
                At::ImagesAndHosts | At::Everything if !needed.is_empty() => {
                    look_around(runner, needed, others, lock).await
                }
                _ => lock_and_look(runner, [needed, others].concat(), lock).await,
            };
            match lock.filter(|lock| lock.is_contended()) {
                Some(lock) => lock.try_again(runner).await?,
                None => return Ok(seen),
            }
        }
    };
    let images = async {
        if matches!(at, At::Hosts | At::Health | At::Past | At::Left | At::PastAround) {
            return Ok(Observed::default());
        }
        look_at_images(runner, config, &scope, cache).await
    };
    let secrets = async {
        match at {
            At::Everything => ask_for_secrets(runner, config, &scope).await,
            _ => Ok(BTreeMap::new()),
        }
    };
    let (hosts, images, secrets) = tokio::join!(hosts, images, secrets);
    let hosts = hosts?;
    known(&scope, config, &hosts)?;
    let mut observed = Observed { secrets: secrets?, hosts, ..images? };
    if at == At::Everything {
        look_at_registries(runner, config, (&inventory, &scope), &mut observed).await?;
    }
    Ok(Looked { observed, inventory, scope })
}

/// Finds out what the scope's ready images mean now.
async fn look_at_registries(
    runner: &Runner,
    config: &Config,
    (inventory, scope): (&Inventory, &Scope),
    observed: &mut Observed,
) -> Result<(), Refusal> {
    let request = plan::look_pins(config, inventory, scope, &observed.hosts);
    for reply in ask(runner, request.into_iter().collect()).await? {
        if let Reply::Digests(told) = reply {
            observed.pins.extend(plan::pins(told, observed).map_err(Refusal::Failures)?);
        }
    }
    Ok(())
}

/// Fails where a selector is for services that there are nowhere.
fn known(scope: &Scope, config: &Config, hosts: &BTreeMap<String, HostState>) -> Result<(), Refusal> {
    let unknown = scope.unknown(config, hosts);
    if unknown.is_empty() { Ok(()) } else { Err(unknown.into()) }
}

/// Looks at the hosts that are needed, and at others that are not waited for much longer.
async fn look_around(
    runner: &Runner,
    needed: Vec<Request>,
    others: Vec<Request>,
    lock: Option<&Lock>,
) -> BTreeMap<String, HostState> {
    let enough = Notify::new();
    let apart = Runner { stop: runner.stop.apart(), ..runner.clone() };
    let needed = async {
        let seen = lock_and_look(runner, needed, lock).await;
        enough.notify_one();
        seen
    };
    let others = async {
        let mut look = pin!(lock_and_look(&apart, others, lock));
        let late = async {
            enough.notified().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            seen = &mut look => return seen,
            () = late => apart.stop.cancel().cancel(),
        }
        look.await.into_iter().map(|(host, state)| (host, unless_broken_off(state))).collect()
    };
    let (mut seen, others) = tokio::join!(needed, others);
    seen.extend::<BTreeMap<_, _>>(others);
    seen
}

fn unless_broken_off(state: HostState) -> HostState {
    match state {
        HostState::Unseen(failure) if failure.kind == FailureKind::Cancelled => {
            let seconds = GRACE.as_secs();
            let message =
                format!("nothing is to run there, and it did not answer {seconds} s after the others");
            HostState::Unseen(Failure::new(FailureKind::Unreachable, message))
        }
        state => state,
    }
}

/// Looks at these hosts once they are locked. Where somebody else has the lock, nothing is looked at.
async fn lock_and_look(
    runner: &Runner,
    requests: Vec<Request>,
    lock: Option<&Lock>,
) -> BTreeMap<String, HostState> {
    let Some(lock) = lock else { return look_at_hosts(runner, requests).await };
    let hosts: Vec<_> = requests.iter().filter_map(|request| request.host().cloned().map(Arc::new)).collect();
    let failures = lock.take(runner, &hosts).await;
    if lock.is_contended() {
        return BTreeMap::new();
    }
    let is_locked = |request: &Request| request.host().is_some_and(|host| !failures.contains_key(&host.name));
    let mut seen = look_at_hosts(runner, requests.into_iter().filter(is_locked).collect()).await;
    seen.extend(failures.into_iter().map(|(host, failure)| (host, HostState::Unseen(failure))));
    seen
}

/// Looks at these hosts, all of them.
pub async fn look_at_hosts(runner: &Runner, requests: Vec<Request>) -> BTreeMap<String, HostState> {
    let plan = Plan::of_requests(requests);
    let mut outcomes = runner.carry_out(Phase::Look, &plan, Mode::Open).await;
    let states = plan.actions.iter().map(|action| {
        let state = match outcomes.remove(&action.id) {
            Some(Ok(Reply::Observation(seen))) => HostState::Seen(*seen),
            Some(Err(failure)) => HostState::Unseen(failure),
            _ => HostState::Unseen(Failure::failed("the look was not finished")),
        };
        (action.host.as_deref().unwrap_or_default().to_owned(), state)
    });
    states.collect()
}

/// The hosts that the inventory provider lists.
///
/// # Errors
/// What keeps it from telling.
pub async fn listed(runner: &Runner) -> Result<Hosts, Refusal> {
    let mut listed = Hosts::default();
    for reply in ask(runner, vec![Request::InventoryList(List {})]).await? {
        if let Reply::Hosts(reply) = reply {
            listed.hosts.extend(reply.hosts);
            listed.broken.extend(reply.broken);
        }
    }
    Ok(listed)
}

/// Looks at what goes into the scope's images.
///
/// # Errors
/// Failures of sources or images.
pub async fn look_at_images(
    runner: &Runner,
    config: &Config,
    scope: &Scope,
    cache: &Path,
) -> Result<Observed, Refusal> {
    let mut observed = Observed::default();
    for reply in ask(runner, plan::resolves(config, scope, cache)).await? {
        if let Reply::Resolved(source) = reply {
            observed.sources.insert(source.name.clone(), source);
        }
    }
    ask(runner, plan::prepares(config, &observed.sources, cache)).await?;
    let request = plan::look_images(config, scope, &observed.sources, cache);
    for reply in ask(runner, request.into_iter().collect()).await? {
        if let Reply::Images(images) = reply {
            observed.images.extend(images.images.into_iter().map(|image| (image.name.clone(), image)));
        }
    }
    Ok(observed)
}

/// Has these secrets looked up, and returns what tells the value of each from others.
///
/// # Errors
/// Failures of their provider; a secret that it does not know.
pub async fn secrets(runner: &Runner, names: BTreeSet<String>) -> Result<BTreeMap<String, String>, Refusal> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    ask(runner, vec![Request::SecretsGet(Get { names: names.iter().cloned().collect() })]).await?;
    let marks = runner.providers.marks();
    match names.iter().find(|name| !marks.contains_key(*name)) {
        Some(name) => Err(Refusal::new(format!("the secrets provider knows no secret `{name}`"))),
        None => Ok(marks),
    }
}

/// What the inventory tells others of a project's instances.
///
/// # Errors
/// It cannot be asked.
pub async fn published(runner: &Runner, project: &Project) -> Result<Option<Publication>, Refusal> {
    let request = Request::InventoryPublished(AskPublished { project: project.clone() });
    let replies = ask(runner, vec![request]).await?;
    Ok(replies.into_iter().find_map(|reply| match reply {
        Reply::Publication(publication) => Some(publication),
        _ => None,
    }))
}

/// Has secrets looked up, and returns what tells their values from others. The values stay with the providers' room.
async fn ask_for_secrets(
    runner: &Runner,
    config: &Config,
    scope: &Scope,
) -> Result<BTreeMap<String, String>, Refusal> {
    let request = plan::look_secrets(config, scope);
    ask(runner, request.into_iter().collect()).await?;
    let marks = runner.providers.marks();
    let problems = plan::unknown_secrets(config, scope, &marks);
    if problems.is_empty() { Ok(marks) } else { Err(problems.into()) }
}

/// Sends requests that have to succeed, all at once.
///
/// # Errors
/// Every failure; that the user has stopped it.
pub async fn ask(runner: &Runner, requests: Vec<Request>) -> Result<Vec<Reply>, Refusal> {
    let plan = Plan::of_requests(requests);
    let outcomes = runner.carry_out(Phase::Look, &plan, Mode::Open).await;
    let (mut replies, mut failures) = (Vec::new(), Vec::new());
    for outcome in outcomes.into_values() {
        match outcome {
            Ok(reply) => replies.push(reply),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() && replies.len() < plan.actions.len() {
        return Err(Refusal::Stopped);
    }
    if failures.is_empty() { Ok(replies) } else { Err(Refusal::Failures(failures)) }
}
