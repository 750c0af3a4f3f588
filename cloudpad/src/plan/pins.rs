//! Which bytes ready images stand for: what their registries have now under the name in the config, or what runs. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::stage::deploy::{Digests, Resolve};
use cloudpad_plugin_api::{Failure, Request};

use super::{Note, Scope, past, reference};
use crate::config::{Config, Image};
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed, Pin};

/// The question what the scope's ready images mean now, to the first host that can ask; none where there is nothing to ask, or
/// nobody who can.
pub fn look_pins(
    config: &Config,
    inventory: &Inventory,
    scope: &Scope,
    hosts: &BTreeMap<String, HostState>,
) -> Option<Request> {
    let open = open(config, scope);
    let can = |name: &str| matches!(hosts.get(name), Some(HostState::Seen(seen)) if seen.resolves);
    let host = inventory.hosts().iter().find(|host| can(&host.name)).filter(|_| !open.is_empty())?;
    let images = open.into_iter().map(str::to_owned).collect();
    Some(Request::DeployResolve(Resolve { host: host.clone(), images }))
}

/// The references that may mean something else tomorrow.
fn open<'a>(config: &'a Config, scope: &Scope) -> BTreeSet<&'a str> {
    let ready = scope.images.iter().filter_map(|name| match config.images.get(name)? {
        Image::Ready { reference } if !reference.contains('@') => Some(reference.as_str()),
        _ => None,
    });
    ready.collect()
}

/// What they mean, by the reference in the config. Where a registry does not tell, it is what runs or ran last, or what hosts have
/// under that name.
///
/// # Errors
/// Why it is not known, of each image that no host has either.
pub fn pins(told: Digests, observed: &Observed) -> Result<BTreeMap<String, Pin>, Vec<Failure>> {
    let (mut pins, mut failures) = (BTreeMap::new(), Vec::new());
    for told in told.images {
        if let Some(digest) = told.digest {
            let pin = Pin { reference: format!("{}@{digest}", told.image), kept: None };
            pins.insert(told.image, pin);
            continue;
        }
        let none = || Failure::failed(format!("it is not known what `{}` is in its registry", told.image));
        let failure = told.failure.unwrap_or_else(none);
        let there = || observed.seen().any(|(_, seen)| reference::is_on(&told.image, seen));
        match last(&told.image, observed) {
            Some(last) => {
                let pin = Pin { reference: last, kept: Some(failure.message) };
                pins.insert(told.image, pin);
            }
            // One that is in no registry.
            None if there() => {}
            None => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(pins) } else { Err(failures) }
}

/// What hosts run of it, or have run last.
fn last(image: &str, observed: &Observed) -> Option<String> {
    let pinned = |text: &str| text.rsplit_once('@').is_some_and(|(name, _)| name == image);
    let containers = observed.seen().flat_map(|(_, seen)| &seen.containers);
    let running = containers.filter_map(|container| {
        let spec = container.spec.as_ref().filter(|spec| pinned(&spec.image))?;
        Some(((container.state.is_up(), container.created), spec.image.as_str()))
    });
    let running = running.max().map(|(_, image)| image);
    let releases = past::all(observed).filter_map(|release| {
        let spec = release.specs.values().find(|spec| pinned(&spec.image))?;
        Some((release.id.as_str(), spec.image.as_str()))
    });
    let remembered = || releases.max().map(|(_, image)| image);
    running.or_else(remembered).map(str::to_owned)
}

/// What is kept since a registry does not tell.
pub(super) fn notes(observed: &Observed) -> Vec<Note> {
    let kept = observed.pins.values().filter_map(|pin| {
        let why = pin.kept.as_ref()?;
        Some(Note { incomplete: false, message: format!("`{}` stays what it was: {why}", pin.reference) })
    });
    kept.collect()
}
