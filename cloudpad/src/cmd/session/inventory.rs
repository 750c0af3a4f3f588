//! Which hosts there are: those of the config, and those that the inventory lists, or has listed when it was last asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Hosts, Publication};
use cloudpad_plugin_api::{Failure, FailureKind, Stage};

use super::Session;
use crate::cmd::Refused;
use crate::config::{Config, Problem, StageChoice};
use crate::inventory::{Inventory, Selection};
use crate::look;
use crate::manifest::{self, Manifest};
use crate::plan::{self, Note};
use crate::project;
use crate::refusal::Refusal;
use crate::run::Runner;

/// How much of what is no host is told where the command goes on without.
const MOST_TOLD: usize = 10;

/// The commands after which instances may be elsewhere, and the one that tells ahead.
const PUBLISHING: [&str; 8] = ["deploy", "plan", "remove", "restart", "rollback", "scale", "start", "stop"];

impl Session {
    /// What the inventory tells others of the project's instances, where the command may change that. What is kept of an
    /// inventory that is not asked is told by nobody.
    pub(super) async fn published(&self) -> Result<Option<Publication>, Refusal> {
        match !self.cached && self.may_publish() {
            true => look::published(&self.runner, &self.config.project).await,
            false => Ok(None),
        }
    }

    fn may_publish(&self) -> bool {
        let Runner { providers, stop, .. } = &self.runner;
        PUBLISHING.contains(&self.command)
            && providers.offers(Stage::Inventory, "inventory.published", stop.cancel())
    }

    /// Which hosts there are.
    ///
    /// # Errors
    /// What keeps the inventory from telling; what is wrong with a host that it has listed.
    pub(in crate::cmd) fn inventory(&self) -> Result<Inventory, Refused> {
        self.inventory_without(&BTreeSet::new(), &self.config)
    }

    /// The same with the hosts of another config, beside those that this one's inventory lists, without these.
    pub(in crate::cmd) fn inventory_without(
        &self,
        names: &BTreeSet<&str>,
        config: &Config,
    ) -> Result<Inventory, Refused> {
        let inventory_of = |mut listed: Hosts| {
            listed.hosts.retain(|host| !names.contains(&*host.name));
            self.inventory_of(config, listed)
        };
        let refuses = |refusal| self.refuses(refusal);
        let has_inventory = self.runner.providers.has_inventory();
        let choice = self.config.stages.get(&Stage::Inventory).filter(|_| has_inventory);
        let Some(choice) = choice else { return inventory_of(Hosts::default()) };
        if self.cached {
            let manifest = self.kept(choice).map_err(refuses)?;
            self.say_so(choice, &manifest);
            return inventory_of(Hosts { hosts: manifest.hosts, ..Hosts::default() });
        }
        let listed = self.wait_for_look(look::listed(&self.runner));
        if self.runner.stop.is_requested() {
            return Err(Refusal::Stopped.into());
        }
        let listed = listed.map_err(|refusal| refuses(self.offered(choice, refusal)))?;
        let inventory = inventory_of(listed.clone())?;
        // What is not whole must not pass for it another time.
        if inventory.broken().is_empty() {
            self.keep_in(&self.manifest_file(), &Manifest::new(choice, project::now(), listed.hosts));
        }
        Ok(inventory)
    }

    /// The hosts that are meant, in the order of the file, whatever may run there.
    pub(in crate::cmd) fn selected(&self, selection: &Selection) -> Result<Vec<Arc<Host>>, Refused> {
        let inventory = self.inventory()?;
        let mut problems = Vec::new();
        let selected = inventory.selected(selection, &mut problems);
        if !problems.is_empty() {
            return Err(self.refuses(problems.into()));
        }
        Ok(selected.into_iter().map(|index| inventory.hosts()[index].clone()).collect())
    }

    /// The hosts that are meant. Nothing is asked of them.
    pub(in crate::cmd) fn hosts(&self, selection: &Selection) -> Result<Vec<Arc<Host>>, Refused> {
        let inventory = self.inventory()?;
        let scope = plan::scope(&self.config, &inventory, selection);
        let scope = scope.map_err(|problems| self.refuses(problems.into()))?;
        Ok(scope.hosts.iter().map(|&at| inventory.hosts()[at].clone()).collect())
    }

    /// Fails where there is what is no host and the command may change something: what is missing counts as gone, and what ran
    /// there would go elsewhere. Others tell of it.
    fn inventory_of(&self, config: &Config, listed: Hosts) -> Result<Inventory, Refused> {
        let inventory = Inventory::new(&config.hosts, listed);
        let inventory = inventory.map_err(|problems| self.refuses(problems.into()))?;
        let broken = inventory.broken();
        if !broken.is_empty() && self.lock.as_ref().is_some_and(|lock| !lock.skips_broken()) {
            let hint = "mend it there; or go ahead without it by `--skip-broken-hosts`";
            let problems: Vec<_> = broken.iter().map(|problem| problem.clone().hint(hint)).collect();
            return Err(self.refuses(problems.into()));
        }
        let is_told = !self.note_of_hosts(left_out(broken, self.command == "plan"));
        if broken.is_empty() || is_told {
            return Ok(inventory);
        }
        broken.iter().take(MOST_TOLD).for_each(|problem| self.term.warn(&problem.message));
        if let Some(more @ 1..) = broken.len().checked_sub(MOST_TOLD) {
            self.term.warn(&format!("{more} more of the inventory cannot be used either"));
        }
        if self.lock.is_none() {
            self.term.warn("until that is mended, no host is changed but with `--skip-broken-hosts`");
        }
        Ok(inventory)
    }

    /// Has what is kept of this inventory, for any environment, follow what was changed there: what was taken out must not come
    /// back by `--cached`.
    pub(in crate::cmd) fn keep_also(&self, change: impl Fn(&mut Vec<Host>)) {
        let Some(choice) = self.config.stages.get(&Stage::Inventory) else { return };
        for file in project::files_in(&self.cache).filter(|file| manifest::is_named_so(file)) {
            let Ok(Some(text)) = project::read_if_there(&file) else { continue };
            let Ok(mut manifest) = Manifest::read(&text) else { continue };
            if manifest.check(choice).is_ok() {
                change(&mut manifest.hosts);
                self.keep_in(&file, &manifest);
            }
        }
    }

    fn manifest_file(&self) -> PathBuf {
        self.cache.join(manifest::file_name(self.config.project.environment.as_deref()))
    }

    /// What the inventory has listed last.
    fn kept(&self, choice: &StageChoice) -> Result<Manifest, Refusal> {
        let file = self.manifest_file();
        let shown = file.display();
        let again = "without `--cached` the inventory is asked, and what it lists is kept";
        let Some(text) = project::read_if_there(&file)? else {
            let message = format!("nothing that the inventory has listed is kept: there is no `{shown}`");
            return Err(Refusal::new(message).hint(again));
        };
        let manifest = Manifest::read(&text).map_err(|why| {
            Refusal::new(format!("`{shown}` is not what was kept of the inventory: {why}")).hint(again)
        })?;
        let other = |why| Refusal::new(format!("`{shown}` is not of this inventory: {why}")).hint(again);
        manifest.check(choice).map_err(other)?;
        Ok(manifest)
    }

    /// Notes that the inventory was not asked.
    fn say_so(&self, choice: &StageChoice, manifest: &Manifest) {
        let (provider, when) = (choice.provider.as_deref().unwrap_or_default(), manifest.when(&self.time));
        let untold = if self.may_publish() { "; it tells nobody where instances are then" } else { "" };
        let message = format!(
            "inventory `{provider}` was not asked (`--cached`): its hosts are those of {when}{untold}"
        );
        self.term.detail(&message);
        self.note_of_hosts(Some(Note { incomplete: false, message }));
    }

    /// Has plans say it, and returns whether it is new.
    fn note_of_hosts(&self, note: Option<Note>) -> bool {
        let mut notes = self.of_hosts.borrow_mut();
        let new = note.filter(|note| !notes.contains(note));
        let is_new = new.is_some();
        notes.extend(new);
        is_new
    }

    /// The refusal of an inventory that does not answer, with what is kept of it.
    fn offered(&self, choice: &StageChoice, refusal: Refusal) -> Refusal {
        let Refusal::Failures(failures) = refusal else { return refusal };
        let Ok(manifest) = self.kept(choice) else { return Refusal::Failures(failures) };
        let offer = format!("`--cached` takes the hosts that it listed last: {}", manifest.when(&self.time));
        let offering = |failure: Failure| match failure.kind {
            FailureKind::Invalid | FailureKind::Cancelled => failure,
            _ => {
                let hint = failure.hint.as_ref().map_or(offer.clone(), |hint| format!("{hint}; {offer}"));
                failure.hint(hint)
            }
        };
        Refusal::Failures(failures.into_iter().map(offering).collect())
    }

    /// Keeps what was listed. Who only looks can do without.
    fn keep_in(&self, file: &Path, manifest: &Manifest) {
        if let Err(Refusal::Message { message, .. }) = project::write_private(file, &manifest.text()) {
            self.term.detail(&format!("{message}; what the inventory has listed is not kept"));
        }
    }
}

/// What a plan says of entries that are no hosts. Who has not been told to do without has not planned everything.
fn left_out(broken: &[Problem], incomplete: bool) -> Option<Note> {
    let told =
        broken.iter().take(MOST_TOLD).map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; ");
    let more = broken.len().checked_sub(MOST_TOLD).filter(|more| *more > 0);
    let more = more.map(|more| format!("; and {more} more")).unwrap_or_default();
    let message = format!("what cannot be used of the inventory is left out: {told}{more}");
    (!broken.is_empty()).then_some(Note { incomplete, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_what_is_no_host_and_not_without_end() {
        assert_eq!(left_out(&[], true), None);
        let broken: Vec<_> = (0..12).map(|n| Problem::new(format!("`{n}` is broken"))).collect();
        let note = left_out(&broken[..2], true);
        let message =
            "what cannot be used of the inventory is left out: `0` is broken; `1` is broken".to_owned();
        assert_eq!(note, Some(Note { incomplete: true, message }));
        let note = left_out(&broken, false).unwrap();
        assert!(!note.incomplete && note.message.ends_with("`9` is broken; and 2 more"), "{note:?}");
    }
}
