//! What services need of the same host, where the hosts are known. Pure.
//!
//! A service that runs on all of its hosts is certain to be on each of them. One with fewer replicas
//! than hosts is not; what it may run into is judged when a plan is made.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use cloudpad_plugin_api::model::Protocol;

use super::ports::{same_socket, used};
use super::service::{SHARE, exclusive, source};
use crate::config::{Config, Count, MountMode, PortRange, Problem, Service};

/// A service and the indexes of its hosts.
pub(super) struct Placed<'a> {
    pub name: &'a str,
    pub service: &'a Service,
    pub hosts: BTreeSet<usize>,
}

impl Placed<'_> {
    /// Whether an instance runs on each of its hosts.
    fn is_everywhere(&self) -> bool {
        match self.service.count {
            Count::PerHost(count) => count > 0,
            Count::Replicas(count) => count as usize >= self.hosts.len(),
        }
    }

    /// How many instances there are on all hosts together.
    pub fn instances(&self) -> u32 {
        match self.service.count {
            Count::Replicas(count) => count,
            Count::PerHost(count) => {
                u32::try_from(self.hosts.len()).unwrap_or(u32::MAX).saturating_mul(count)
            }
        }
    }
}

pub(super) fn check(config: &Config, placed: &[Placed<'_>], problems: &mut Vec<Problem>) {
    for one in placed {
        crowded(one, problems);
    }
    let everywhere: Vec<_> = placed.iter().filter(|placed| placed.is_everywhere()).collect();
    ports(config, &everywhere, problems);
    mounts(config, &everywhere, problems);
}

/// Every service with its hosts.
pub(super) fn placed(config: &Config) -> Vec<Placed<'_>> {
    let mut by_role: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, host) in config.hosts.iter().enumerate() {
        by_name.insert(&host.name, index);
        for role in &host.roles {
            by_role.entry(role).or_default().push(index);
        }
    }
    let hosts = |service: &Service| -> BTreeSet<usize> {
        if service.roles.is_empty() && service.hosts.is_empty() {
            return (0..config.hosts.len()).collect();
        }
        let with_role = service.roles.iter().filter_map(|role| by_role.get(role.as_str())).flatten();
        let named = service.hosts.iter().filter_map(|name| by_name.get(name.as_str()));
        with_role.chain(named).copied().collect()
    };
    config.services.iter().map(|(name, service)| Placed { name, service, hosts: hosts(service) }).collect()
}

/// More replicas than hosts: two of them share a host, and with it all that only one can have.
fn crowded(placed: &Placed<'_>, problems: &mut Vec<Problem>) {
    let Count::Replicas(count) = placed.service.count else { return };
    let hosts = placed.hosts.len();
    if hosts == 0 || count as usize <= hosts {
        return;
    }
    let on = if hosts == 1 { "1 host".into() } else { format!("{hosts} hosts") };
    for (index, port) in placed.service.ports.iter().enumerate().filter(|(_, port)| port.first == port.last) {
        let key = format!("services.{}.ports.{index}", placed.name);
        let message = format!(
            "{count} replicas on {on}, but only one container on a host can have port {}",
            port.first
        );
        problems.push(
            Problem::at_key(key, message).hint("write a range with a port for each, such as `8001-8010:80`"),
        );
    }
    for (index, mount) in exclusive(placed.service) {
        let key = format!("services.{}.volumes.{index}", placed.name);
        let message = format!(
            "{count} replicas on {on}, but only one container on a host may have `{}`",
            source(mount)
        );
        problems.push(Problem::at_key(key, message).hint(SHARE));
    }
}

/// A host that both services run on.
fn common<'a>(config: &'a Config, one: &Placed<'_>, other: &Placed<'_>) -> Option<&'a str> {
    one.hosts.intersection(&other.hosts).next().map(|index| config.hosts[*index].name.as_str())
}

/// The port numbers that instances of the service are certain to have on each of its hosts.
fn certain(placed: &Placed<'_>, port: &PortRange) -> Option<RangeInclusive<u16>> {
    // Which replica is on which of several hosts is not known, but a fixed port is that of all.
    let known = matches!(placed.service.count, Count::PerHost(_))
        || placed.hosts.len() == 1
        || port.first == port.last;
    known.then(|| used(placed.service.count, port))
}

/// Tells each port range that runs into another service's, once.
fn ports(config: &Config, everywhere: &[&Placed<'_>], problems: &mut Vec<Problem>) {
    let mut taken: BTreeMap<(Protocol, u16), Vec<(&Placed<'_>, &PortRange)>> = BTreeMap::new();
    for placed in everywhere {
        for (index, port) in placed.service.ports.iter().enumerate() {
            let clash = certain(placed, port).into_iter().flatten().find_map(|number| {
                let holders = taken.get(&(port.protocol, number))?;
                let (other, _) = holders.iter().find(|(other, held)| {
                    same_socket(port, held) && common(config, placed, other).is_some()
                })?;
                Some((number, other.name, common(config, placed, other)?))
            });
            if let Some((number, other, host)) = clash {
                let message =
                    format!("service `{other}` has port {number} too, and both run on host `{host}`");
                problems.push(Problem::at_key(format!("services.{}.ports.{index}", placed.name), message));
            }
        }
        for port in &placed.service.ports {
            for number in certain(placed, port).into_iter().flatten() {
                taken.entry((port.protocol, number)).or_default().push((placed, port));
            }
        }
    }
}

/// Tells each volume that two services want to write to, of which one wants it for itself.
fn mounts(config: &Config, everywhere: &[&Placed<'_>], problems: &mut Vec<Problem>) {
    let mut writers: BTreeMap<&str, Vec<(&Placed<'_>, MountMode)>> = BTreeMap::new();
    for placed in everywhere {
        let written =
            placed.service.volumes.iter().enumerate().filter(|(_, mount)| mount.mode != MountMode::ReadOnly);
        for (index, mount) in written {
            let others = writers.entry(source(mount)).or_default();
            let clash = others.iter().find_map(|(other, mode)| {
                let alone = mount.mode == MountMode::Exclusive || *mode == MountMode::Exclusive;
                let elsewhere = other.name != placed.name;
                (alone && elsewhere).then(|| Some((other.name, common(config, placed, other)?))).flatten()
            });
            if let Some((other, host)) = clash {
                let message =
                    format!("service `{other}` has `{}` too, and both run on host `{host}`", source(mount));
                problems
                    .push(Problem::at_key(format!("services.{}.volumes.{index}", placed.name), message).hint(
                    "add `:shared` in both if they may write to it at once, or `:ro` where one only reads",
                ));
            }
            others.push((placed, mount.mode));
        }
    }
}
