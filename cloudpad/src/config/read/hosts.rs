//! `[hosts.NAME]`. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Host;

use crate::config::Problem;
use crate::config::grammar::{name, network};
use crate::config::section::Section;

/// The hosts in the order of the file, this machine where neither the file nor an inventory has any;
/// and whether none was left out for a problem.
pub(super) fn read(file: &Section<'_>, has_inventory: bool) -> (Vec<Host>, bool) {
    let Some(section) = file.section("hosts").filter(|section| section.keys().next().is_some()) else {
        let hosts = if has_inventory { Vec::new() } else { vec![Host::new(Host::LOCAL, Host::LOCAL)] };
        return (hosts, !file.has("hosts") || file.section("hosts").is_some());
    };
    let mut by_address = BTreeMap::new();
    let mut hosts = Vec::new();
    let sections = section.named(name::host);
    for (name, section) in &sections {
        let Some(host) = section.sound(|section| host(name, section)) else { continue };
        match by_address.insert(host.address.to_lowercase(), *name) {
            Some(other) => section.problem("address", same_address(other)),
            None => hosts.push(host),
        }
    }
    let complete = hosts.len() == section.keys().count();
    (hosts, complete)
}

fn same_address(other: &str) -> Problem {
    Problem::new(format!("host `{other}` has this address too"))
        .hint("a machine is one host; give it all its roles in one place")
}

fn host(name: &str, section: &Section<'_>) -> Option<Host> {
    if !section.has("address") {
        section.problem("address", Problem::new(format!("host `{name}` has no address"))
            .hint("add `address = \"[user@]host[:port]\"`, or `address = \"local\"` for the engine of this machine"));
    }
    let address = section.parse("address", network::address);
    let roles = section.set("roles", name::owned_word);
    let labels = section.map("labels", name::any_label, super::services::plain);
    Some(Host { name: name.to_owned(), address: address?, roles, labels })
}
