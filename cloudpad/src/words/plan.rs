//! Plans in words. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::Remove;
use cloudpad_plugin_api::stage::inventory::Served;

use super::{command, jobs, plural, routes, some_of};
use crate::config::HookPoint;
use crate::plan::{CLUSTER, Change, ChangeKind, Hook, Plan};
use crate::report::{Subject, script};

/// A plan, as `cloudpad plan` prints it: what is prepared, what changes on each host, and the sum.
pub fn plan(plan: &Plan) -> String {
    let mut text = hooks(plan, true);
    for line in preparations(plan) {
        let _ = writeln!(text, "  {line}");
    }
    for (host, lines) in by_host(plan) {
        let _ = writeln!(text, "  {host}");
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    for line in afterwards(plan) {
        let _ = writeln!(text, "  {line}");
    }
    text += &in_registry(plan);
    text += &hooks(plan, false);
    for note in &plan.notes {
        let _ = writeln!(text, "  note: {}", note.message);
    }
    let _ = writeln!(text, "{}", sum(plan));
    text
}

/// The hooks that run before, or those that may run after.
fn hooks(plan: &Plan, before: bool) -> String {
    let hooks = plan.hooks.iter().filter(|hook| hook.point.is_before() == before);
    let line = |hook: &Hook| {
        let only = if hook.point == HookPoint::AfterFailure { "only if it fails, " } else { "" };
        format!("  {only}{}: {}\n", hook.point.name(), command(&hook.command))
    };
    hooks.map(line).collect()
}

/// What is done before any container changes, each once however many hosts it is for.
fn preparations(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for action in &plan.actions {
        let subject = Subject::of(action);
        let object = &subject.object;
        let (what, host) = match &action.request {
            Request::SourceFetch(_) => (format!("fetch source {object}"), None),
            Request::BuildRun(_) => (format!("build {object}"), None),
            Request::PushRun(_) if subject.host.is_none() => (format!("push {object} to the registry"), None),
            Request::PushRun(_) => (format!("push {object} to"), subject.host),
            Request::DeployPull(_) => (format!("pull {object} on"), subject.host),
            Request::DeployRun(run) if !action.is_cleanup() => {
                (format!("run {}{} on", jobs::name(run), jobs::after(plan, run)), subject.host)
            }
            _ => continue,
        };
        add_host(&mut lines, what, host);
    }
    with_hosts(lines)
}

/// Adds a host to a line, which is there once however many hosts it is about.
fn add_host(lines: &mut Vec<(String, Vec<String>)>, what: String, host: Option<String>) {
    match lines.iter_mut().find(|(line, _)| *line == what) {
        Some((_, hosts)) => hosts.extend(host),
        None => lines.push((what, host.into_iter().collect())),
    }
}

fn with_hosts(lines: Vec<(String, Vec<String>)>) -> Vec<String> {
    let lines = lines.into_iter().map(|(what, mut hosts)| {
        hosts.sort();
        format!("{what} {}", some_of(&hosts))
    });
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// The jobs that run when all serves, and what others are told then.
fn afterwards(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for action in plan.actions.iter().filter(|action| action.is_cleanup()) {
        match &action.request {
            Request::DeployRun(run) => {
                add_host(&mut lines, format!("then run {} on", jobs::name(run)), Some(run.host.name.clone()));
            }
            Request::InventoryPublish(publish) => lines.extend(publish.services.iter().map(told)),
            _ => {}
        }
    }
    with_hosts(lines)
}

/// What the inventory is to tell of a service.
fn told((service, instances): (&String, &Vec<Served>)) -> (String, Vec<String>) {
    // In the order of instances, a host comes again and again.
    let hosts: BTreeSet<String> = instances.iter().map(|instance| instance.host.clone()).collect();
    let hosts = Vec::from_iter(hosts);
    match hosts[..] {
        [] => (format!("then tell the inventory that {service} is nowhere"), hosts),
        _ => (format!("then tell the inventory that {service} is on"), hosts),
    }
}

/// What goes from a registry: a line for each image, below the repository.
fn in_registry(plan: &Plan) -> String {
    let mut text = String::new();
    for action in &plan.actions {
        let Request::PushRemove(q) = &action.request else { continue };
        let _ = writeln!(text, "  {} in the registry", q.repository);
        for image in &q.images {
            let names = if image.tags.is_empty() { &image.digest } else { &image.tags.join(", ") };
            let _ = writeln!(text, "    - remove {names}");
        }
    }
    text
}

/// What is removed, without the containers of jobs that the plan itself runs: these are not there yet.
fn removed<'a>(plan: &Plan, remove: &'a Remove) -> Vec<&'a str> {
    let runs = |name: &str| {
        let mut requests = plan.actions.iter().map(|action| &action.request);
        requests.any(|request| matches!(request, Request::DeployRun(run) if run.container == name))
    };
    let containers = remove.containers.iter().map(|container| container.name.as_str());
    containers.filter(|name| !runs(name)).chain(remove.images.iter().map(String::as_str)).collect()
}

/// What happens on each host: changes first, then what is cleaned up.
fn by_host(plan: &Plan) -> BTreeMap<&str, Vec<String>> {
    let mut hosts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for change in &plan.changes {
        hosts.entry(&change.host).or_default().push(self::change(change));
    }
    for action in &plan.actions {
        match &action.request {
            Request::DeployRoute(q) => {
                let (lines, line) = (hosts.entry(&q.host.name).or_default(), routes::line(q));
                // What comes and what goes are told apart only where requests are led to it.
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            Request::DeployCommand(q) => {
                let name = script(&q.command).map_or_else(|| command(&q.command), str::to_owned);
                hosts.entry(&q.host.name).or_default().push(format!("+ {name}"));
            }
            Request::DeployRemove(q) => {
                let objects = removed(plan, q);
                if !objects.is_empty() {
                    let line = format!("- clean up {}", objects.join(", "));
                    hosts.entry(&q.host.name).or_default().push(line);
                }
            }
            Request::DeployClear(q) => {
                let lines = hosts.entry(&q.host.name).or_default();
                if !q.networks.is_empty() {
                    lines.push(format!("- remove networks that nothing is in: {}", q.networks.join(", ")));
                }
                if !q.volumes.is_empty() {
                    lines
                        .push(format!("! remove volumes with all that is in them: {}", q.volumes.join(", ")));
                }
            }
            Request::DeployRecord(q) if q.release.is_none() => {
                hosts
                    .entry(&q.host.name)
                    .or_default()
                    .push(format!("- forget release {}", q.forget.join(", ")));
            }
            // Where something changes, that it is noted goes without saying.
            Request::DeployRecord(q) if !hosts.contains_key(q.host.name.as_str()) => {
                hosts.entry(&q.host.name).or_default().push("* note what is to run there".to_owned());
            }
            Request::ClusterRecord(q) if !hosts.contains_key(CLUSTER) => {
                let line = match q.release {
                    Some(_) => "* note what is to run there".to_owned(),
                    None => format!("- forget release {}", q.forget.join(", ")),
                };
                hosts.entry(CLUSTER).or_default().push(line);
            }
            _ => {}
        }
    }
    hosts
}

fn change(change: &Change) -> String {
    let (sign, what) = match change.kind {
        ChangeKind::Create => ("+", "create"),
        ChangeKind::ReplaceStartFirst => ("~", "replace, starting the new one first"),
        ChangeKind::ReplaceStopFirst => ("~", "replace, stopping the old one first"),
        ChangeKind::Start => (">", "start again"),
        ChangeKind::Remove => ("-", "remove"),
        ChangeKind::Stop => ("-", "stop"),
        ChangeKind::Restart => ("~", "restart"),
        ChangeKind::Adjust => ("~", "change"),
        ChangeKind::Await => ("=", "wait until it serves"),
    };
    let why = if change.why.is_empty() { String::new() } else { format!(" ({})", change.why.join(", ")) };
    let instance = match change.instance.number {
        0 => change.instance.service.clone(),
        _ => change.instance.to_string(),
    };
    format!("{sign} {instance} {what}{why}")
}

pub(super) fn sum(plan: &Plan) -> String {
    if plan.is_empty() && plan.is_incomplete() {
        return "incomplete: nothing to do but for what the notes above tell".to_owned();
    }
    if plan.is_empty() {
        return nothing_to_do(plan.notes.len());
    }
    let count = |wanted: &[ChangeKind]| plan.changes.iter().filter(|c| wanted.contains(&c.kind)).count();
    let parts = [
        (count(&[ChangeKind::Create]), "to create"),
        (count(&[ChangeKind::ReplaceStartFirst, ChangeKind::ReplaceStopFirst]), "to replace"),
        (count(&[ChangeKind::Adjust]), "to change"),
        (count(&[ChangeKind::Start]), "to start"),
        (count(&[ChangeKind::Restart]), "to restart"),
        (count(&[ChangeKind::Remove]), "to remove"),
        (count(&[ChangeKind::Stop]), "to stop"),
    ];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let parts = if parts.is_empty() { "no container changes".to_owned() } else { parts.join(", ") };
    format!("{parts}; {}", plural(plan.actions.len(), "action"))
}

/// What a plan without actions says, beside its notes.
pub(super) fn nothing_to_do(notes: usize) -> String {
    let what = if notes == 0 { "everything" } else { "everything else" };
    format!("nothing to do: {what} is as it should be")
}

#[cfg(test)]
mod tests;
