//! Whether each host's proxy can serve the routes that are wanted there, and what there is to say of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::Protocol;
use cloudpad_plugin_api::stage::deploy::{Observation, Proxy, ProxySeen, Rule};

use super::Note;
use super::decide::Decide;
use super::rule::Rules;
use super::unit::Rollout;
use crate::config::Problem;
use crate::inventory::list;

/// The services with a route that belong on each host.
fn wanted<'a>(rules: &Rules<'a>, rollouts: &[Rollout<'a>]) -> BTreeMap<usize, Vec<&'a str>> {
    let mut wanted: BTreeMap<usize, Vec<&'a str>> = BTreeMap::new();
    for rollout in rollouts {
        let units = rollout.units.iter().chain(&rollout.starting).chain(&rollout.waits).map(|unit| unit.host);
        let hosts = units.chain(rollout.steady.iter().map(|(host, _)| *host));
        for host in hosts.filter(|host| rules.are_for(*host, rollout.service)) {
            let services = wanted.entry(host).or_default();
            if services.last() != Some(&rollout.service) {
                services.push(rollout.service);
            }
        }
    }
    wanted
}

/// What keeps a proxy from serving, found before anything is touched.
pub(super) fn problems<'a>(
    decide: &Decide<'a>,
    rules: &mut Rules<'a>,
    rollouts: &[Rollout<'a>],
) -> Vec<Problem> {
    let wanted = wanted(rules, rollouts);
    found(decide, rules, wanted)
}

/// The same where a route is new.
pub(super) fn problems_of_new(decide: &Decide<'_>, rollouts: &[Rollout<'_>]) -> Vec<Problem> {
    let mut rules = Rules::config(decide.config, decide.secrets);
    let mut wanted = wanted(&rules, rollouts);
    for (&host, services) in &mut wanted {
        let proxy = decide.sight.host(host).and_then(|host| host.seen.proxy.as_ref());
        services.retain(|service| proxy.is_none_or(|proxy| proxy.route(service).is_none()));
    }
    wanted.retain(|_, services| !services.is_empty());
    found(decide, &mut rules, wanted)
}

fn found<'a>(
    decide: &Decide<'a>,
    rules: &mut Rules<'a>,
    wanted: BTreeMap<usize, Vec<&'a str>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, services) in wanted {
        let Some(host) = decide.sight.host(index) else { continue };
        let name = &decide.inventory.hosts()[index].name;
        if host.seen.proxy.is_none() {
            let message = format!("the deploy provider cannot lead requests to services on `{name}`");
            let problem = Problem::at_key(format!("services.{}.route", services[0]), message);
            problems.push(problem.hint("update its plugin, or remove the route"));
            continue;
        }
        let proxy = rules.proxy(decide.config, host.seen.proxy.as_deref());
        problems.extend(other_ports(&proxy, host.seen, name));
        problems.extend(taken_ports(&proxy, host.seen, name));
        let rule = |service| Some((service, rules.of(index, service, true, None)?));
        let rules = services.into_iter().filter_map(rule);
        problems.extend(rules.filter_map(|(service, rule)| taken_names(decide, index, service, &rule)));
    }
    problems
}

/// The projects that have others of the host's proxy's routes, as words; none where there are none.
fn others(proxy: &ProxySeen) -> Option<String> {
    let names: BTreeSet<&str> = proxy.claims.iter().map(|claim| claim.project.as_str()).collect();
    (!names.is_empty()).then(|| list(names))
}

/// Ports of the proxy that are others than those at which it serves other projects, which would be gone with them.
fn other_ports(wanted: &Proxy, seen: &Observation, host: &str) -> Vec<Problem> {
    let Some((proxy, made)) = seen.proxy.as_ref().and_then(|proxy| Some((proxy, proxy.made.as_ref()?)))
    else {
        return Vec::new();
    };
    let Some(others) = others(proxy) else { return Vec::new() };
    let ports =
        [("http_port", made.http_port, wanted.http_port), ("https_port", made.https_port, wanted.https_port)];
    let differ = ports.into_iter().filter(|(_, made, wanted)| made != wanted);
    let problem = |(key, made, wanted)| {
        let message = format!(
            "the proxy of `{host}` has port {made} as its `{key}`, at which it serves {others} too, and is to have {wanted}"
        );
        let hint = format!(
            "give all projects of the host the same `{key}` in `[proxy]`, or take the routes of the others off first"
        );
        Problem::at_key(format!("proxy.{key}"), message).hint(hint)
    };
    differ.map(problem).collect()
}

/// Ports of the proxy that something else holds.
fn taken_ports(wanted: &Proxy, seen: &Observation, host: &str) -> Vec<Problem> {
    let made = seen.proxy.as_ref().and_then(|proxy| proxy.made.as_ref());
    let own = |port| made.is_some_and(|made| made.http_port == port || made.https_port == port);
    let ports = [("http_port", wanted.http_port), ("https_port", wanted.https_port)];
    let ports = ports.into_iter().filter(|(_, port)| !own(*port));
    let problem = |(key, port)| {
        let holds = |held: &&_| {
            let held: &cloudpad_plugin_api::stage::deploy::PortHeld = held;
            held.published == port && held.protocol == Protocol::Tcp
        };
        let held = seen.ports.iter().find(holds)?;
        let message =
            format!("the proxy needs port {port} of `{host}`, which container `{}` holds", held.container);
        let problem = Problem::at_key(format!("proxy.{key}"), message);
        Some(problem.hint(format!("stop that container, or give the proxy another `{key}` in `[proxy]`")))
    };
    ports.filter_map(problem).collect()
}

/// Requests that lead to another project already, or to a service of this one that stays as it is.
fn taken_names(decide: &Decide<'_>, host: usize, service: &str, rule: &Rule) -> Option<Problem> {
    let seen = decide.sight.host(host)?.seen.proxy.as_ref()?;
    let host = &decide.inventory.hosts()[host].name;
    let claim = seen.claims.iter().find_map(|claim| Some((claim.clashes(rule)?, claim)));
    let others = || seen.routes.iter().filter(|route| !decide.scope.covers(&route.service, decide.config));
    let own = || others().find_map(|route| Some((route.claim().clashes(rule)?, route)));
    let (what, whose, hint) = match claim {
        Some((what, claim)) => (
            what,
            format!("`{}` of project `{}`", claim.service, claim.project),
            "give one of them another name or a `path`, or remove the route of the other",
        ),
        None => {
            let (what, route) = own()?;
            (what, format!("`{}`, which is not selected,", route.service), "select both services")
        }
    };
    let message = format!("on `{host}`, {what} leads to service {whose} already");
    Some(Problem::at_key(format!("services.{service}.route"), message).hint(hint))
}

/// What becomes of each proxy that leads requests to the project, whose routes all go. It goes with the last route of a host.
pub(super) fn left(decide: &Decide<'_>) -> Vec<Note> {
    let hosts = decide.hosts.iter();
    let note = |index: usize| {
        let proxy = decide.sight.host(index)?.seen.proxy.as_deref();
        let proxy = proxy.filter(|proxy| proxy.made.is_some() && !proxy.routes.is_empty())?;
        let host = &decide.inventory.hosts()[index].name;
        let message = match others(proxy) {
            Some(others) => format!("the proxy on `{host}` stays, since it leads requests to {others} too"),
            None => format!(
                "the proxy on `{host}` goes too, since nobody else has a route there; its certificates stay"
            ),
        };
        Some(Note { incomplete: false, message })
    };
    hosts.filter_map(note).collect()
}

/// What the user should know of the proxies.
pub(super) fn notes<'a>(decide: &Decide<'a>, rules: &mut Rules<'a>, rollouts: &[Rollout<'a>]) -> Vec<Note> {
    let (mut notes, mut made_on) = (Vec::new(), Vec::new());
    let mut changed: BTreeMap<(&str, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for (index, services) in wanted(rules, rollouts) {
        let proxy = decide.sight.host(index).and_then(|host| host.seen.proxy.as_deref());
        let host = &decide.inventory.hosts()[index].name;
        let wanted = &*rules.proxy(decide.config, proxy);
        let Some(proxy) = proxy else { continue };
        if proxy.made.is_none() {
            made_on.push(host.as_str());
        }
        if let Some(down) = down(host, proxy) {
            notes.push(Note { incomplete: false, message: format!("{down}; it is started again") });
        }
        if let Some(made) = proxy.made.as_ref().filter(|made| *made != wanted) {
            let from = if made.image == wanted.image {
                "with other ports".to_owned()
            } else {
                format!("from `{}`", wanted.image)
            };
            let whom = others(proxy).map_or_else(String::new, |others| format!(", neither for {others}"));
            let message =
                format!("the proxy on `{host}` is made anew {from}: for a moment nobody answers there{whom}");
            notes.push(Note { incomplete: false, message });
        }
        for service in services {
            if proxy.route(service).is_some_and(|route| route.rule.maintenance.is_some()) {
                let message = crate::words::routes::in_maintenance(service, host);
                notes.push(Note { incomplete: false, message });
            }
            let seen = proxy.route(service);
            if let (Some(seen), Some(rule)) = (seen, rules.of(index, service, true, seen))
                && *seen.rule != *rule
            {
                changed.entry((service, differing(&seen.rule, &rule))).or_default().push(host);
            }
        }
    }
    notes.extend(makes(decide, &made_on));
    notes.extend(changed.into_iter().map(|((service, keys), hosts)| changes(service, &keys, &hosts)));
    notes
}

/// That a host's proxy does not run, where it leads requests to the project.
pub fn down(host: &str, proxy: &ProxySeen) -> Option<String> {
    let rules: Vec<&Rule> = proxy.routes.iter().map(|route| &*route.rule).collect();
    (proxy.down && !rules.is_empty()).then(|| crate::words::routes::down(host, &rules))
}

/// That hosts get a proxy, and what it takes of them.
fn makes(decide: &Decide<'_>, hosts: &[&str]) -> Option<Note> {
    let Proxy { image, http_port, https_port } = &*decide.config.proxy.made;
    let message = format!(
        "the proxy is made on {} from `{image}`, and takes the ports {http_port} and {https_port} there",
        list(hosts.iter().copied())
    );
    (!hosts.is_empty()).then_some(Note { incomplete: false, message })
}

/// That another rule holds for requests than did.
fn changes(service: &str, keys: &[&str], hosts: &[&str]) -> Note {
    let (keys, hosts) = (list(keys.iter().copied()), list(hosts.iter().copied()));
    let idle = if keys.contains("`tls`") { ", which closes idle connections" } else { "" };
    let message = format!("the route of `{service}` on {hosts} changes in {keys}{idle}");
    Note { incomplete: false, message }
}

/// The keys in which rules differ, as the file calls them.
fn differing(old: &Rule, new: &Rule) -> Vec<&'static str> {
    let keys = [
        ("hosts", old.hosts != new.hosts),
        ("path", old.path != new.path),
        ("port", old.port != new.port),
        ("networks", old.network != new.network),
        ("health", old.health != new.health),
        ("tls", old.tls != new.tls),
        ("redirect", old.redirect != new.redirect),
        ("timeout", old.timeout_ms != new.timeout_ms),
        ("max_body", old.max_body != new.max_body),
        ("sticky", old.sticky != new.sticky),
        ("headers", old.headers != new.headers),
    ];
    keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}
