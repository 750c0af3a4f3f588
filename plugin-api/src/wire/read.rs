//! A line of the host, as a plugin reads it: what is wrong with one call does not end the session. Pure.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, FromHost};
use crate::lenient::or_empty;
use crate::stage::secrets::Values;
use crate::{Failure, Request, Stage};

/// What is the matter with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It does not follow the protocol: the session is over.
    Line(String),
    /// It is a call that cannot be carried out, and is answered so.
    Call {
        /// The call.
        id: u64,
        /// The answer.
        failure: Failure,
    },
}

/// The parts of a call that every call has.
#[derive(Deserialize)]
struct Head {
    id: u64,
    provider: String,
    #[serde(default)]
    config: Value,
    #[serde(default, deserialize_with = "or_empty")]
    key: String,
    #[serde(default, deserialize_with = "or_empty")]
    secrets: Values,
    method: String,
    #[serde(default)]
    params: Value,
}

impl FromHost {
    /// Reads one line, with or without its end.
    ///
    /// # Errors
    /// The line is no JSON object, or lacks what the protocol asks for; or it is a call whose method is
    /// not known here (`unsupported`), or whose parameters are not understood (`invalid`).
    pub fn read(line: &[u8]) -> Result<Self, Unreadable> {
        let broken = |why: &dyn std::fmt::Display| Unreadable::Line(format!("{why}"));
        let value: Value = serde_json::from_slice(line).map_err(|error| broken(&error))?;
        match value.get("t").and_then(Value::as_str) {
            None => Err(broken(&"it is no object with a field `t`")),
            Some("call") => {
                let head = Head::deserialize(value).map_err(|error| broken(&format!("a call: {error}")))?;
                call(head).map(FromHost::Call)
            }
            Some(_) => FromHost::deserialize(value).map_err(|error| broken(&error)),
        }
    }
}

fn call(head: Head) -> Result<Call, Unreadable> {
    let Head { id, provider, config, key, secrets, method, params } = head;
    let params = if params.is_null() { json!({}) } else { params };
    let request = Request::deserialize(json!({ "method": method, "params": params }));
    let request = request.map_err(|error| Unreadable::Call { id, failure: refusal(&method, &error) })?;
    Ok(Call { id, provider, config, key, secrets, request })
}

fn refusal(method: &str, error: &serde_json::Error) -> Failure {
    if is_known(method) {
        return Failure::invalid(format!("the parameters of `{method}` are not understood: {error}"))
            .hint("the plugin may be older than this version of Cloudpad asks for");
    }
    Failure::unsupported(method)
}

fn is_known(method: &str) -> bool {
    Stage::ALL.iter().any(|stage| stage.methods().contains(&method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_call_is_its_own_end_only() {
        let read = |line: &str| match FromHost::read(line.as_bytes()) {
            Err(Unreadable::Call { id, failure }) => format!("{id}: {:?}: {failure}", failure.kind),
            Err(Unreadable::Line(why)) => format!("over: {why}"),
            Ok(read) => format!("{read:?}").chars().take(20).collect(),
        };
        let call = |rest: &str| format!(r#"{{"t":"call","id":3,"provider":"x","method":{rest}}}"#);
        assert_eq!(
            read(&call(r#""deploy.sing","params":{}"#)),
            "3: Unsupported: `deploy.sing` is not offered by this provider"
        );
        assert_eq!(
            read(&call(r#""push.run","params":{"host":null}"#)),
            "3: Invalid: the parameters of `push.run` are not understood: missing field `reference`"
        );
        assert_eq!(read(&call(r#""inventory.list""#)), "Call(Call { id: 3, p");
        assert_eq!(read(r#"{"t":"applause","loud":true}"#), "Other");
        assert_eq!(read(r#"{"t":"call","id":3}"#), "over: a call: missing field `provider`");
        assert_eq!(read("[]"), "over: it is no object with a field `t`");
        assert_eq!(read("\"a call\""), "over: it is no object with a field `t`");
        assert!(read("{").starts_with("over: EOF while parsing"));
    }
}
