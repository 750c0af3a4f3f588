//! What is asked of the provider, done in a thread of its own. I/O: by way of [`crate::client`].

use std::sync::mpsc;

use cloudpad_plugin_api::stage::inventory::{
    Add, AskPublished, Hosts, Inventory, List, Publication, Publish, Remove, Watch, Watched, Written,
};
use cloudpad_plugin_api::{Context, Failure, FailureKind, Level, Outcome};

use crate::client::Client;
use crate::config::Config;
use crate::{list, publish, watch, write};

pub(crate) struct Etcd;

impl Inventory for Etcd {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::of(cx).map(drop)
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let stopped = Failure::new(FailureKind::Cancelled, "stopped reading hosts from etcd");
        in_thread(cx, stopped, list::read_all)
    }

    fn is_watchable(&self) -> bool {
        true
    }

    fn watch(&self, cx: &Context, request: &Watch) -> Result<Watched, Failure> {
        let since = request.since.as_deref().map(str::parse).transpose();
        let since = since.map_err(|_| Failure::invalid("`since` is no revision of etcd's"))?;
        let stopped = Failure::new(FailureKind::Cancelled, "stopped listening to etcd");
        let now = in_thread(cx, stopped, move |client| watch::changed(client, since))?;
        Ok(Watched { now: now.to_string() })
    }

    fn add(&self, cx: &Context, request: &Add) -> Result<Written, Failure> {
        let host = request.host.clone();
        in_thread(cx, stopped_writing(), move |client| write::add(client, &host))
    }

    fn remove(&self, cx: &Context, request: &Remove) -> Result<Written, Failure> {
        let name = request.name.clone();
        in_thread(cx, stopped_writing(), move |client| write::remove(client, &name))
    }

    fn is_publisher(&self) -> bool {
        true
    }

    fn published(&self, cx: &Context, request: &AskPublished) -> Result<Publication, Failure> {
        if Config::of(cx)?.publish().is_none() {
            return Ok(Publication::default());
        }
        let project = request.project.prefix();
        let stopped = Failure::new(FailureKind::Cancelled, "stopped reading from etcd");
        in_thread(cx, stopped, move |client| publish::read(client, &project))
    }

    fn publish(&self, cx: &Context, request: &Publish) -> Result<Written, Failure> {
        let request = request.clone();
        in_thread(cx, stopped_writing(), move |client| publish::publish(client, &request))
    }
}

fn stopped_writing() -> Failure {
    Failure::new(FailureKind::Cancelled, "stopped writing to etcd").outcome(Outcome::Unknown)
}

/// What comes from the thread that works.
enum Told<T> {
    /// It asks this endpoint.
    Asks(String),
    End(Result<T, Failure>),
}

/// Does `work` with a client that is logged in. Where the call is stopped, it is `stopped` at once: nobody waits any more for
/// the thread, so it has nothing of the call.
fn in_thread<T: Send + 'static>(
    cx: &Context,
    stopped: Failure,
    work: impl FnOnce(&mut Client) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (tell, told) = mpsc::channel();
    let (asks, stop) = (tell.clone(), tell.clone());
    let asks = move |endpoint: &str| drop(asks.send(Told::Asks(endpoint.to_owned())));
    let mut client = Client::new(cx, Config::of(cx)?, Box::new(asks))?;
    cx.cancel().on_cancel(move || drop(stop.send(Told::End(Err(stopped)))));
    let work = move || client.log_in().and_then(|()| work(&mut client));
    std::thread::Builder::new()
        .name("etcd".to_owned())
        .spawn(move || drop(tell.send(Told::End(work()))))
        .map_err(|error| Failure::failed(format!("could not start a thread: {error}")))?;
    loop {
        match told.recv() {
            Ok(Told::Asks(endpoint)) => cx.log(Level::Debug, format!("asking etcd at `{endpoint}`")),
            Ok(Told::End(end)) => return end,
            Err(_) => {
                return Err(Failure::new(FailureKind::Crashed, "the thread that asks etcd has died"));
            }
        }
    }
}
