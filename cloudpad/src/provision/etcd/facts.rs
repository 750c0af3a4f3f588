//! What is so of etcd on a machine, as `look.sh` prints it. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of etcd on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where others reach the machine.
    pub address: Option<IpAddr>,
    /// Whether its program is there.
    pub is_installed: bool,
    /// Whether it has the data of a member.
    pub has_data: bool,
    /// Whether it runs.
    pub runs: bool,
    /// Whether it starts with the machine.
    pub starts: bool,
    /// Whether its configuration is one that was written by us.
    pub is_ours: bool,
    /// The members of its cluster: where peers reach each, and its name, which one that has not started yet has none of.
    pub members: BTreeMap<String, String>,
    /// The certificate of the authority that it trusts, in PEM.
    pub authority: String,
    /// A request to certify its key, in PEM.
    pub request: String,
}

impl Facts {
    /// Takes a line that was printed, without the word that all of these begin with.
    pub fn add(&mut self, line: &str) {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "address" => self.address = value.parse().ok(),
            "there" => self.is_installed = true,
            "data" => self.has_data = true,
            "runs" => self.runs = true,
            "starts" => self.starts = true,
            "ours" => self.is_ours = true,
            "member" => {
                let (peer, name) = value.split_once(' ').unwrap_or((value, ""));
                self.members.insert(peer.to_owned(), name.trim().to_owned());
            }
            "authority" => add_line(&mut self.authority, value),
            "request" => add_line(&mut self.request, value),
            _ => {}
        }
    }

    /// Whether it is a member of a cluster.
    pub fn is_member(&self) -> bool {
        self.has_data || self.runs
    }
}

fn add_line(text: &mut String, value: &str) {
    *text += value.strip_prefix('|').unwrap_or(value);
    text.push('\n');
}
