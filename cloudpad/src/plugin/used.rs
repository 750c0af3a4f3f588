//! Which plugins that are not built in a project uses, and what they are on this machine. I/O: files, plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::{Cancel, Failure};

use super::choose::chosen;
use super::external::External;
use super::find::{self, Candidate, Carrier, Listing, Place};
use super::guard::unusable;
use super::lock::{ANY, Present, platform};
use super::setup::Setup;
use super::start::{self, head_of};
use crate::config::{Config, Problem};

/// A plugin that a project uses.
#[derive(Clone, Debug)]
pub struct Used {
    /// Its file.
    pub found: Candidate,
    /// Whether a stage is done by it: then it speaks the protocol.
    pub serves: bool,
}

/// The plugins that do a stage, those that the config names, and those that the project brings, by name.
///
/// # Errors
/// A problem for each that is missing or cannot be used.
pub fn used(config: &Config, listing: &Listing) -> Result<BTreeMap<String, Used>, Vec<Problem>> {
    let (mut used, mut problems) = (BTreeMap::new(), Vec::new());
    let own = listing.candidates().filter(|c| matches!(c.place, Place::Config | Place::Project));
    for found in own.filter_map(|own| find::named(listing, &own.name).used) {
        match &found.fault {
            Some(fault) => problems.push(Problem::new(unusable(found, fault))),
            None => drop(used.insert(found.name.clone(), Used { found: found.clone(), serves: false })),
        }
    }
    for (&stage, choice) in &config.stages {
        let Some(name) = &choice.provider else { continue };
        match chosen(listing, stage, name) {
            Ok(found) if matches!(found.carrier, Carrier::BuiltIn(_)) => {}
            Ok(found) => drop(used.insert(found.name.clone(), Used { found: found.clone(), serves: true })),
            Err(problem) => problems.push(problem),
        }
    }
    problems.dedup();
    if problems.is_empty() { Ok(used) } else { Err(problems) }
}

impl Setup {
    /// What a plugin is on this machine. One that does a stage is started and asked for its version.
    ///
    /// # Errors
    /// When its file cannot be read, is not the one that the user trusts, or does not start.
    pub fn present(&self, used: &Used) -> Result<Present, Failure> {
        let Used { found, serves } = used;
        let launch = self.launch(found);
        let sum = start::check(&launch)?;
        let is_script = head_of(&found.path).is_some_and(|head| head.is_script());
        let version = match serves {
            true => External::new(launch, self.limits, Arc::default()).hello(&Cancel::new())?.version,
            false => String::new(),
        };
        Ok(Present {
            name: found.name.clone(),
            file: found.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            version: Some(version).filter(|version| !version.is_empty()),
            platform: if is_script { ANY.to_owned() } else { platform() },
            sum,
        })
    }
}
