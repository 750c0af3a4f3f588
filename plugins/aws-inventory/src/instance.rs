//! What `aws ec2 describe-instances` prints, as far as it matters here. Pure.

use cloudpad_plugin_api::Failure;
use serde::Deserialize;

/// An instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Instance {
    pub instance_id: String,
    #[serde(default)]
    state: State,
    #[serde(default)]
    placement: Placement,
    pub instance_type: Option<String>,
    pub image_id: Option<String>,
    pub vpc_id: Option<String>,
    pub private_ip_address: Option<String>,
    pub public_ip_address: Option<String>,
    pub private_dns_name: Option<String>,
    pub public_dns_name: Option<String>,
    #[serde(default)]
    network_interfaces: Vec<Interface>,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A tag, whose value may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Placement {
    availability_zone: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Interface {
    ipv6_addresses: Vec<Ipv6>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6 {
    ipv6_address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    reservations: Vec<Reservation>,
    /// Only there when there is more to come.
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reservation {
    #[serde(default)]
    instances: Vec<Instance>,
}

/// The instances of all reservations.
///
/// # Errors
/// It is something else, or not all of it.
pub(crate) fn read(printed: &[u8]) -> Result<Vec<Instance>, Failure> {
    let printed: Printed = serde_json::from_slice(printed).map_err(|error| {
        let begin = String::from_utf8_lossy(&printed[..printed.len().min(200)]).into_owned();
        Failure::failed(format!("`aws ec2 describe-instances` printed what is no list of instances: {error}"))
            .cause(format!("it begins with `{}`", begin.trim()))
            .hint("see whether `aws` on PATH is the AWS command line interface, version 1 or 2")
    })?;
    if printed.next_token.is_some() {
        let message = "`aws ec2 describe-instances` printed a part of the list and not all of it";
        return Err(
            Failure::failed(message).hint("look for an alias or a wrapper around `aws` that limits it")
        );
    }
    Ok(printed.reservations.into_iter().flat_map(|reservation| reservation.instances).collect())
}

impl Instance {
    /// Whether it is no machine any more, though EC2 tells of it for another hour.
    pub(crate) fn is_gone(&self) -> bool {
        ["terminated", "shutting-down"].contains(&self.state.name.as_str())
    }

    /// What a tag says, where there is one and it says something.
    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|tag| tag.key == key)?;
        Some(tag.value.trim()).filter(|value| !value.is_empty())
    }

    /// Its first IPv6 address.
    pub(crate) fn ipv6(&self) -> Option<&str> {
        let mut all = self.network_interfaces.iter().flat_map(|interface| &interface.ipv6_addresses);
        all.next().map(|address| address.ipv6_address.as_str())
    }

    pub(crate) fn availability_zone(&self) -> Option<&String> {
        self.placement.availability_zone.as_ref()
    }

    /// Which one it is, for people.
    pub(crate) fn called(&self) -> String {
        match self.tag("Name") {
            Some(name) => format!("`{}` (`{name}`)", self.instance_id),
            None => format!("`{}`", self.instance_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_or_not_all_of_it_is_refused() {
        for (printed, expected) in [
            ("", "what is no list of instances: EOF while parsing"),
            ("aws-cli/2.0", "what is no list of instances: expected value at line 1"),
            ("{}", "what is no list of instances: missing field `Reservations`"),
            (
                r#"{"Reservations":[{"Instances":[{}]}]}"#,
                "what is no list of instances: missing field `InstanceId`",
            ),
            (r#"{"Reservations":[],"NextToken":"x"}"#, "printed a part of the list and not all of it"),
        ] {
            let failure = read(printed.as_bytes()).unwrap_err();
            assert!(failure.message.contains(expected), "{printed}: {failure}");
        }
        assert!(read("né".repeat(200).as_bytes()).is_err(), "it is cut within a letter");
    }

    #[test]
    fn a_list_may_be_empty() {
        assert_eq!(read(br#"{"Reservations":[]}"#), Ok(Vec::new()));
    }
}
