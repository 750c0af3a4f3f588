//! What fleet's API v1 says and is told, and how its addresses are written. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::unit::{Desired, UnitOption};

/// A machine of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Machine {
    /// 32 hex digits.
    pub id: String,
    /// What its fleetd was told about it.
    pub metadata: BTreeMap<String, String>,
    /// Where the others reach it.
    #[serde(rename = "primaryIP")]
    pub primary_ip: String,
}

/// A unit as it was declared. What fleet says of its current state is left out: it is the same for one that runs and one that
/// has failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Its options in their order.
    #[serde(default)]
    pub options: Vec<UnitOption>,
    /// What it is to do.
    pub desired_state: Desired,
    /// Where it was sent; none where it is nowhere or everywhere.
    #[serde(default, rename = "machineID")]
    pub machine: Option<String>,
}

/// What systemd says of a unit on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Row {
    /// The unit's name.
    pub name: String,
    /// That of the text that is there, which may be an older one.
    pub hash: String,
    /// The machine.
    #[serde(rename = "machineID")]
    pub machine: String,
    /// `loaded`, or why it is not.
    #[serde(rename = "systemdLoadState")]
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` or `deactivating`.
    #[serde(rename = "systemdActiveState")]
    pub active: String,
    /// More of that, such as `running` or `auto-restart`.
    #[serde(rename = "systemdSubState")]
    pub sub: String,
}

/// A page of a list. What is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Page {
    pub machines: Vec<Machine>,
    pub units: Vec<Unit>,
    pub states: Vec<Row>,
    /// Where the list goes on. The last page may have one all the same.
    pub next_page_token: Option<String>,
}

/// The body of a PUT.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Put<'a> {
    pub desired_state: Desired,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub options: &'a [UnitOption],
}

/// What comes with a status that is an error.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    pub error: Refusal,
}

/// Why fleet refuses.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub message: String,
}

/// A part of a path or a query, percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            byte => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_plain_character_is_encoded() {
        assert_eq!(encoded("my\\x2dapp@1.service"), "my%5Cx2dapp%401.service");
        assert_eq!(encoded("AgACAA=="), "AgACAA%3D%3D");
    }

    #[test]
    fn what_is_empty_is_left_out_by_fleet() {
        let page: Page = serde_json::from_str("{}").unwrap();
        assert_eq!(page, Page::default());
        let unit = r#"{"currentState":"inactive","desiredState":"launched","name":"a.service"}"#;
        let unit: Unit = serde_json::from_str(unit).unwrap();
        assert_eq!((unit.machine, unit.options.len()), (None, 0));
    }
}
