//! All hosts of a cluster, as of one revision. I/O: by way of [`crate::client`].

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::inventory::Hosts;

use crate::client::{Client, unreachable};
use crate::config::Config;
use crate::hosts::Reader;
use crate::wire::{Bytes, Range, Ranged, Refused, end_of};

/// The most keys of one answer.
const PAGE: i64 = 2000;
/// How often the list is begun again where what it was read from is compacted meanwhile.
const TRIES: u32 = 3;

/// Reads all of them.
///
/// # Errors
/// No member answers, or lets us read; they change faster than they can be read.
pub(crate) fn read_all(client: &mut Client) -> Result<Hosts, Failure> {
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
            Err(Ok(why)) if why.is_compacted() => return Ok(None),
            Err(why) => return Err(refused(client.config(), why)),
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

/// The failure when the cluster does not answer, or with no, when it was asked for hosts.
pub(crate) fn refused(config: &Config, why: Result<Refused, Failure>) -> Failure {
    refused_below(config, &config.prefix(), why)
}

/// The same when it was asked for what is below `prefix`.
pub(crate) fn refused_below(config: &Config, prefix: &str, why: Result<Refused, Failure>) -> Failure {
    let refused = match why {
        Ok(refused) => refused,
        Err(failure) => return failure,
    };
    let failure = unreachable(format!("etcd does not let us read below `{prefix}`: {}", refused.text()));
    match config.user {
        Some(_) => failure.hint("may this user's role read that prefix?"),
        None => failure.hint("`user` names who reads, and a variable their password"),
    }
}
