//! Host addresses and published ports. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cloudpad_plugin_api::model::{Host, Protocol};

use crate::config::{PortRange, Problem};

const ADDRESS: &str =
    "write `local` or `[user@]host[:port]`, an IPv6 address in brackets: `[2001:db8::1]:22`";

/// Checks `local` or `[user@]host[:port]`, and hands it back.
pub fn address(text: &str) -> Result<String, Problem> {
    if text == Host::LOCAL {
        return Ok(text.to_owned());
    }
    let fault = |why: &str| Err(Problem::new(format!("`{text}` is no address: {why}")).hint(ADDRESS));
    if text.contains("://") {
        return fault("it is a URL");
    }
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, text),
    };
    if user.is_some_and(|user| user.is_empty() || user.starts_with('-') || user.contains(is_odd)) {
        return fault("there is no usable user name before `@`");
    }
    let (host, port) = match split_port(place) {
        Ok(split) => split,
        Err(why) => return fault(why),
    };
    if port.is_some_and(|port| number(port).is_none()) {
        return fault("the port is not between 1 and 65535");
    }
    match host_fault(host) {
        Some(why) => fault(why),
        None => Ok(text.to_owned()),
    }
}

fn is_odd(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// `host` or `[v6]`, and the port behind its colon.
/// The host of an address, without a user and a port, and without brackets.
pub fn machine(address: &str) -> &str {
    let place = address.rsplit_once('@').map_or(address, |(_, place)| place);
    let host = split_port(place).map_or(place, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), &'static str> {
    if place.starts_with('[') {
        let close = place.find(']').ok_or("the bracket is not closed")?;
        let (host, rest) = place.split_at(close + 1);
        return match (rest, rest.strip_prefix(':')) {
            ("", _) => Ok((host, None)),
            (_, Some(port)) => Ok((host, Some(port))),
            _ => Err("only a port may follow the bracket"),
        };
    }
    match place.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("it has more than one colon"),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

fn host_fault(host: &str) -> Option<&'static str> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (ip, zone) = inner.split_once('%').map_or((inner, None), |(ip, zone)| (ip, Some(zone)));
        let good = ip.parse::<Ipv6Addr>().is_ok() && zone != Some("") && !inner.contains(is_odd);
        return (!good).then_some("there is no IPv6 address in the brackets");
    }
    if host.is_empty() {
        return Some("there is no host name");
    }
    if host == Host::LOCAL {
        return Some("`local` is the engine of this machine, without user and port");
    }
    // `-` first would be an option to ssh.
    if host.starts_with('-') || !host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        return Some("the host name has characters that no host name has");
    }
    let numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    (numeric && host.parse::<Ipv4Addr>().is_err()).then_some("it is not an IPv4 address")
}

const PORT: &str =
    "write `[IP:]HOST:CONTAINER[/udp]`, such as `8080:80`, or `8001-8010:80` for a port per instance";

/// Reads `[ip:]host[-last]:container[/protocol]`.
pub fn port(text: &str) -> Result<PortRange, Problem> {
    let fault = |why: &str| Problem::new(format!("`{text}` is no published port: {why}")).hint(PORT);
    let (rest, protocol) = protocol(text).ok_or_else(|| fault("the protocol is neither `tcp` nor `udp`"))?;
    let (rest, container) = rest.rsplit_once(':').ok_or_else(|| fault("the host's port is missing"))?;
    if container.contains('-') {
        return Err(fault("all instances have the same container port"));
    }
    let container =
        number(container).ok_or_else(|| fault("the container's port is not between 1 and 65535"))?;
    let (ip, range) = match rest.rsplit_once(':') {
        Some((ip, range)) => {
            (Some(listen(ip).ok_or_else(|| fault("it does not begin with an IP address"))?), range)
        }
        None => (None, rest),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(PortRange { ip, first, last, container, protocol }),
        (Some(_), Some(_)) => Err(fault("the range ends before it begins")),
        _ => Err(fault("the host's port is not between 1 and 65535")),
    }
}

fn protocol(text: &str) -> Option<(&str, Protocol)> {
    match text.split_once('/') {
        None => Some((text, Protocol::Tcp)),
        Some((rest, "tcp")) => Some((rest, Protocol::Tcp)),
        Some((rest, "udp")) => Some((rest, Protocol::Udp)),
        Some(_) => None,
    }
}

pub fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0 && text.bytes().all(|b| b.is_ascii_digit()))
}

/// An address to listen on, an IPv6 address in brackets.
fn listen(text: &str) -> Option<String> {
    let ip: IpAddr = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok()?.into(),
        None => text.parse::<Ipv4Addr>().ok()?.into(),
    };
    Some(ip.to_string())
}

/// Writes a port so that [`port`] reads it.
pub fn port_text(port: &PortRange) -> String {
    let ip = match &port.ip {
        Some(ip) if ip.contains(':') => format!("[{ip}]:"),
        Some(ip) => format!("{ip}:"),
        None => String::new(),
    };
    let last = if port.last == port.first { String::new() } else { format!("-{}", port.last) };
    let protocol = if port.protocol == Protocol::Udp { "/udp" } else { "" };
    format!("{ip}{}{last}:{}{protocol}", port.first, port.container)
}
