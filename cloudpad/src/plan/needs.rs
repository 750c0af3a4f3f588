//! Which of a project's images anybody needs, as far as its hosts tell. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::{ImageRef, Observation};
use cloudpad_plugin_api::stage::push::Stored;
use serde::Serialize;

use super::look::is_of;
use super::{CLUSTER, reference};
use crate::observed::Observed;

/// Who needs an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Uses {
    /// The hosts on which it runs.
    #[serde(rename = "hosts")]
    pub runs_on: BTreeSet<String>,
    /// The releases that hosts remember with it.
    pub releases: BTreeSet<String>,
    /// Whether somebody else does: a container that does not run, a one-off container, an environment that a host tells of.
    #[serde(rename = "others")]
    pub others: bool,
}

impl Uses {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, more: &Self) {
        self.runs_on.extend(more.runs_on.iter().cloned());
        self.releases.extend(more.releases.iter().cloned());
        self.others |= more.others;
    }
}

/// Which images are needed, as far as hosts tell.
#[derive(Debug, Default)]
pub struct Needs {
    /// By their names on hosts, `PROJECT.IMAGE:TAG`, and by their digests in a registry.
    by: BTreeMap<String, Uses>,
    /// The releases that any host remembers.
    releases: BTreeSet<String>,
    /// What may be made from any of them.
    unclear: Vec<String>,
}

impl Needs {
    /// Takes in what was seen in one environment.
    pub fn add(&mut self, observed: &Observed) {
        observed.seen().for_each(|(host, seen)| self.add_host(host, seen));
        observed.cluster.iter().for_each(|seen| self.add_cluster(seen));
    }

    /// Who has what may be made from any of them.
    pub(super) fn unclear(&self) -> &[String] {
        &self.unclear
    }

    /// Whether any host remembers the release that a tag for people tells: its id, perhaps with a revision.
    pub(super) fn remembers(&self, tag: &str) -> bool {
        self.releases.contains(tag.split_once('-').map_or(tag, |(id, _)| id))
    }

    /// The repositories of the project's images that anybody needs, whether or not the config has them.
    pub(super) fn repositories(&self, project: &Project) -> impl Iterator<Item = String> {
        let ours = self.by.keys().filter(|name| is_of(project, name));
        ours.map(|name| reference::repository(name).to_owned())
    }

    fn uses(&mut self, image: &str) -> &mut Uses {
        let name = image.split_once('@').map_or(image, |(_, digest)| digest);
        self.by.entry(name.to_owned()).or_default()
    }

    fn add_host(&mut self, host: &str, seen: &Observation) {
        for container in &seen.containers {
            match &container.spec {
                Some(spec) if container.state.is_up() => {
                    self.uses(&spec.image).runs_on.insert(host.to_owned());
                }
                Some(spec) => self.uses(&spec.image).others = true,
                None => self.unclear.push(format!("`{}` on `{host}`", container.name)),
            }
        }
        let one_offs = seen.one_offs.iter().map(|one_off| &one_off.image);
        for image in one_offs.chain(&seen.needed_elsewhere).filter(|image| !image.is_empty()) {
            self.uses(image).others = true;
        }
        for release in seen.releases.iter().flatten() {
            let specs = release.specs.values().map(|spec| spec.image.as_str());
            self.add_release(&release.id, specs, release.images.iter());
        }
    }

    fn add_cluster(&mut self, seen: &cluster::Observation) {
        for service in &seen.services {
            let spec = service.service.as_ref().map(|service| service.spec.image.as_str());
            let known =
                spec.into_iter().chain(Some(service.image.as_str()).filter(|image| image.contains('@')));
            let known: Vec<_> = known.collect();
            if known.is_empty() {
                self.unclear.push(format!("service `{}` of the cluster", service.name));
            }
            for image in known {
                self.uses(image).runs_on.insert(CLUSTER.to_owned());
            }
        }
        for release in seen.releases.iter().flatten() {
            let specs = release.services.values().map(|service| service.spec.image.as_str());
            // By the service's name, which is no image's.
            let images = release.images.values();
            self.add_release(&release.id, specs, images.map(|from| (&release.id, from)));
        }
    }

    fn add_release<'a>(
        &mut self,
        id: &str,
        specs: impl Iterator<Item = &'a str>,
        images: impl Iterator<Item = (&'a String, &'a ImageRef)>,
    ) {
        self.releases.insert(id.to_owned());
        let from = images.filter_map(|(_, from)| from.get().ok());
        for image in specs.chain(from) {
            self.uses(image).releases.insert(id.to_owned());
        }
    }

    /// Who needs what a registry has, under any of its names.
    pub(super) fn of(&self, repository: &str, stored: &Stored) -> Uses {
        let tags = stored.tags.iter().chain(&stored.releases);
        let names = tags.map(|tag| format!("{repository}:{tag}"));
        let names = names.chain(stored.built.clone()).chain([stored.digest.clone()]);
        let mut uses = Uses::default();
        names.filter_map(|name| self.by.get(&name)).for_each(|more| uses.add(more));
        uses
    }
}
