//! The optional member of an etcd cluster: what becomes of the machines, and the steps to that. Pure, but for [`authority`].
//!
//! Each member makes its own key, which stays there; `authority` certifies it on the operator's machine. A plan knows no certificate
//! before there is a key, so it has two halves: the steps up to the keys, and those from the certificates on.

pub mod authority;
mod config;
mod facts;
mod judge;
mod rest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;

use super::steps::Step;
use crate::config::machine;
use crate::plan::Note;
pub use facts::Facts;
pub use judge::judge;
pub use rest::rest;

/// What comes behind `look.sh`.
pub const LOOK: &str = include_str!("etcd/look.sh");

/// Debian's own etcd, the client by which it is asked, and what makes keys.
pub const PACKAGES: [&str; 3] = ["etcd-server", "etcd-client", "openssl"];

/// What is known of this machine where members are wanted.
#[derive(Clone, Debug)]
pub struct Here {
    /// What the cluster is told apart by from others that are made likewise.
    pub token: String,
    /// The folder of its authority, as it is told.
    pub folder: String,
    /// The certificate of the authority in PEM, where there is one already.
    pub authority: Option<String>,
}

/// Certificates in PEM: of the authority, and of members by the names of their hosts.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// That of the authority.
    pub authority: String,
    /// Those of the members.
    pub members: BTreeMap<String, String>,
}

/// The machines that are members, or become ones.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Each of them, in the order in which they join.
    pub machines: Vec<Machine>,
    /// What the user should know.
    pub notes: Vec<Note>,
    token: String,
    /// The members that there are by now: where peers reach each, and its name.
    members: BTreeMap<String, String>,
}

/// A machine that is a member, or becomes one.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Which.
    pub host: Arc<Host>,
    /// How one is root there, as the beginning of a command.
    root: &'static [&'static str],
    /// Where others reach it.
    address: IpAddr,
    is_installed: bool,
    /// What becomes of it.
    becomes: Becomes,
}

/// What becomes of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    /// What it is: a member that runs.
    Itself,
    /// One that runs.
    Started,
    /// One of those that begin a cluster.
    Founder,
    /// A member of the cluster that there is, which knows of it already or does not.
    Joined { is_known: bool },
}

impl Cluster {
    /// The steps on a host up to its key, and the packages that it lacks.
    pub fn before(&self, host: &str) -> (Vec<&'static str>, Option<Step>) {
        let Some(machine) = self.machines.iter().find(|machine| machine.host.name == host) else {
            return Default::default();
        };
        if !machine.is_new() {
            return Default::default();
        }
        let packages = if machine.is_installed { Vec::new() } else { PACKAGES.to_vec() };
        (packages, Some(Step::Key(host.to_owned())))
    }

    /// Those that need a certificate.
    pub fn new_members(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.is_new())
    }

    /// The URLs by which clients reach all of them.
    pub fn endpoints(&self) -> Vec<String> {
        let url = |member: &Machine| {
            let name = machine(&member.host.address);
            match name.parse::<IpAddr>() {
                Ok(address) => url(&address, CLIENTS),
                // A name with no dot is one of the `ssh_config`.
                Err(_) if name.contains('.') => format!("https://{name}:{CLIENTS}"),
                Err(_) => url(&member.address, CLIENTS),
            }
        };
        self.machines.iter().map(url).collect()
    }
}

impl Machine {
    fn is_new(&self) -> bool {
        matches!(self.becomes, Becomes::Founder | Becomes::Joined { .. })
    }

    /// All by which it is called, as a certificate has it.
    pub fn names(&self) -> String {
        let called = [self.host.name.as_str(), machine(&self.host.address)];
        let is_name = |name: &&str| {
            name.parse::<IpAddr>().is_err()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
        };
        let names = called.into_iter().filter(is_name).chain(["localhost"]).map(|name| format!("DNS:{name}"));
        let other = machine(&self.host.address).parse::<IpAddr>().ok();
        let here = ["127.0.0.1", "::1"].map(str::to_owned).into_iter();
        let addresses =
            [self.address].into_iter().chain(other).map(|address| address.to_string()).chain(here);
        let mut all: Vec<_> = names.chain(addresses.map(|address| format!("IP:{address}"))).collect();
        all.sort();
        all.dedup();
        all.join(",")
    }

    /// Where its peers reach it.
    fn peers(&self) -> String {
        url(&self.address, PEERS)
    }
}

/// The ports that IANA has registered for etcd.
const CLIENTS: u16 = 2379;
const PEERS: u16 = 2380;

fn url(address: &IpAddr, port: u16) -> String {
    format!("https://{}", std::net::SocketAddr::new(*address, port))
}
