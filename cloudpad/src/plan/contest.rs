//! Wanted containers that cannot be on one host together, since both need the same port or volume. Pure.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::claims::same_address;
use super::spec::Wanted;
use super::unit::Which;
use crate::config::Problem;
use crate::inventory::Inventory;

/// What the wanted containers of all hosts claim.
#[derive(Default)]
pub(super) struct Contest<'a> {
    claims: Vec<Claim<'a>>,
}

/// What a container needs for itself.
struct Claim<'a> {
    host: usize,
    which: Which<'a>,
    wanted: Rc<Wanted<'a>>,
}

/// Two claims to the same, by their places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Clash {
    by: usize,
    need: Need,
    with: usize,
}

/// What the later claim of a clash is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Its Nth port.
    Port(usize),
    /// Its Nth volume.
    Volume(usize),
}

impl<'a> Contest<'a> {
    /// Adds what an instance needs on a host.
    pub(super) fn add(&mut self, host: usize, which: Which<'a>, wanted: &Rc<Wanted<'a>>) {
        if !(wanted.spec.ports.is_empty() && wanted.exclusive.is_empty()) {
            self.claims.push(Claim { host, which, wanted: Rc::clone(wanted) });
        }
    }

    /// What cannot be. It is said once for two instances, and not again for each host.
    pub(super) fn problems(&self, inventory: &Inventory) -> Vec<Problem> {
        let mut places: Vec<usize> = (0..self.claims.len()).collect();
        places.sort_by_key(|&place| self.claims[place].host);
        let mut clashes = Vec::new();
        for places in places.chunk_by(|&a, &b| self.claims[a].host == self.claims[b].host) {
            self.ports(places, &mut clashes);
            self.volumes(places, &mut clashes);
        }
        clashes.sort_unstable();
        let mut told = BTreeSet::new();
        clashes.retain(|clash| {
            let instances = (self.claims[clash.by].which, self.claims[clash.with].which);
            told.insert((matches!(clash.need, Need::Port(_)), instances))
        });
        clashes.iter().map(|clash| self.problem(clash, inventory)).collect()
    }

    /// Claims of one host to the same port; a claim may be to the same address as several earlier ones.
    fn ports(&self, places: &[usize], clashes: &mut Vec<Clash>) {
        let ports = |&by: &usize| {
            let ports = self.claims[by].wanted.spec.ports.iter().enumerate();
            ports.map(move |(nth, port)| ((port.published, port.protocol), by, nth))
        };
        let mut needs: Vec<_> = places.iter().flat_map(ports).collect();
        needs.sort_unstable();
        let ip = |by: usize, nth: usize| self.claims[by].wanted.spec.ports[nth].host_ip.as_deref();
        for same in needs.chunk_by(|a, b| a.0 == b.0) {
            for (at, &(_, by, nth)) in same.iter().enumerate() {
                let mut before = same[..at].iter();
                let other = before
                    .find(|(_, by_other, nth_other)| same_address(ip(*by_other, *nth_other), ip(by, nth)));
                clashes.extend(other.map(|&(_, with, _)| Clash { by, need: Need::Port(nth), with }));
            }
        }
    }

    /// Claims of one host to the same volume.
    fn volumes(&self, places: &[usize], clashes: &mut Vec<Clash>) {
        let volumes = |&by: &usize| {
            let volumes = self.claims[by].wanted.exclusive.iter().enumerate();
            volumes.map(move |(nth, volume)| (volume.as_str(), by, nth))
        };
        let mut needs: Vec<_> = places.iter().flat_map(volumes).collect();
        needs.sort_unstable();
        for pair in needs.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let ((_, with, _), (_, by, nth)) = (pair[0], pair[1]);
            clashes.push(Clash { by, need: Need::Volume(nth), with });
        }
    }

    fn problem(&self, clash: &Clash, inventory: &Inventory) -> Problem {
        let (claim, other) = (&self.claims[clash.by], &self.claims[clash.with]);
        let host = &inventory.hosts()[claim.host].name;
        let both = format!("`{}` and `{}`", other.which.instance(), claim.which.instance());
        let service = claim.which.service;
        match clash.need {
            Need::Port(nth) => {
                let port = claim.wanted.spec.ports[nth].published;
                let message = format!("{both} both need port {port} of `{host}`");
                Problem::at_key(format!("services.{service}.ports"), message)
                    .hint("publish a range of ports, or let them run on different hosts")
            }
            Need::Volume(nth) => {
                let volume = &claim.wanted.exclusive[nth];
                let message = format!("{both} would both write to `{volume}` of `{host}`");
                Problem::at_key(format!("services.{service}.volumes"), message)
                    .hint("mount it `:shared` when the application can bear that, or `:ro`")
            }
        }
    }
}
