//! Which images are on each host. Pure.
//!
//! This is asked for one image on very many hosts, then for the next, so what is found on a host is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Node;
use super::look::repository;
use super::reference;
use super::sight::HostSight;
use crate::config::{Config, Image};
use crate::observed::Observed;

/// A host by its place in the inventory, and as it was seen.
pub(super) type Host<'h, 'a> = (usize, &'h HostSight<'a>);

/// The images of hosts, as far as anybody has asked.
pub(super) struct Stocks<'a> {
    /// The images of the config that are built, by their references.
    built: BTreeMap<&'a str, Vec<&'a str>>,
    /// The repositories of the images that are built.
    repositories: BTreeSet<String>,
    /// By host.
    known: Vec<Option<BTreeMap<&'a str, Option<Node>>>>,
    /// For each host the project's own images that are there, in use ones first, each with its repository.
    ours: Vec<Option<Vec<(&'a str, &'a str)>>>,
}

impl<'a> Stocks<'a> {
    pub(super) fn new(config: &'a Config, observed: &'a Observed, hosts: usize) -> Self {
        let images = config.images.iter().filter(|(_, image)| matches!(image, Image::Built(_)));
        let mut built: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
        for (name, state) in images.clone().filter_map(|(name, _)| Some((name, observed.images.get(name)?))) {
            built.entry(&state.reference).or_default().push(name);
        }
        let repositories = images.map(|(name, _)| repository(&config.project, name)).collect();
        Self { built, repositories, known: vec![None; hosts], ours: vec![None; hosts] }
    }

    /// What is known of a host's images, by their names in the config: that one is there already, or the action
    /// that brings it. All that are built and there are known.
    pub(super) fn known(&mut self, (index, sight): Host<'_, 'a>) -> &mut BTreeMap<&'a str, Option<Node>> {
        self.known[index].get_or_insert_with(|| {
            let there = sight.seen.all_built().iter().filter_map(|image| self.built.get(image.as_str()));
            let mut known = BTreeMap::new();
            known.extend(there.flatten().map(|name| (*name, None)));
            known
        })
    }

    /// What a host has that may share layers with the image: other tags of its repository, those in use
    /// first, then the project's other images.
    pub(super) fn similar(&mut self, wanted: &str, (index, sight): Host<'_, 'a>) -> Vec<String> {
        const ENOUGH: usize = 8;
        let ours = self.ours[index].get_or_insert_with(|| ours(&self.repositories, sight));
        let repository = reference::repository(wanted);
        let own = ours.iter().filter(|(of, _)| *of == repository);
        let others = ours.iter().filter(|(of, _)| *of != repository);
        own.chain(others).take(ENOUGH).map(|(_, image)| (*image).to_owned()).collect()
    }
}

fn ours<'a>(repositories: &BTreeSet<String>, host: &HostSight<'a>) -> Vec<(&'a str, &'a str)> {
    let images = host.seen.images.iter().map(|image| (reference::repository(image), image.as_str()));
    let mut ours: Vec<_> = images.filter(|(repository, _)| repositories.contains(*repository)).collect();
    if ours.len() > 1 {
        let specs = host.containers.iter().filter_map(|container| container.spec);
        let used: BTreeSet<&str> = specs.map(|spec| spec.image.as_str()).collect();
        ours.sort_by_cached_key(|(_, image)| (!used.contains(image), *image));
    }
    ours
}
