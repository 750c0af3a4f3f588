//! How an image gets to where it is needed: fetched, built, pushed, pulled, each once. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::stage::deploy::{About, ImageRef, Pull};
use cloudpad_plugin_api::stage::source::Resolved;
use cloudpad_plugin_api::stage::{build, push};
use cloudpad_plugin_api::{PushScope, Request};

use super::graph::{Graph, Node, key};
use super::look::{fetch, is_of, recipe};
use super::reference;
use super::sight::HostSight;
use super::stock::{Host, Stocks};
use super::{Goal, Origin, past};
use crate::config::{Config, Image};
use crate::inventory::Inventory;
use crate::observed::Observed;

/// The actions that bring images along, so far.
pub(super) struct Supply<'a> {
    config: &'a Config,
    inventory: &'a Inventory,
    observed: &'a Observed,
    goal: &'a Goal,
    fetched: BTreeMap<&'a str, Option<Node>>,
    built: BTreeMap<&'a str, Option<Node>>,
    pushed: BTreeMap<&'a str, Node>,
    /// What was brought to hosts by reference.
    brought: BTreeMap<(usize, &'a str), Node>,
    stocks: Stocks<'a>,
}

impl<'a> Supply<'a> {
    pub(super) fn new(
        config: &'a Config,
        inventory: &'a Inventory,
        observed: &'a Observed,
        goal: &'a Goal,
    ) -> Self {
        Self {
            config,
            inventory,
            observed,
            goal,
            fetched: BTreeMap::new(),
            built: BTreeMap::new(),
            pushed: BTreeMap::new(),
            brought: BTreeMap::new(),
            stocks: Stocks::new(config, observed, inventory.hosts().len()),
        }
    }

    /// The config's own words for these images.
    pub(super) fn named(&self, images: &BTreeSet<String>) -> Vec<&'a str> {
        self.config.images.keys().filter(|name| images.contains(*name)).map(String::as_str).collect()
    }

    /// The reference by which hosts know an image; none when nobody has looked at it.
    pub(super) fn reference(&self, image: &str) -> Option<&'a str> {
        match self.config.images.get(image)? {
            Image::Ready { reference } => Some(self.observed.meant(reference)),
            Image::Built(_) => self.observed.images.get(image).map(|image| image.reference.as_str()),
        }
    }

    /// Builds an image after those that it begins from; none when it is built, or is not to be.
    pub(super) fn build(&mut self, graph: &mut Graph, image: &'a str) -> Option<Node> {
        if let Some(node) = self.built.get(image) {
            return *node;
        }
        // Said before its bases are looked at: images that are based on each other come to an end too.
        self.built.insert(image, None);
        let node = self.build_now(graph, image);
        self.built.insert(image, node);
        node
    }

    fn build_now(&mut self, graph: &mut Graph, image: &'a str) -> Option<Node> {
        let Some(Image::Built(how)) = self.config.images.get(image) else { return None };
        let state = self.observed.images.get(image).filter(|state| !state.built)?;
        let recipe = recipe(self.config, &self.observed.sources, image)?;
        let mut needs: Vec<Node> = self.fetch(graph, &how.source).into_iter().collect();
        let mut known = BTreeMap::new();
        for base in how.bases() {
            needs.extend(self.build(graph, base));
            known.insert(base.to_owned(), self.reference(base)?.to_owned());
        }
        let reference = state.reference.clone();
        let key = format!("build/{reference}");
        let also = vec![format!("{}:{}", recipe.repository, self.goal.release)];
        let run = build::Run { recipe, reference, bases: known, also };
        Some(graph.add(key, None, needs, Request::BuildRun(Box::new(run))))
    }

    fn fetch(&mut self, graph: &mut Graph, name: &'a str) -> Option<Node> {
        if let Some(node) = self.fetched.get(name) {
            return *node;
        }
        let node = self.fetch_now(graph, name);
        self.fetched.insert(name, node);
        node
    }

    /// A source that is not pinned is where it is, and was prepared when it was looked at.
    fn fetch_now(&self, graph: &mut Graph, name: &str) -> Option<Node> {
        let source = self.observed.sources.get(name).filter(|source| source.pinned)?;
        let fetch = fetch(self.config, source, &self.goal.cache)?;
        let key = format!("fetch/{name}/{}", fetch.revision.as_deref().unwrap_or_default());
        Some(graph.add(key, None, Vec::new(), Request::SourceFetch(fetch)))
    }

    /// Pushes an image to the place from which hosts pull it.
    pub(super) fn push_shared(&mut self, graph: &mut Graph, image: &'a str) -> Option<Node> {
        if let Some(node) = self.pushed.get(image) {
            return Some(*node);
        }
        let reference = self.reference(image)?.to_owned();
        let needs = self.build(graph, image).into_iter().collect();
        let key = format!("push/{reference}");
        let run = push::Run { reference, host: None, similar: Vec::new() };
        let node = graph.add(key, None, needs, Request::PushRun(run));
        self.pushed.insert(image, node);
        Some(node)
    }

    /// Pushes an image to a host that lacks it.
    pub(super) fn push_to(&mut self, graph: &mut Graph, image: &'a str, host: Host<'_, 'a>) -> Option<Node> {
        let reference = self.reference(image)?;
        if let Some(known) = self.stocks.known(host).get(image) {
            return *known;
        }
        let needs = self.build(graph, image).into_iter().collect();
        let to = self.inventory.hosts()[host.0].clone();
        let key = key("push", &to.name, reference);
        let similar = self.stocks.similar(reference, host);
        let run = push::Run { reference: reference.to_owned(), host: Some(to), similar };
        let node = graph.add(key, None, needs, Request::PushRun(run));
        self.stocks.known(host).insert(image, Some(node));
        Some(node)
    }

    /// Has a cluster's nodes be able to pull an image: the push, where it is built here, else its reference.
    pub(super) fn push_for(
        &mut self,
        graph: &mut Graph,
        image: &'a str,
        config: &Config,
    ) -> (Option<Node>, String) {
        match config.images.get(image) {
            Some(Image::Built(_)) => (self.push_shared(graph, image), String::new()),
            _ => (None, self.reference(image).unwrap_or_default().to_owned()),
        }
    }

    /// From where hosts can pull an image, by its reference, where that is known or will be.
    pub(super) fn pull_from(&self, reference: &str) -> Option<(String, ImageRef)> {
        let pushed = self.pushed.iter().find(|(image, _)| self.reference(image) == Some(reference));
        let from = match pushed {
            Some((_, &pushed_by)) => ImageRef::PushedBy { pushed_by },
            None => (*past::pulls(self.observed).get(reference)?).clone(),
        };
        Some((reference.to_owned(), from))
    }

    /// Whether an image of a release is on a host, or can be brought there.
    pub(super) fn can_bring(&self, reference: &str, host: &HostSight<'_>) -> bool {
        self.is_there(reference, host) || self.whence(reference).is_some()
    }

    /// Brings an image of a release to a host; none when it is there.
    pub(super) fn bring_back(
        &mut self,
        graph: &mut Graph,
        reference: &'a str,
        (index, sight): Host<'_, 'a>,
    ) -> Option<Node> {
        if self.is_there(reference, sight) {
            return None;
        }
        if let Some(node) = self.brought.get(&(index, reference)) {
            return Some(*node);
        }
        let (image, tag) = self.whence(reference)?;
        let host = self.inventory.hosts()[index].clone();
        let key = key("pull", &host.name, reference);
        let node = graph.add(key, None, Vec::new(), Request::DeployPull(Pull { host, image, tag }));
        self.brought.insert((index, reference), node);
        Some(node)
    }

    fn is_there(&self, reference: &str, host: &HostSight<'_>) -> bool {
        match self.is_built(reference) {
            true => host.seen.has_built(reference),
            false => reference::is_on(reference, host.seen),
        }
    }

    /// What a host pulls to have an image of a release, and the tag that it gets there.
    fn whence(&self, reference: &str) -> Option<(ImageRef, Option<String>)> {
        if !self.is_built(reference) {
            return Some((ImageRef::Known(reference.to_owned()), None));
        }
        self.pull_from(reference).map(|(tag, from)| (from, Some(tag)))
    }

    /// Whether it is an image that the project builds: no registry is asked for one of that name.
    fn is_built(&self, reference: &str) -> bool {
        is_of(&self.config.project, reference) && !reference.contains('/')
    }

    /// What hosts are to remember of the plan's release.
    pub(super) fn about(&self) -> About {
        let Origin { by, from } = self.goal.origin.clone();
        if let Some(id) = &self.goal.restore {
            let restored = past::all(self.observed).find(|release| release.id == *id);
            let sources = restored.map(|release| release.about.sources.clone()).unwrap_or_default();
            let restores = Some(id.clone());
            return About { by, from, command: "rollback".to_owned(), restores, sources };
        }
        let revision = |source: &Resolved| {
            let changed = if source.dirty { "-dirty" } else { "" };
            Some((source.name.clone(), format!("{}{changed}", source.revision.as_ref()?)))
        };
        let sources = self.observed.sources.values().filter_map(revision).collect();
        About { by, from, command: "deploy".to_owned(), restores: None, sources }
    }

    /// Brings an image to a host, in whatever way; none when it is there.
    pub(super) fn bring(&mut self, graph: &mut Graph, image: &'a str, host: Host<'_, 'a>) -> Option<Node> {
        match self.config.images.get(image)? {
            Image::Built(_) if self.goal.push_scope == PushScope::Host => self.push_to(graph, image, host),
            _ => self.pull_to(graph, image, host),
        }
    }

    fn pull_to(&mut self, graph: &mut Graph, image: &'a str, host: Host<'_, 'a>) -> Option<Node> {
        let reference = self.reference(image)?;
        if let Some(known) = self.stocks.known(host).get(image) {
            return *known;
        }
        let (needs, from, tag) = match self.config.images.get(image)? {
            Image::Ready { .. } if reference::is_on(reference, host.1.seen) => {
                self.stocks.known(host).insert(image, None);
                return None;
            }
            Image::Ready { .. } => (Vec::new(), ImageRef::Known(reference.to_owned()), None),
            Image::Built(_) => {
                let push = self.push_shared(graph, image)?;
                (vec![push], ImageRef::PushedBy { pushed_by: push }, Some(reference.to_owned()))
            }
        };
        let by = self.inventory.hosts()[host.0].clone();
        let key = key("pull", &by.name, reference);
        let node = graph.add(key, None, needs, Request::DeployPull(Pull { host: by, image: from, tag }));
        self.stocks.known(host).insert(image, Some(node));
        Some(node)
    }
}
