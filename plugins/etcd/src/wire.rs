//! The messages of etcd's JSON gateway (`etcdserver/etcdserverpb/rpc.proto` under proto3's rules for JSON: bytes in
//! base64, 64-bit numbers as strings). Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `RangeRequest`.
#[derive(Debug, Serialize)]
pub(crate) struct Range {
    pub key: Bytes,
    /// The first key that is not meant any more.
    pub range_end: Bytes,
    /// The most keys of one answer.
    pub limit: i64,
    /// As of which revision; 0 is the newest.
    pub revision: i64,
}

impl Range {
    /// What is at one key now.
    pub fn one(key: Bytes) -> Self {
        Self { key, range_end: Bytes::default(), limit: 1, revision: 0 }
    }
}

/// `RangeResponse`.
#[derive(Debug, Deserialize)]
pub(crate) struct Ranged {
    pub header: Header,
    #[serde(default)]
    pub kvs: Vec<KeyValue>,
    /// Whether there are keys after these.
    #[serde(default)]
    pub more: bool,
}

/// `WatchRequest`.
#[derive(Debug, Serialize)]
pub(crate) struct WatchRequest {
    pub create_request: CreateWatch,
}

/// `WatchCreateRequest`.
#[derive(Debug, Serialize)]
pub(crate) struct CreateWatch {
    pub key: Bytes,
    pub range_end: Bytes,
    /// The first revision that is told of.
    pub start_revision: i64,
}

/// A line of what a watch answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Watching {
    pub result: Heard,
}

/// `WatchResponse`.
#[derive(Debug, Deserialize)]
pub(crate) struct Heard {
    header: Header,
    #[serde(default)]
    canceled: bool,
    #[serde(default)]
    events: Vec<serde::de::IgnoredAny>,
}

impl Heard {
    /// The revision as of which something was changed; none within where that is not known any more. None where nothing was.
    pub fn changed(self) -> Option<Option<i64>> {
        match self {
            Self { canceled: true, .. } => Some(None),
            Self { events, header, .. } => (!events.is_empty()).then_some(Some(header.revision)),
        }
    }
}

/// `TxnRequest`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Transaction {
    pub compare: Vec<Compare>,
    pub success: Vec<Operation>,
    pub failure: Vec<Operation>,
}

/// `Compare`.
#[derive(Debug, Serialize)]
pub(crate) struct Compare {
    key: Bytes,
    range_end: Bytes,
    #[serde(flatten)]
    what: Compared,
}

/// What `Compare` compares; its `target` tells which field is meant.
#[derive(Debug, Serialize)]
#[serde(tag = "target")]
enum Compared {
    #[serde(rename = "VERSION")]
    Version { result: &'static str, version: i64 },
    #[serde(rename = "MOD")]
    Mod { result: &'static str, mod_revision: i64 },
}

impl Compare {
    /// Whether there is nothing from `key` on, up to `range_end`; without that, at `key`.
    pub fn is_absent(key: Bytes, range_end: Bytes) -> Self {
        Self { key, range_end, what: Compared::Version { result: "EQUAL", version: 0 } }
    }

    /// Whether all from `key` on, up to `range_end`, is as it was at a revision, be it absent.
    pub fn are_unchanged(key: Bytes, range_end: Bytes, revision: i64) -> Self {
        Self { key, range_end, what: Compared::Mod { result: "LESS", mod_revision: revision + 1 } }
    }
}

/// `RequestOp`.
#[derive(Debug, Serialize)]
pub(crate) enum Operation {
    /// `RangeRequest`.
    #[serde(rename = "request_range")]
    Range(Range),
    /// `PutRequest`.
    #[serde(rename = "request_put")]
    Put(Put),
    /// `DeleteRangeRequest`.
    #[serde(rename = "request_delete_range")]
    Delete(Delete),
    /// `TxnRequest`, which etcd has had there since 3.3.
    #[serde(rename = "request_txn")]
    Transaction(Transaction),
}

/// `PutRequest`.
#[derive(Debug, Serialize)]
pub(crate) struct Put {
    pub key: Bytes,
    pub value: Bytes,
}

/// `DeleteRangeRequest`.
#[derive(Debug, Serialize)]
pub(crate) struct Delete {
    pub key: Bytes,
    pub range_end: Bytes,
}

/// `TxnResponse`.
#[derive(Debug, Deserialize)]
pub(crate) struct Transacted {
    /// Whether what was compared was so.
    #[serde(default)]
    pub succeeded: bool,
    #[serde(default)]
    responses: Vec<Response>,
}

impl Transacted {
    /// The values that its ranges have found, and those of transactions within it.
    pub fn values(&self) -> Vec<&[u8]> {
        self.responses.iter().flat_map(Response::values).collect()
    }
}

/// `ResponseOp`, of which only ranges tell something.
#[derive(Debug, Deserialize)]
struct Response {
    response_range: Option<Found>,
    response_txn: Option<Transacted>,
}

impl Response {
    fn values(&self) -> Vec<&[u8]> {
        let own = self.response_range.iter().flat_map(|range| &range.kvs).map(|pair| &*pair.value.0);
        own.chain(self.response_txn.iter().flat_map(Transacted::values)).collect()
    }
}

/// What is wanted of a `RangeResponse` within a `ResponseOp`.
#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    kvs: Vec<KeyValue>,
}

/// `ResponseHeader`.
#[derive(Debug, Deserialize)]
pub(crate) struct Header {
    /// 0 where it is left out, as in what ends a watch.
    #[serde(default, deserialize_with = "number")]
    pub revision: i64,
}

/// `KeyValue`.
#[derive(Debug, Deserialize)]
pub(crate) struct KeyValue {
    pub key: Bytes,
    #[serde(default)]
    pub value: Bytes,
}

/// `AuthenticateRequest`.
#[derive(Serialize)]
pub(crate) struct Authenticate<'a> {
    pub name: &'a str,
    pub password: &'a str,
}

/// `AuthenticateResponse`.
#[derive(Deserialize)]
pub(crate) struct Authenticated {
    pub token: String,
}

/// What comes instead of an answer: `google.rpc.Status`, as the gateway writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    pub message: String,
    pub error: String,
    pub code: u32,
}

impl Refused {
    /// What is said of it.
    pub fn text(&self) -> &str {
        if self.message.is_empty() { &self.error } else { &self.message }
    }

    /// Whether another member may do better: `DEADLINE_EXCEEDED`, `INTERNAL`, `UNAVAILABLE`, and what is not known.
    pub fn is_of_member(&self) -> bool {
        matches!(self.code, 0 | 2 | 4 | 13 | 14)
    }

    /// Whether the revision that was asked for is gone: `OUT_OF_RANGE`.
    pub fn is_compacted(&self) -> bool {
        self.code == 11
    }
}

/// Bytes, in base64 on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        STANDARD.decode(&*text).map(Self).map_err(D::Error::custom)
    }
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(from)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(D::Error::custom),
    }
}

/// The first key after all that begin with `prefix`; `\0`, which has no end, where there is none.
pub(crate) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_key() {
        for (prefix, end) in
            [(&b"/a/"[..], &b"/a0"[..]), (b"a\xff", b"b"), (b"\xff\xff", b"\0"), (b"", b"\0")]
        {
            assert_eq!(end_of(prefix), end);
        }
    }

    #[test]
    fn numbers_come_as_text_and_values_may_be_left_out() {
        let text = r#"{"header":{"cluster_id":"1","revision":"7"},"kvs":[{"key":"YQ=="},{"key":"Yg==","value":"eA=="}],"count":"2"}"#;
        let ranged: Ranged = serde_json::from_str(text).unwrap();
        assert_eq!((ranged.header.revision, ranged.more), (7, false));
        let pairs: Vec<_> = ranged.kvs.into_iter().map(|kv| (kv.key.0, kv.value.0)).collect();
        assert_eq!(pairs, [(b"a".to_vec(), vec![]), (b"b".to_vec(), b"x".to_vec())]);
        assert!(serde_json::from_str::<Bytes>("\"!\"").is_err());
        let request = Range { key: Bytes(b"a".to_vec()), range_end: Bytes(vec![0]), limit: 2, revision: 7 };
        let text = r#"{"key":"YQ==","range_end":"AA==","limit":2,"revision":7}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }
}
