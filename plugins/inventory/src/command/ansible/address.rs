//! How a host is reached, as its variables say. Pure.
//!
//! Those that only SSH itself needs (keys, jump hosts, options) are left to the user's `~/.ssh/config`.

use std::net::Ipv6Addr;

use cloudpad_plugin_api::model::Host;
use serde_json::Value;

use crate::command::json::kind;

/// The variables of a thing; where both are set, the first counts, as with Ansible.
const HOST: [&str; 2] = ["ansible_ssh_host", "ansible_host"];
const PORT: [&str; 2] = ["ansible_ssh_port", "ansible_port"];
const USER: [&str; 2] = ["ansible_ssh_user", "ansible_user"];
const CONNECTION: &str = "ansible_connection";

/// The address of host `name` with these variables.
pub(super) fn of<'a>(name: &str, variable: impl Fn(&str) -> Option<&'a Value>) -> Result<String, String> {
    let first =
        |keys: &[&'static str]| keys.iter().find_map(|key| text(name, key, variable(key)?).transpose());
    if let Some((_, connection)) = first(&[CONNECTION]).transpose()? {
        match connection.strip_prefix("ansible.builtin.").unwrap_or(&connection) {
            "local" => return Ok(Host::LOCAL.to_owned()),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => {}
            other => {
                return Err(format!(
                    "`{CONNECTION}` of host `{name}` is `{other}`, and hosts are reached by `ssh` or are `local`: \
                     have the program leave it out"
                ));
            }
        }
    }
    let said = first(&HOST).transpose()?;
    let what = said.as_ref().map_or("the name".to_owned(), |(key, _)| format!("`{key}`"));
    let host = place(said.as_ref().map_or(name, |(_, host)| host))
        .map_err(|why| format!("{what} of host `{name}` {why}"))?;
    let user = first(&USER).transpose()?.map(|(_, user)| format!("{user}@")).unwrap_or_default();
    let port = match first(&PORT).transpose()? {
        None => String::new(),
        Some((key, port)) => match port.parse::<u16>() {
            Ok(port @ 1..) => format!(":{port}"),
            _ => return Err(format!("`{key}` of host `{name}` is not between 1 and 65535")),
        },
    };
    Ok(format!("{user}{host}{port}"))
}

/// A host's name or IP address as it stands in an address.
fn place(host: &str) -> Result<String, &'static str> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let ip = inner.split_once('%').map_or(inner, |(ip, _)| ip);
    match host {
        Host::LOCAL => {
            Err("is `local`, which is this machine: say so by `ansible_connection`, or name it otherwise")
        }
        _ if ip.parse::<Ipv6Addr>().is_ok() => Ok(format!("[{inner}]")),
        _ if host.contains([':', '@']) => Err("is neither a host's name nor an IP address"),
        _ => Ok(host.to_owned()),
    }
}

/// The text of a variable, and its key; none where it is null.
fn text(name: &str, key: &'static str, value: &Value) -> Result<Option<(&'static str, String)>, String> {
    let fault = |why: &str| Err(format!("`{key}` of host `{name}` {why}"));
    let value = match value {
        Value::Object(marked) if marked.contains_key("__ansible_vault") => {
            return fault("is encrypted with Ansible's vault");
        }
        Value::Object(marked) if marked.len() == 1 => marked.get("__ansible_unsafe").unwrap_or(value),
        value => value,
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => fault("is empty"),
        Value::String(text) if text.contains("{{") || text.contains("{%") => {
            fault("is a template, which only Ansible can fill in: have the program print its value")
        }
        Value::String(text) => Ok(Some((key, text.clone()))),
        Value::Number(number) => Ok(Some((key, number.to_string()))),
        other => fault(&format!("is {}, and no string", kind(other))),
    }
}
