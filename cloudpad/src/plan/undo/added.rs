//! What a failed plan has added to hosts, and its undo removes. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Clear, Remove};

use super::Undo;
use crate::plan::graph::{Graph, Node};
use crate::plan::look::is_of;
use crate::plan::rollout::named;
use crate::plan::sight::{HostSight, Sighted};

impl Undo<'_> {
    /// Removes what was not there before, host by host, when all else is done there.
    pub(super) fn remove(&self, graph: &mut Graph, stops: &[Option<Node>]) {
        let mut leaves: BTreeMap<Arc<str>, Vec<Node>> = BTreeMap::new();
        for (host, node) in graph.leaves_by_host() {
            leaves.entry(host).or_default().push(node);
        }
        for &index in &self.scope.hosts {
            let (Some(before), Some(now)) = (self.before.host(index), self.now.host(index)) else { continue };
            let host = self.inventory.hosts()[index].clone();
            let ours = |c: &Sighted<'_>| {
                self.started.contains(&(host.name.as_str(), c.name.as_str()))
                    && (!c.state.is_up() || stops[c.place].is_some())
            };
            let (containers, images) = added(before, now, &ours, &self.config.project);
            if containers.is_empty() {
                continue;
            }
            let mut needs = leaves.remove(host.name.as_str()).unwrap_or_default();
            needs.extend(containers.iter().filter_map(|c| stops[c.place]));
            let networks = self.networks(before, now, &containers);
            let containers = containers.iter().map(|c| named(c)).collect();
            let key = format!("remove/{}", host.name);
            let project = self.config.project.clone();
            let remove = Remove { host: host.clone(), project: project.clone(), containers, images };
            let node = graph.add(key, None, needs, Request::DeployRemove(remove));
            if !networks.is_empty() {
                let key = format!("clear/{}", host.name);
                let clear = Clear { host, project, networks, volumes: Vec::new() };
                graph.add(key, None, vec![node], Request::DeployClear(clear));
            }
        }
    }

    /// The project's networks, where none of its containers was on the host before and these are all: `remove` would not know of
    /// them, since nothing there tells of them.
    fn networks(&self, before: &HostSight<'_>, now: &HostSight<'_>, going: &[&Sighted<'_>]) -> Vec<String> {
        let stays = now.containers.len() > going.len() || !now.seen.one_offs.is_empty();
        if stays || !before.containers.is_empty() {
            return Vec::new();
        }
        let own = self.config.project.own("");
        let all = going.iter().filter_map(|c| c.spec).flat_map(|spec| &spec.networks);
        let networks: BTreeSet<&String> = all.filter(|name| name.starts_with(&own)).collect();
        networks.into_iter().cloned().collect()
    }
}

/// The containers that were not there before, as far as they are `ours`, by name, and the images that came
/// with them.
fn added<'a>(
    before: &HostSight<'_>,
    now: &'a HostSight<'a>,
    ours: &dyn Fn(&Sighted<'_>) -> bool,
    project: &Project,
) -> (Vec<&'a Sighted<'a>>, Vec<String>) {
    let known: BTreeSet<&str> = before.seen.containers.iter().map(|c| c.name.as_str()).collect();
    let is_added = |c: &Sighted<'_>| !known.contains(c.name.as_str()) && ours(c);
    let (mut added, others): (Vec<_>, Vec<_>) = now.containers.iter().partition(|c| is_added(c));
    added.sort_by(|a, b| a.name.cmp(&b.name));
    let is_used = |image: &String| {
        let made_from = |c: &Sighted<'_>| c.spec.is_none_or(|spec| spec.image == *image);
        before.seen.images.contains(image) || others.iter().copied().any(made_from)
    };
    let is_own = |image: &String| is_of(project, image) && now.seen.has_built(image);
    let images = added.iter().filter_map(|c| Some(c.spec?.image.clone()));
    let images: BTreeSet<String> = images.filter(|image| is_own(image) && !is_used(image)).collect();
    (added, images.into_iter().collect())
}
