//! The second half of a plan: from the certificates on. Pure.

use super::super::plan::{command, push};
use super::super::steps::Step;
use super::config::config;
use super::{Becomes, Certificates, Cluster, Machine};
use crate::plan::Plan;

/// The steps from the certificates on. Those who begin a cluster start once all of them are prepared; those who join do it one after
/// the other, since etcd takes nobody in before the last one has come. Without certificates it shows what there will be to do.
pub fn rest(cluster: &Cluster, certificates: &Certificates) -> Plan {
    let mut rest = Rest { plan: Plan::default(), certificates };
    let with = |becomes: Becomes| cluster.machines.iter().filter(move |machine| machine.becomes == becomes);
    let mut before: Vec<u32> =
        with(Becomes::Started).map(|machine| rest.push(machine, &Step::Member, &[])).collect();
    let mut members = cluster.members.clone();
    members.extend(with(Becomes::Founder).map(|machine| (machine.peers(), machine.host.name.clone())));
    let mut prepared = Vec::new();
    for machine in with(Becomes::Founder) {
        let text = config(machine, &members, &cluster.token, true);
        prepared.push(rest.certify(machine, text, &[]));
    }
    for machine in with(Becomes::Founder) {
        rest.push(machine, &Step::Member, &prepared);
    }
    let Some(member) = cluster.machines.iter().find(|machine| !machine.is_new()) else { return rest.plan };
    for machine in &cluster.machines {
        let Becomes::Joined { is_known } = machine.becomes else { continue };
        members.insert(machine.peers(), machine.host.name.clone());
        if !is_known {
            let add = Step::Add { name: machine.host.name.clone(), peers: machine.peers() };
            before = vec![rest.push(member, &add, &before)];
        }
        let text = config(machine, &members, &cluster.token, false);
        let certified = rest.certify(machine, text, &before);
        before = vec![rest.push(machine, &Step::Member, &[certified])];
    }
    rest.plan
}

struct Rest<'a> {
    plan: Plan,
    certificates: &'a Certificates,
}

impl Rest<'_> {
    fn certify(&mut self, machine: &Machine, config: String, needs: &[u32]) -> u32 {
        let name = &machine.host.name;
        let certificate = self.certificates.members.get(name).cloned().unwrap_or_default();
        let step = Step::Certify { authority: self.certificates.authority.clone(), certificate, config };
        self.push(machine, &step, needs)
    }

    fn push(&mut self, machine: &Machine, step: &Step, needs: &[u32]) -> u32 {
        let request = command(&machine.host, machine.root, step);
        push(&mut self.plan, &machine.host, needs.to_vec(), request)
    }
}
