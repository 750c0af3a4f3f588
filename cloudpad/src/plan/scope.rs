//! Which services, hosts, images and sources a goal is about. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Stage;

use super::hosts::HostSet;
use super::{jobs, past, spec};
use crate::config::{Amount, Config, Count, Image, Problem, Service};
use crate::inventory::{Inventory, Selection, list, matches, no_match, select};
use crate::observed::HostState;

/// What a goal is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The selected services that have a selected host, and where each may run: all of its hosts,
    /// selected or not, by their place in the inventory, ascending.
    pub services: BTreeMap<String, Vec<usize>>,
    /// The jobs that go with a deploy of these services, and where each may run: by the hosts' places in the
    /// inventory, ascending.
    pub jobs: BTreeMap<String, Vec<usize>>,
    /// The hosts that may be changed, by their place in the inventory, ascending.
    pub hosts: Vec<usize>,
    /// The hosts that have to be looked at: those of `hosts`, and others on which the decision depends.
    pub look: Vec<usize>,
    /// The images of the selected services and jobs, with those that their builds begin from.
    pub images: BTreeSet<String>,
    /// The sources of those of the images that are built.
    pub sources: BTreeSet<String>,
    /// Services that are meant and may run on no selected host, where what is left of them there counts.
    elsewhere: BTreeSet<String>,
    /// Which services that the config does not have any more are meant.
    gone: Gone,
    /// Patterns for services that fit none of the config's.
    unmatched: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Gone {
    All,
    /// Those that one of these patterns fits.
    Like(Vec<String>),
}

impl Gone {
    fn covers(&self, service: &str) -> bool {
        match self {
            Self::All => true,
            Self::Like(patterns) => patterns.iter().any(|pattern| matches(pattern, service)),
        }
    }
}

impl Scope {
    /// Whether something may have to be done on a host, or the decision depends on it. On the others there
    /// can only be something to clear away.
    pub fn depends_on(&self, host: usize) -> bool {
        self.services.values().chain(self.jobs.values()).any(|eligible| eligible.contains(&host))
    }

    /// The same, where the decision depends on all hosts on which what is meant may run, selected or not.
    pub fn around(mut self) -> Self {
        let mut look: HostSet = self.look.iter().copied().collect();
        look.extend(self.services.values().flatten().copied());
        self.look = look.iter().collect();
        self
    }

    /// All of the config, where nobody has looked which hosts there are.
    pub(super) fn whole(config: &Config) -> Self {
        let nowhere = |name: &String| (name.clone(), Vec::new());
        let services: BTreeMap<_, _> = config.services.keys().map(nowhere).collect();
        let jobs: BTreeMap<_, _> = config.jobs.keys().map(nowhere).collect();
        let images = images(config, &services, &jobs);
        Self {
            sources: sources(config, &images),
            images,
            services,
            jobs,
            hosts: Vec::new(),
            look: Vec::new(),
            elsewhere: BTreeSet::new(),
            gone: Gone::All,
            unmatched: Vec::new(),
        }
    }

    /// Whether it is also about services that the config does not have: only a host itself knows whether they are there.
    pub(super) fn is_about_gone(&self) -> bool {
        !self.unmatched.is_empty()
    }

    /// Whether containers of `service` are meant.
    pub fn covers(&self, service: &str, config: &Config) -> bool {
        self.services.contains_key(service)
            || self.elsewhere.contains(service)
            || (!config.services.contains_key(service) && self.gone.covers(service))
    }

    /// Patterns for services that fit none of the config's.
    pub fn unmatched(&self) -> &[String] {
        &self.unmatched
    }

    /// One problem for each selector that fits neither a service of the config nor one that has a container on
    /// `hosts`, or had one as far as those remember.
    pub fn unknown(&self, config: &Config, hosts: &BTreeMap<String, HostState>) -> Vec<Problem> {
        let seen = hosts.values().flat_map(|host| match host {
            HostState::Seen(seen) => seen.containers.as_slice(),
            HostState::Unseen(_) => &[],
        });
        let seen = seen.map(|container| &container.instance);
        let past = hosts.values().flat_map(|host| match host {
            HostState::Seen(seen) => past::known(seen),
            HostState::Unseen(_) => &[],
        });
        let past = past.flat_map(|release| &release.containers).map(|recorded| &recorded.instance);
        let gone = seen.chain(past).map(|instance| &instance.service);
        let names: BTreeSet<&str> = config.services.keys().chain(gone).map(String::as_str).collect();
        let unknown =
            self.unmatched.iter().filter(|pattern| !names.iter().any(|name| matches(pattern, name)));
        unknown.map(|pattern| no_match("service", pattern, &names)).collect()
    }
}

/// Finds out what `selection` is about. Services that may run on none of the selected hosts are left out. A selector for services that matches none of the config's may be about one that
/// is gone from there: [`Scope::unknown`] tells, once hosts were looked at.
///
/// # Errors
/// Another selector that matches nothing, a role that nobody has, a host that is not there; that no service is left.
pub fn scope(config: &Config, inventory: &Inventory, selection: &Selection) -> Result<Scope, Vec<Problem>> {
    let scope = scope_of_left(config, inventory, selection)?;
    if scope.services.is_empty() && selection.narrows_services() && scope.unmatched.is_empty() {
        let named = list(scope.elsewhere.iter().map(String::as_str));
        let message = format!("none of the selected hosts is one of {named}");
        return Err(vec![Problem::new(message).hint("select other hosts, or other services")]);
    }
    Ok(Scope { elsewhere: BTreeSet::new(), ..scope })
}

/// The same, also about what selected hosts have of services that may not run there by now.
///
/// # Errors
/// A selector that matches nothing, a role that nobody has, a host that is not there.
pub fn scope_of_left(
    config: &Config,
    inventory: &Inventory,
    selection: &Selection,
) -> Result<Scope, Vec<Problem>> {
    let mut problems = Vec::new();
    let unmatched = unmatched(config, selection);
    let named = services(config, selection, &unmatched, &mut problems);
    let hosts = inventory.selected(selection, &mut problems);
    let asks = |service: &Service| !(service.roles.is_empty() && service.hosts.is_empty());
    if let Some(problem) = empty(config, inventory).filter(|_| config.services.values().any(asks)) {
        return Err(vec![problem]);
    }
    let mut all = BTreeMap::new();
    for &name in &named {
        let service = &config.services[name];
        let places = (&*service.roles, &*service.hosts);
        all.insert(name.to_owned(), eligible(("service", name), places, inventory, &mut problems));
    }
    let jobs = jobs::meant((config, inventory), selection, &all, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let chosen: HostSet = hosts.iter().copied().collect();
    all.retain(|_, eligible| eligible.iter().any(|&host| chosen.contains(host)));
    let elsewhere = named.iter().filter(|name| !all.contains_key(**name)).map(|&name| name.to_owned());
    let elsewhere = elsewhere.collect();
    let look = look(config, &all, chosen);
    let images = images(config, &all, &jobs);
    Ok(Scope {
        sources: sources(config, &images),
        images,
        services: all,
        jobs,
        hosts,
        look,
        elsewhere,
        gone: match selection.narrows_services() {
            false => Gone::All,
            // What is gone is in no group.
            true if !selection.groups.is_empty() => Gone::Like(Vec::new()),
            true => Gone::Like(selection.services.clone()),
        },
        unmatched,
    })
}

/// The patterns for services that fit none of the config's, and may fit one that is gone.
fn unmatched(config: &Config, selection: &Selection) -> Vec<String> {
    let fits = |pattern: &&String| config.services.keys().any(|name| matches(pattern, name));
    match selection.groups.is_empty() {
        true => selection.services.iter().filter(|pattern| !fits(pattern)).cloned().collect(),
        false => Vec::new(),
    }
}

fn services<'a>(
    config: &'a Config,
    selection: &Selection,
    unmatched: &[String],
    problems: &mut Vec<Problem>,
) -> BTreeSet<&'a str> {
    let patterns: Vec<_> = selection.services.iter().filter(|p| !unmatched.contains(p)).cloned().collect();
    if patterns.is_empty() && !unmatched.is_empty() {
        return BTreeSet::new();
    }
    let names = config.services.keys().map(String::as_str).collect();
    let groups = config.services.values().flat_map(|s| &s.groups).map(String::as_str).collect();
    let before = problems.len();
    let by_name = select("service", &patterns, &names, problems);
    let by_group = select("group", &selection.groups, &groups, problems);
    let in_group = |name: &&str| {
        selection.groups.is_empty()
            || config.services[*name].groups.iter().any(|group| by_group.contains(group.as_str()))
    };
    let selected: BTreeSet<&str> = by_name.into_iter().filter(in_group).collect();
    if selected.is_empty() && selection.narrows_services() && problems.len() == before {
        problems.push(Problem::new("no selected service is in a selected group"));
    }
    selected
}

/// That there is no host at all, which is no fault of the roles that are asked for. Nothing would be done anywhere, and that would
/// read as success.
pub(super) fn empty(config: &Config, inventory: &Inventory) -> Option<Problem> {
    let provider = config.stages.get(&Stage::Inventory)?.provider.as_deref()?;
    let is_empty = inventory.hosts().is_empty() && inventory.broken().is_empty();
    is_empty.then(|| {
        let problem = Problem::at_key("stages.inventory", format!("inventory `{provider}` lists no host"));
        problem.hint("is what its `config` says where they are, and do you see the same by hand?")
    })
}

/// The hosts on which a service or a job may run that asks for these, ascending.
pub(super) fn eligible(
    (kind, name): (&str, &str),
    (roles, hosts): (&[String], &[String]),
    inventory: &Inventory,
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    if roles.is_empty() && hosts.is_empty() {
        return (0..inventory.hosts().len()).collect();
    }
    let mut eligible = BTreeSet::new();
    for role in roles {
        let hosts = inventory.with_role(role);
        if hosts.is_empty() {
            let message = format!("no host has the role `{role}` that {kind} `{name}` asks for");
            let problem = Problem::at_key(format!("{kind}s.{name}.roles"), message);
            problems.push(problem.hint(match list(inventory.roles()) {
                roles if roles.is_empty() => "no host has any role".to_owned(),
                roles => format!("there is {roles}"),
            }));
        }
        eligible.extend(hosts);
    }
    for host in hosts {
        match inventory.index(host) {
            Some(index) => _ = eligible.insert(index),
            None => {
                let message = format!("there is no host `{host}`, which {kind} `{name}` asks for");
                let problem = Problem::at_key(format!("{kind}s.{name}.hosts"), message);
                let hosts = list(inventory.hosts().iter().map(|host| host.name.as_str()));
                problems.push(problem.hint(format!("there is {hosts}")));
            }
        }
    }
    eligible.into_iter().collect()
}

/// A selected host alone does not tell where the other replicas are, nor, where a number of them has to
/// serve, whether one may be stopped; those services' other hosts are looked at, not changed.
fn look(config: &Config, services: &BTreeMap<String, Vec<usize>>, chosen: HostSet) -> Vec<usize> {
    let mut look = chosen;
    let all_may_stop = matches!(config.deploy.min_healthy, Amount::Count(0) | Amount::Percent(0));
    for (name, eligible) in services {
        let service = &config.services[name];
        if matches!(service.count, Count::Replicas(_)) || (spec::stops_first(service) && !all_may_stop) {
            look.extend(eligible.iter().copied());
        }
    }
    look.iter().collect()
}

fn images(
    config: &Config,
    services: &BTreeMap<String, Vec<usize>>,
    jobs: &BTreeMap<String, Vec<usize>>,
) -> BTreeSet<String> {
    let mut images = BTreeSet::new();
    let mut todo: Vec<&str> = services.keys().map(|name| config.services[name].image.as_str()).collect();
    todo.extend(jobs.keys().filter_map(|name| Some(jobs::image(config, config.jobs.get(name)?))));
    while let Some(name) = todo.pop() {
        if images.insert(name.to_owned())
            && let Some(Image::Built(build)) = config.images.get(name)
        {
            todo.extend(build.bases());
        }
    }
    images
}

fn sources(config: &Config, images: &BTreeSet<String>) -> BTreeSet<String> {
    let built = images.iter().filter_map(|name| match config.images.get(name) {
        Some(Image::Built(build)) => Some(build.source.clone()),
        _ => None,
    });
    built.collect()
}
