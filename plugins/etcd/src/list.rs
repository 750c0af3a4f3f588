//! All hosts of a cluster, as of one revision. I/O: by way of [`crate::client`].

use std::sync::mpsc;

use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::{Context, Failure, FailureKind, Level};

use crate::client::{Client, unreachable};
use crate::config::Config;
use crate::hosts::Reader;
use crate::wire::{Bytes, Range, Ranged, end_of};

/// The most keys of one answer.
const PAGE: i64 = 2000;
/// How often the list is begun again where what it was read from is compacted meanwhile.
const TRIES: u32 = 3;

pub(crate) struct Etcd;

impl Inventory for Etcd {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::of(cx).map(drop)
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let (tell, told) = mpsc::channel();
        let (asks, stop) = (tell.clone(), tell.clone());
        let asks = move |endpoint: &str| drop(asks.send(Told::Asks(endpoint.to_owned())));
        let mut client = Client::new(cx, Config::of(cx)?, Box::new(asks))?;
        cx.cancel().on_cancel(move || {
            let why = Failure::new(FailureKind::Cancelled, "stopped reading hosts from etcd");
            drop(stop.send(Told::End(Err(why))));
        });
        // Nobody waits any more for a thread whose call is stopped; so it has nothing of the call.
        std::thread::Builder::new()
            .name("etcd".to_owned())
            .spawn(move || drop(tell.send(Told::End(read_all(&mut client)))))
            .map_err(|error| Failure::failed(format!("could not start a thread: {error}")))?;
        loop {
            match told.recv() {
                Ok(Told::Asks(endpoint)) => cx.log(Level::Debug, format!("asking etcd at `{endpoint}`")),
                Ok(Told::End(end)) => return end,
                Err(_) => {
                    return Err(Failure::new(FailureKind::Crashed, "the thread that reads etcd has died"));
                }
            }
        }
    }
}

/// What comes from the thread that reads.
enum Told {
    /// It asks this endpoint.
    Asks(String),
    End(Result<Hosts, Failure>),
}

fn read_all(client: &mut Client) -> Result<Hosts, Failure> {
    client.log_in()?;
    for _ in 0..TRIES {
        if let Some(hosts) = read(client)? {
            return Ok(hosts);
        }
    }
    Err(Failure::failed("the hosts change in etcd, and are compacted, faster than they can be read")
        .retryable())
}

/// Reads page by page; nothing where what the first page was read from is compacted meanwhile.
fn read(client: &mut Client) -> Result<Option<Hosts>, Failure> {
    let prefix = client.config().prefix();
    let mut reader = Reader::new(prefix.clone());
    let end = end_of(prefix.as_bytes());
    let (mut key, mut revision) = (prefix.into_bytes(), 0);
    loop {
        let range = Range { key: Bytes(key), range_end: Bytes(end.clone()), limit: PAGE, revision };
        let page: Ranged = match client.ask("/v3/kv/range", &range) {
            Ok(page) => page,
            Err(Ok(refused)) if refused.is_compacted() => return Ok(None),
            Err(Ok(refused)) => return Err(not_let(client.config(), refused.text())),
            Err(Err(failure)) => return Err(failure),
        };
        revision = page.header.revision.max(revision);
        for pair in &page.kvs {
            reader.take(&pair.key.0, &pair.value.0);
        }
        match page.kvs.into_iter().next_back() {
            Some(last) if page.more => {
                key = last.key.0;
                key.push(0);
            }
            _ => return Ok(Some(reader.finish())),
        }
    }
}

fn not_let(config: &Config, why: &str) -> Failure {
    let failure =
        unreachable(format!("etcd does not let us read the hosts below `{}`: {why}", config.prefix()));
    match config.user {
        Some(_) => failure.hint("may this user's role read that prefix?"),
        None => failure.hint("`user` names who reads, and a variable their password"),
    }
}
