//! A provider: its name, its code, and how a request reaches its trait. Pure.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::stage::{build, cluster, deploy, push, secrets, source};
use crate::wire::Provides;
use crate::{Context, Failure, FailureKind, Outcome, Plugin, Reply, Request, Stage};

/// A provider that is linked into the program. [`register!`](crate::register) makes it known.
#[derive(Clone, Copy)]
pub struct Provider {
    /// The name by which `Cloudpad.toml` chooses it.
    pub name: &'static str,
    /// One line for `cloudpad plugin list`.
    pub about: &'static str,
    /// The stage it serves, and the code that does.
    pub handler: Handler,
}

/// A provider's code, by stage.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Lists hosts.
    Inventory(&'static dyn crate::stage::inventory::Inventory),
    /// Brings source code here.
    Source(&'static dyn source::Source),
    /// Knows the values of secrets.
    Secrets(&'static dyn secrets::Secrets),
    /// Builds images.
    Build(&'static dyn build::Build),
    /// Brings images to where hosts can have them.
    Push(&'static dyn push::Push),
    /// Runs containers on hosts.
    Deploy(&'static dyn deploy::Deploy),
    /// Has a cluster run services: the other shape of stage `deploy`.
    Cluster(&'static dyn cluster::Cluster),
}

/// Who decides where an instance runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Cloudpad does.
    Hosts,
    /// A scheduler does.
    Cluster,
}

impl Placement {
    /// What a provider of stage `deploy` has that takes calls for `methods`: it is a cluster's if it takes `cluster.apply`.
    pub fn of(methods: &[impl AsRef<str>]) -> Self {
        match methods.iter().any(|method| method.as_ref() == "cluster.apply") {
            true => Placement::Cluster,
            false => Placement::Hosts,
        }
    }

    /// Whether a method of stage `deploy` is one that such a provider can be asked.
    pub fn has(self, method: &str) -> bool {
        let other = match self {
            Placement::Hosts => "cluster.",
            Placement::Cluster => "deploy.",
        };
        !method.starts_with(other)
    }
}

/// How often an image has to be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushScope {
    /// To each host that needs it; the host has it afterwards.
    Host,
    /// Once, to a place from which each host then pulls it.
    Shared,
}

impl Provider {
    /// The stage it serves.
    pub fn stage(&self) -> Stage {
        match self.handler {
            Handler::Inventory(_) => Stage::Inventory,
            Handler::Source(_) => Stage::Source,
            Handler::Secrets(_) => Stage::Secrets,
            Handler::Build(_) => Stage::Build,
            Handler::Push(_) => Stage::Push,
            Handler::Deploy(_) | Handler::Cluster(_) => Stage::Deploy,
        }
    }

    /// Who decides where an instance runs, where it serves stage `deploy`.
    pub fn placement(&self) -> Placement {
        match self.handler {
            Handler::Cluster(_) => Placement::Cluster,
            _ => Placement::Hosts,
        }
    }

    /// The methods that it can be asked.
    pub fn methods(&self) -> Vec<&'static str> {
        let lacks = |method: &str| match (self.handler, method) {
            (Handler::Inventory(inventory), "inventory.add" | "inventory.remove") => !inventory.is_writable(),
            (Handler::Inventory(inventory), "inventory.watch") => !inventory.is_watchable(),
            (Handler::Inventory(inventory), "inventory.published" | "inventory.publish") => {
                !inventory.is_publisher()
            }
            (Handler::Push(push), "push.list" | "push.remove") => !push.is_kept(),
            _ => false,
        };
        let methods = self.stage().methods().iter().copied();
        methods.filter(|method| self.placement().has(method) && !lacks(method)).collect()
    }

    /// Asks the provider whether it can work with its configuration. It touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with the configuration.
    pub fn check(&self, cx: &Context) -> Result<(), Failure> {
        match self.handler {
            Handler::Inventory(p) => p.check(cx),
            Handler::Source(p) => p.check(cx),
            Handler::Secrets(p) => p.check(cx),
            Handler::Build(p) => p.check(cx),
            Handler::Push(p) => p.check(cx),
            Handler::Deploy(p) => p.check(cx),
            Handler::Cluster(p) => p.check(cx),
        }
    }

    /// Hands `request` to the method that serves it.
    ///
    /// # Errors
    /// What the method answers; `unsupported` for a request of another stage.
    pub fn call(&self, cx: &Context, request: &Request) -> Result<Reply, Failure> {
        use Request as Q;
        match (self.handler, request) {
            (_, Q::ConfigCheck(q)) if q.stage == self.stage() => self.check(cx).map(|()| Reply::Done),
            (Handler::Inventory(p), Q::InventoryList(q)) => p.list(cx, q).map(Reply::Hosts),
            (Handler::Inventory(p), Q::InventoryAdd(q)) => p.add(cx, q).map(Reply::Written),
            (Handler::Inventory(p), Q::InventoryRemove(q)) => p.remove(cx, q).map(Reply::Written),
            (Handler::Inventory(p), Q::InventoryWatch(q)) => p.watch(cx, q).map(Reply::Watched),
            (Handler::Inventory(p), Q::InventoryPublished(q)) => p.published(cx, q).map(Reply::Publication),
            (Handler::Inventory(p), Q::InventoryPublish(q)) => p.publish(cx, q).map(Reply::Written),
            (Handler::Source(p), Q::SourceResolve(q)) => p.resolve(cx, q).map(Reply::Resolved),
            (Handler::Source(p), Q::SourceFetch(q)) => p.fetch(cx, q).map(Reply::Fetched),
            (Handler::Secrets(p), Q::SecretsGet(q)) => p.get(cx, q).map(Reply::Secrets),
            (Handler::Secrets(p), Q::SecretsList(q)) => p.list(cx, q).map(Reply::SecretNames),
            (Handler::Secrets(p), Q::SecretsSet(q)) => p.set(cx, q).map(|()| Reply::Done),
            (Handler::Secrets(p), Q::SecretsOpen(q)) => p.open(cx, q).map(Reply::SecretsOpened),
            (Handler::Secrets(p), Q::SecretsSave(q)) => p.save(cx, q).map(|()| Reply::Done),
            (Handler::Build(p), Q::BuildObserve(q)) => p.observe(cx, q).map(Reply::Images),
            (Handler::Build(p), Q::BuildRun(q)) => p.run(cx, q).map(Reply::Built),
            (Handler::Push(p), Q::PushRun(q)) => p.run(cx, q).map(Reply::Pushed),
            (Handler::Push(p), Q::PushList(q)) => p.list(cx, q).map(Reply::Listed),
            (Handler::Push(p), Q::PushRemove(q)) => p.remove(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployObserve(q)) => {
                p.observe(cx, q).map(|o| Reply::Observation(Box::new(o)))
            }
            (Handler::Deploy(p), Q::DeployPull(q)) => p.pull(cx, q).map(Reply::Pulled),
            (Handler::Deploy(p), Q::DeployStart(q)) => p.start(cx, q).map(Reply::Started),
            (Handler::Deploy(p), Q::DeployReady(q)) => p.ready(cx, q).map(Reply::Ready),
            (Handler::Deploy(p), Q::DeployRoute(q)) => p.route(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployStop(q)) => p.stop(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployRemove(q)) => p.remove(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployLock(q)) => p.lock(cx, q).map(Reply::Locked),
            (Handler::Deploy(p), Q::DeployUnlock(q)) => p.unlock(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployRun(q)) => p.run(cx, q).map(Reply::Ran),
            (Handler::Deploy(p), Q::DeployTrust(q)) => p.trust(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployKeys(q)) => p.keys(cx, q).map(Reply::HostKey),
            (Handler::Deploy(p), Q::DeployLogin(q)) => p.login(cx, q).map(Reply::Terminal),
            (Handler::Deploy(p), Q::DeployHost(q)) => p.host(cx, q).map(Reply::Machine),
            (Handler::Deploy(p), Q::DeployExec(q)) => p.exec(cx, q).map(Reply::Executed),
            (Handler::Deploy(p), Q::DeployCommand(q)) => p.command(cx, q).map(Reply::Exited),
            (Handler::Deploy(p), Q::DeployRecord(q)) => p.record(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployLogs(q)) => p.logs(cx, q).map(Reply::Logged),
            (Handler::Deploy(p), Q::DeployEvents(q)) => p.events(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployStats(q)) => p.stats(cx, q).map(Reply::Measured),
            (Handler::Deploy(p), Q::DeployCreate(q)) => p.create(cx, q).map(Reply::Created),
            (Handler::Deploy(p), Q::DeployClear(q)) => p.clear(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployResolve(q)) => p.resolve(cx, q).map(Reply::Digests),
            (Handler::Cluster(p), Q::ClusterReview(q)) => p.review(cx, q).map(Reply::Reviewed),
            (Handler::Cluster(p), Q::ClusterObserve(q)) => {
                p.observe(cx, q).map(|seen| Reply::ClusterSeen(Box::new(seen)))
            }
            (Handler::Cluster(p), Q::ClusterApply(q)) => p.apply(cx, q).map(Reply::Applied),
            (Handler::Cluster(p), Q::ClusterReady(q)) => p.ready(cx, q).map(Reply::ClusterReady),
            (Handler::Cluster(p), Q::ClusterRemove(q)) => p.remove(cx, q).map(|()| Reply::Done),
            (Handler::Cluster(p), Q::ClusterRecord(q)) => p.record(cx, q).map(|()| Reply::Done),
            (Handler::Cluster(p), Q::ClusterLogs(q)) => p.logs(cx, q).map(Reply::Logged),
            _ => Err(Failure::unsupported(request.method())),
        }
    }

    /// As [`call`](Self::call), but a panic is an answer too: the program goes on.
    ///
    /// # Errors
    /// What the method answers; `crashed`, with the panic's message, when it panics.
    pub fn call_contained(&self, cx: &Context, request: &Request) -> Result<Reply, Failure> {
        catch_unwind(AssertUnwindSafe(|| self.call(cx, request))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            let message = format!("{} provider `{}` panicked: {text}", self.stage(), self.name);
            Err(Failure::new(FailureKind::Crashed, message).outcome(Outcome::Unknown))
        })
    }

    /// What a plugin says of it in its hello.
    pub(crate) fn offer(&self) -> Provides {
        Provides {
            stage: self.stage(),
            provider: self.name.to_owned(),
            methods: self.methods().into_iter().map(str::to_owned).collect(),
            about: self.about.to_owned(),
            scope: match self.handler {
                Handler::Push(push) => Some(push.scope()),
                _ => None,
            },
        }
    }

    /// Every provider that is linked in, by stage and name.
    pub fn built_in() -> Vec<&'static Provider> {
        let mut all: Vec<_> = Plugin::built_in().into_iter().flat_map(|plugin| plugin.providers).collect();
        all.sort_by_key(|p| (p.stage(), p.name));
        all
    }
}
