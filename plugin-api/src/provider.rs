//! How a provider that is linked in makes itself known, and how a request reaches its trait. Pure.

use crate::stage::{build, deploy, push, source};
use crate::{Context, Failure, Reply, Request, Stage};

/// A provider that is linked into the program.
///
/// ```
/// use cloudpad_plugin_api::{Context, Failure, Handler, Provider, inventory, model::Host, stage};
///
/// struct Fixed;
/// impl stage::inventory::Inventory for Fixed {
///     fn list(&self, _: &Context, _: &stage::inventory::List) -> Result<stage::inventory::Hosts, Failure> {
///         Ok(stage::inventory::Hosts { hosts: vec![Host::new("h1", "192.0.2.1")] })
///     }
/// }
/// inventory::submit! {
///     Provider { name: "fixed", about: "one host, always", handler: Handler::Inventory(&Fixed) }
/// }
/// ```
pub struct Provider {
    /// The name by which `Cloudpad.toml` chooses it.
    pub name: &'static str,
    /// One line for `cloudpad plugin list`.
    pub about: &'static str,
    /// The stage it serves, and the code that does.
    pub handler: Handler,
}

inventory::collect!(Provider);

/// A provider's code, by stage.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Lists hosts.
    Inventory(&'static dyn crate::stage::inventory::Inventory),
    /// Brings source code here.
    Source(&'static dyn source::Source),
    /// Builds images.
    Build(&'static dyn build::Build),
    /// Brings images to where hosts can have them.
    Push(&'static dyn push::Push),
    /// Runs containers on hosts.
    Deploy(&'static dyn deploy::Deploy),
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
            Handler::Build(_) => Stage::Build,
            Handler::Push(_) => Stage::Push,
            Handler::Deploy(_) => Stage::Deploy,
        }
    }

    /// Asks the provider whether it can work with its configuration. It touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with the configuration.
    pub fn check(&self, cx: &Context) -> Result<(), Failure> {
        match self.handler {
            Handler::Inventory(p) => p.check(cx),
            Handler::Source(p) => p.check(cx),
            Handler::Build(p) => p.check(cx),
            Handler::Push(p) => p.check(cx),
            Handler::Deploy(p) => p.check(cx),
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
            (Handler::Source(p), Q::SourceResolve(q)) => p.resolve(cx, q).map(Reply::Resolved),
            (Handler::Source(p), Q::SourceFetch(q)) => p.fetch(cx, q).map(Reply::Fetched),
            (Handler::Build(p), Q::BuildObserve(q)) => p.observe(cx, q).map(Reply::Images),
            (Handler::Build(p), Q::BuildRun(q)) => p.run(cx, q).map(Reply::Built),
            (Handler::Push(p), Q::PushRun(q)) => p.run(cx, q).map(Reply::Pushed),
            (Handler::Deploy(p), Q::DeployObserve(q)) => {
                p.observe(cx, q).map(|o| Reply::Observation(Box::new(o)))
            }
            (Handler::Deploy(p), Q::DeployPull(q)) => p.pull(cx, q).map(Reply::Pulled),
            (Handler::Deploy(p), Q::DeployStart(q)) => p.start(cx, q).map(Reply::Started),
            (Handler::Deploy(p), Q::DeployReady(q)) => p.ready(cx, q).map(Reply::Ready),
            (Handler::Deploy(p), Q::DeployStop(q)) => p.stop(cx, q).map(|()| Reply::Done),
            (Handler::Deploy(p), Q::DeployRemove(q)) => p.remove(cx, q).map(|()| Reply::Done),
            _ => Err(Failure::unsupported(request.method())),
        }
    }

    /// Every provider that is linked in, by stage and name.
    pub fn built_in() -> Vec<&'static Provider> {
        let mut all: Vec<_> = inventory::iter::<Provider>.into_iter().collect();
        // The registry's own order depends on the linker.
        all.sort_by_key(|p| (p.stage(), p.name));
        all
    }
}
