//! Where instances are, told to others: a key for each service of a project. I/O: by way of [`crate::client`].
//!
//! The value is a JSON array of instances, so that a rollout takes one operation for each service, and all that it changes is one
//! transaction. A level of that has 128 operations with those of the level below, unless `--max-txn-ops` of the members says
//! otherwise; so many services are written in parts, each a transaction within the one.

use cloudpad_plugin_api::model::{Instance, Port};
use cloudpad_plugin_api::stage::inventory::{Publication, Publish, Served, Written};
use cloudpad_plugin_api::{Failure, FailureKind};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::wire::{Bytes, Compare, Delete, Operation, Put, Range, Ranged, Transaction, end_of};
use crate::{list, write};

/// The most parts of a transaction, beside its first service. With as many services each they keep below 128.
const PARTS: usize = 60;

/// A service's key and its value; none where nothing is to be told of it.
type Text = (Vec<u8>, Option<Vec<u8>>);

/// An instance, as others read it.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// `SERVICE.N`.
    instance: String,
    host: String,
    address: String,
    #[serde(default)]
    ports: Vec<Port>,
}

impl Entry {
    fn of(served: &Served) -> Self {
        let Served { instance, host, address, ports } = served.clone();
        Self { instance: instance.to_string(), host, address, ports }
    }

    fn read(self) -> Option<Served> {
        let Self { instance, host, address, ports } = self;
        let (service, number) = instance.rsplit_once('.')?;
        let instance = Instance { service: service.to_owned(), number: number.parse().ok()? };
        Some(Served { instance, host, address, ports })
    }
}

/// What is told of the project with this prefix.
///
/// # Errors
/// The cluster does not answer, or does not let us read.
pub(crate) fn read(client: &mut Client, project: &str) -> Result<Publication, Failure> {
    let Some(folder) = folder(client, project) else { return Ok(Publication::default()) };
    let (begin, end) = (folder.clone().into_bytes(), end_of(folder.as_bytes()));
    let range = Range { key: Bytes(begin), range_end: Bytes(end), limit: 0, revision: 0 };
    let found: Result<Ranged, _> = client.ask("/v3/kv/range", &range);
    let found = found.map_err(|why| list::refused_below(client.config(), &folder, why))?;
    let services = found.kvs.iter().filter_map(|pair| {
        let service = std::str::from_utf8(&pair.key.0).ok()?.strip_prefix(&folder)?;
        Some((service.to_owned(), instances(&pair.value.0)))
    });
    Ok(Publication { services: Some(services.collect()), now: found.header.revision.to_string() })
}

/// What somebody else has written there is read as no instance, and so written anew.
fn instances(value: &[u8]) -> Vec<Served> {
    let entries: Vec<Entry> = serde_json::from_slice(value).unwrap_or_default();
    entries.into_iter().filter_map(Entry::read).collect()
}

/// Tells it, in one transaction.
///
/// # Errors
/// `stale` where it was changed meanwhile; the cluster does not answer, or does not let us write.
pub(crate) fn publish(client: &mut Client, request: &Publish) -> Result<Written, Failure> {
    let since: i64 =
        request.since.parse().map_err(|_| Failure::invalid("`since` is no revision of etcd's"))?;
    let Some(folder) = folder(client, &request.project.prefix()) else {
        return Err(Failure::invalid("`publish` is not set, so nothing can be told"));
    };
    let texts: Vec<Text> = request.services.iter().map(|told| text(&folder, told)).collect();
    let transaction = Transaction {
        compare: parts(&texts).filter_map(|part| are_unchanged(part, since)).collect(),
        success: parts(&texts).map(|part| together(part, change)).collect(),
        failure: parts(&texts).map(|part| together(part, look)).collect(),
    };
    let done = write::transact(
        client,
        &transaction,
        &format!("could not tell etcd at `{folder}` where instances are"),
    )?;
    // One whose answer was lost is sent again, and finds what it has written.
    let wanted: Vec<&[u8]> = texts.iter().filter_map(|(_, text)| text.as_deref()).collect();
    if done.succeeded || done.values() == wanted {
        return Ok(Written { place: write::shown(&folder) });
    }
    let message =
        format!("what etcd has at `{folder}` was changed since it was looked at, and is left as it is");
    Err(Failure::new(FailureKind::Stale, message).hint("do it again"))
}

fn text(folder: &str, (service, instances): (&String, &Vec<Served>)) -> Text {
    let entries: Vec<Entry> = instances.iter().map(Entry::of).collect();
    // These are names and numbers, of which JSON takes any.
    let text = serde_json::to_vec(&entries).ok().filter(|_| !entries.is_empty());
    (format!("{folder}{service}").into_bytes(), text)
}

/// What has one operation each on the outermost level, in the order of the keys. The first is always there by itself: older
/// members ask only there whether somebody may write.
fn parts(texts: &[Text]) -> impl Iterator<Item = &[Text]> {
    let (first, rest) = texts.split_at(texts.len().min(1));
    first.chunks(1).chain(rest.chunks(rest.len().div_ceil(PARTS).max(1)))
}

/// Whether all of a part is as it was. Where it is several, so is what else is between them.
fn are_unchanged(part: &[Text], since: i64) -> Option<Compare> {
    let ((first, _), (last, _)) = (part.first()?, part.last()?);
    Some(Compare::are_unchanged(Bytes(first.clone()), Bytes([last, &b"\0"[..]].concat()), since))
}

fn together(part: &[Text], operation: impl Fn(&Text) -> Operation) -> Operation {
    match part {
        [one] => operation(one),
        several => {
            let success = several.iter().map(operation).collect();
            Operation::Transaction(Transaction { success, ..Transaction::default() })
        }
    }
}

fn change((key, text): &Text) -> Operation {
    let key = Bytes(key.clone());
    match text {
        Some(text) => Operation::Put(Put { key, value: Bytes(text.clone()) }),
        None => Operation::Delete(Delete { key, range_end: Bytes::default() }),
    }
}

fn look((key, _): &Text) -> Operation {
    Operation::Range(Range::one(Bytes(key.clone())))
}

/// Where a project's services are; none where they are not told.
fn folder(client: &Client, project: &str) -> Option<String> {
    client.config().publish().map(|prefix| format!("{prefix}{project}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_again_and_what_others_write_is_no_instance() {
        let value = br#"[{"instance":"web.2","host":"h1","address":"192.0.2.11","ports":[{"published":80,"target":8080,"protocol":"tcp"}]}]"#;
        let read = instances(value);
        assert_eq!((read[0].instance.to_string().as_str(), read[0].ports[0].published), ("web.2", 80));
        let (key, text) = text("/s/shop/", (&"web".to_owned(), &read));
        assert_eq!((key.as_slice(), text.as_deref()), (&b"/s/shop/web"[..], Some(&value[..])));
        assert_eq!(super::text("/s/", (&"web".to_owned(), &vec![])).1, None);
        for other in [&b"\xff"[..], b"{}", b"[1]", br#"[{"instance":"web","host":"h","address":"a"}]"#] {
            assert!(instances(other).is_empty());
        }
    }
}
