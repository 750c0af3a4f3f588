//! Hosts that come and go, each in one transaction. I/O: by way of [`crate::client`].

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::Written;
use cloudpad_plugin_api::{Failure, FailureKind, Outcome};

use crate::client::Client;
use crate::hosts;
use crate::wire::{Bytes, Compare, Delete, Operation, Put, Range, Transacted, Transaction, end_of};

/// Writes a host as a document, where there is nothing of its name.
///
/// # Errors
/// `stale` where there is something else of that name; the cluster does not answer, or does not let us write.
pub(crate) fn add(client: &mut Client, host: &Host) -> Result<Written, Failure> {
    let place = place(client, &host.name);
    let document = hosts::text(host);
    let (key, fields) = (Bytes(place.clone().into_bytes()), format!("{place}/").into_bytes());
    let transaction = Transaction {
        compare: vec![
            Compare::is_absent(key.clone(), Bytes::default()),
            Compare::is_absent(Bytes(fields.clone()), Bytes(end_of(&fields))),
        ],
        failure: vec![Operation::Range(Range::one(key.clone()))],
        success: vec![Operation::Put(Put { key, value: Bytes(document.clone().into_bytes()) })],
    };
    let done = transact(client, &transaction, &format!("could not add host `{}`", host.name))?;
    // One whose answer was lost is sent again, and finds what it has written.
    let is_the_same = done.values().contains(&document.as_bytes());
    if done.succeeded || is_the_same {
        return Ok(Written { place: shown(&place) });
    }
    let message = format!("etcd has something at `{place}` already, which is left as it is");
    Err(Failure::new(FailureKind::Stale, message).hint(format!(
        "`cloudpad hosts rm {}` takes it out, with `--keep` where it cannot be read",
        host.name
    )))
}

/// Takes a host out, be it a document or fields.
///
/// # Errors
/// The cluster does not answer, or does not let us write.
pub(crate) fn remove(client: &mut Client, name: &str) -> Result<Written, Failure> {
    let place = place(client, name);
    let (key, fields) = (place.clone().into_bytes(), format!("{place}/").into_bytes());
    let delete = |key: Vec<u8>, range_end: Vec<u8>| {
        Operation::Delete(Delete { key: Bytes(key), range_end: Bytes(range_end) })
    };
    let end = end_of(&fields);
    let transaction =
        Transaction { success: vec![delete(key, Vec::new()), delete(fields, end)], ..Transaction::default() };
    transact(client, &transaction, &format!("could not take out host `{name}`"))?;
    Ok(Written { place: shown(&place) })
}

fn place(client: &Client, name: &str) -> String {
    format!("{}{name}", client.config().prefix())
}

/// A place, for people.
pub(crate) fn shown(place: &str) -> String {
    format!("`{place}` in etcd")
}

/// Does all of `transaction` or nothing; `tried` begins what is said when it fails.
///
/// # Errors
/// The cluster does not answer, or does not let us.
pub(crate) fn transact(
    client: &mut Client,
    transaction: &Transaction,
    tried: &str,
) -> Result<Transacted, Failure> {
    client.ask("/v3/kv/txn", transaction).map_err(|refused| match refused {
        Ok(refused) => {
            let failure = Failure::failed(format!("{tried}: etcd refuses: {}", refused.text()));
            let failure = failure.outcome(Outcome::None);
            match hint(refused.text(), client.config().user.is_some()) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        Err(failure) => {
            Failure { message: format!("{tried}: {}", failure.message), ..failure }.outcome(Outcome::Unknown)
        }
    })
}

/// What to do about what etcd says (`api/v3rpc/rpctypes/error.go`, and gRPC's own limit), where that is known.
fn hint(said: &str, has_user: bool) -> Option<&'static str> {
    let says = |words: &str| said.contains(words);
    if says("too many operations") {
        Some("`--max-txn-ops` of the members of etcd says how many one transaction may have")
    } else if says("too large") || says("larger than max") {
        Some("`--max-request-bytes` of the members of etcd says how large a request may be")
    } else if says("permission denied") && has_user {
        Some("may this user's role write below that prefix?")
    } else if says("permission denied") || says("user name is empty") {
        Some("`user` names who writes, and a variable their password")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn hints_are_about_what_etcd_says() {
        for (said, has_user, word) in [
            ("etcdserver: too many operations in txn request", true, Some("--max-txn-ops")),
            ("etcdserver: request is too large", false, Some("--max-request-bytes")),
            ("grpc: received message larger than max (9 vs. 8)", false, Some("--max-request-bytes")),
            ("etcdserver: permission denied", true, Some("role")),
            ("etcdserver: user name is empty", false, Some("`user`")),
            ("etcdserver: mvcc: database space exceeded", true, None),
        ] {
            let hint = hint(said, has_user);
            assert!(
                hint.zip(word).is_some_and(|(hint, word)| hint.contains(word)) || hint == word,
                "{said}: {hint:?}"
            );
        }
    }
}
