//! Whether hosts have room for the images that a plan brings there. Pure.
//!
//! It is told beside a plan and is not what one is made from: what is free changes by itself, and a plan that was saved
//! does not get out of date by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Disk, Look};

use super::{Note, Plan};
use crate::config::Problem;
use crate::inventory::{Inventory, list};
use crate::observed::{HostState, Observed};
use crate::words::bytes;

/// What should be left free, at the most: below that, engines and what they run begin to fail in ways that
/// are hard to understand.
const MOST_LEFT: u64 = 1_000_000_000;

/// An image on its way to a host.
struct Parcel<'a> {
    reference: &'a str,
    /// What it takes there in bytes, where that is known: it is built, and the host has nothing like it.
    size: Option<u64>,
}

/// What a plan brings to each host.
fn parcels<'a>(plan: &'a Plan, observed: &Observed) -> BTreeMap<&'a str, (&'a Arc<Host>, Vec<Parcel<'a>>)> {
    let built = observed.images.values().filter(|image| image.built);
    let sizes: BTreeMap<&str, u64> =
        built.filter_map(|image| Some((&*image.reference, image.size?))).collect();
    let mut hosts = BTreeMap::new();
    for action in &plan.actions {
        let (host, reference, size) = match &action.request {
            Request::PushRun(push) => {
                let Some(host) = &push.host else { continue };
                let size = sizes.get(&*push.reference).filter(|_| push.similar.is_empty()).copied();
                (host, push.reference.as_str(), size)
            }
            Request::DeployPull(pull) => (&pull.host, pull.tag.as_deref().unwrap_or_default(), None),
            _ => continue,
        };
        let (_, parcels) = hosts.entry(host.name.as_str()).or_insert_with(|| (host, Vec::new()));
        parcels.push(Parcel { reference, size });
    }
    hosts
}

/// One `deploy.host` for each host to which the plan brings images.
pub fn look_for_room(plan: &Plan) -> Vec<Request> {
    let hosts = parcels(plan, &Observed::default()).into_values();
    hosts.map(|(host, _)| Request::DeployHost(Look { host: host.clone() })).collect()
}

/// What there is to say of hosts whose disk has so much free, by their names.
///
/// # Errors
/// Hosts on which an image has no room for certain, since they have no image yet that it could share anything with.
pub fn room(
    plan: &Plan,
    inventory: &Inventory,
    observed: &Observed,
    disks: &BTreeMap<String, Disk>,
) -> Result<Vec<Note>, Vec<Problem>> {
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    for (host, (_, parcels)) in parcels(plan, observed) {
        let Some(disk) = disks.get(host) else { continue };
        let is_empty =
            matches!(observed.hosts.get(host), Some(HostState::Seen(seen)) if seen.images.is_empty());
        let too_large = |parcel: &&Parcel<'_>| is_empty && parcel.size.is_some_and(|size| size > disk.free);
        match parcels.iter().find(too_large) {
            Some(parcel) => {
                let problem = Problem::at_key(inventory.key(host), does_not_fit(host, parcel, disk));
                problems.push(problem.hint(make_room(host)));
            }
            None => notes.extend(is_low(host, &parcels, disk)),
        }
    }
    if problems.is_empty() { Ok(notes) } else { Err(problems) }
}

fn does_not_fit(host: &str, parcel: &Parcel<'_>, disk: &Disk) -> String {
    let (reference, size) = (parcel.reference, bytes(parcel.size.unwrap_or_default()));
    format!("image `{reference}` has no room on `{host}`: it takes {size}, and {}", free(disk))
}

fn free(disk: &Disk) -> String {
    let path = if disk.path.is_empty() { String::new() } else { format!(" in `{}`", disk.path) };
    format!("{} of {} are free{path}", bytes(disk.free), bytes(disk.size))
}

fn make_room(host: &str) -> String {
    format!(
        "`cloudpad prune --host {host}` removes what the project does not need any more there, `docker system df` tells what else there is"
    )
}

/// That a host would have little left with these images.
fn is_low(host: &str, parcels: &[Parcel<'_>], disk: &Disk) -> Option<Note> {
    let known: Vec<&Parcel<'_>> = parcels.iter().filter(|parcel| parcel.size.is_some()).collect();
    let needed: u64 = known.iter().filter_map(|parcel| parcel.size).sum();
    if disk.free.saturating_sub(needed) >= MOST_LEFT.min(disk.size / 10) {
        return None;
    }
    let takes = match known.len() {
        0 => String::new(),
        count => {
            let take = if count == 1 { "takes" } else { "take" };
            let names = list(known.iter().map(|parcel| parcel.reference));
            format!(", and {names} {take} up to {}", bytes(needed))
        }
    };
    let message = format!("`{host}` is low on disk: {}{takes}; {}", free(disk), make_room(host));
    Some(Note { incomplete: false, message })
}
