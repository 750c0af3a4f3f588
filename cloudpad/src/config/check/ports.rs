//! Ports of one service that cannot all be had. Pure.

use crate::config::grammar::network::port_text;
use crate::config::{Count, PortRange, Problem, Service};

pub(super) fn check(name: &str, service: &Service, problems: &mut Vec<Problem>) {
    for (index, port) in service.ports.iter().enumerate() {
        let key = || format!("services.{name}.ports.{index}");
        if let Some(other) = service.ports[..index].iter().find(|other| clash(service.count, port, other)) {
            let message = format!("`{}` takes a port that `{}` has", port_text(port), port_text(other));
            problems.push(Problem::at_key(key(), message));
        }
        if let Some(problem) = too_few(service, port) {
            problems.push(Problem { place: Some(crate::config::Place::Key(key())), ..problem });
        }
    }
}

/// Whether the two share a port, of those that instances have.
fn clash(count: Count, one: &PortRange, other: &PortRange) -> bool {
    let (one_used, other_used) = (used(count, one), used(count, other));
    let overlap = one_used.start().max(other_used.start()) <= one_used.end().min(other_used.end());
    overlap && same_socket(one, other)
}

/// The ports of a range that instances have, if there were as many of them on one host; at least the first.
pub(super) fn used(count: Count, port: &PortRange) -> std::ops::RangeInclusive<u16> {
    let more = u16::try_from(instances(count).saturating_sub(1)).unwrap_or(u16::MAX);
    port.first..=port.first.saturating_add(more).min(port.last)
}

/// Whether a port number in both is the same socket.
pub(super) fn same_socket(one: &PortRange, other: &PortRange) -> bool {
    one.protocol == other.protocol && (is_any(one) || is_any(other) || one.ip == other.ip)
}

fn is_any(port: &PortRange) -> bool {
    matches!(port.ip.as_deref(), None | Some("0.0.0.0" | "::"))
}

/// A fixed port serves one instance on a host, a range as many as it has ports.
fn too_few(service: &Service, port: &PortRange) -> Option<Problem> {
    let ports = u32::from(port.last - port.first) + 1;
    let wide = u32::from(port.first).saturating_add(instances(service.count)).saturating_sub(1);
    let hint = match u16::try_from(wide) {
        Ok(last) => format!("write a range: `{}`", port_text(&PortRange { last, ..port.clone() })),
        Err(_) => "write a range with a port for each".into(),
    };
    match service.count {
        Count::PerHost(count) if ports == 1 && count > 1 => Some(Problem::new(format!(
            "`per_host` is {count}, but only one container on a host can have port {}",
            port.first
        ))),
        Count::PerHost(count) | Count::Replicas(count) if ports > 1 && ports < count => {
            Some(Problem::new(format!("{count} instances need {count} ports, but the range has {ports}")))
        }
        _ => None,
    }
    .map(|problem| problem.hint(hint))
}

/// The highest number that an instance has.
fn instances(count: Count) -> u32 {
    match count {
        Count::Replicas(count) | Count::PerHost(count) => count,
    }
}
