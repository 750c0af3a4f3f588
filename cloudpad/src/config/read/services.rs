//! `[services.NAME]`. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Restart;

use super::names::Names;
use crate::config::grammar::{name, network, signal, unit, volume};
use crate::config::section::Section;
use crate::config::tree::Value;
use crate::config::{Count, Problem, Service, Update, nearest};

const STOP_TIMEOUT: u32 = 10;

/// The services that have no problem of their own.
pub(super) fn read(file: &Section<'_>, names: &Names) -> BTreeMap<String, Service> {
    let section = file.section("services");
    if section.as_ref().map_or(!file.has("services"), |section| section.keys().next().is_none()) {
        file.problem(
            "services",
            Problem::new("there is no service, so there is nothing to deploy").hint("add `[services.web]`"),
        );
    }
    let Some(section) = section else { return BTreeMap::new() };
    let read = |(name, section): (&str, Section<'_>)| {
        Some((name.to_owned(), section.sound(|section| Some(service(name, section, names)))?))
    };
    section.named(name::component).into_iter().filter_map(read).collect()
}

fn service(name: &str, section: &Section<'_>, names: &Names) -> Service {
    let image = match section.has("image") {
        true => section.parse("image", |name| names.images.find(name)),
        false => default_image(name, section, names),
    };
    let ports = section.sound_list("ports", network::port);
    let health = super::health::read(section, ports.as_deref());
    Service {
        image: image.unwrap_or_default(),
        roles: section.set("roles", |role| name::word(role).and_then(|()| names.roles.find(role))),
        hosts: section.set("hosts", |host| name::word(host).and_then(|()| names.hosts.find(host))),
        count: count(section),
        command: section.command("command"),
        env: section.map("env", name::env, plain),
        secrets: super::secrets::read(section),
        route: super::route::read(section, health.as_ref(), ports.as_deref()),
        health,
        ports: ports.unwrap_or_default(),
        volumes: section.list("volumes", volume::mount),
        networks: section.set("networks", name::owned_word),
        stop_timeout: section.parse("stop_timeout", unit::seconds).unwrap_or(STOP_TIMEOUT),
        stop_signal: section.parse("stop_signal", signal::signal),
        restart: section.choice("restart", RESTARTS).unwrap_or_default(),
        cpu_millis: cpus(section),
        memory: section.parse("memory", unit::memory),
        update: section.choice("update", UPDATES).unwrap_or(Update::Auto),
        protected: section.flag("protected").unwrap_or(false),
        groups: section.set("groups", name::owned_word),
        labels: section.map("labels", name::label, plain),
    }
}

/// The words of `restart`.
pub(in crate::config) const RESTARTS: &[(&str, Restart)] = &[
    ("no", Restart::No),
    ("unless-stopped", Restart::UnlessStopped),
    ("always", Restart::Always),
    ("on-failure", Restart::OnFailure),
];

/// The words of `update`.
pub(in crate::config) const UPDATES: &[(&str, Update)] =
    &[("auto", Update::Auto), ("start-first", Update::StartFirst), ("stop-first", Update::StopFirst)];

/// The image of the service's name, or the only one there is.
fn default_image(name: &str, section: &Section<'_>, names: &Names) -> Option<String> {
    let known = names.images.all()?;
    let mut images = known.iter();
    match (known.get(name), images.next(), images.next()) {
        (Some(same), _, _) => Some(same.clone()),
        (None, Some(only), None) => Some(only.clone()),
        (None, first, _) => {
            let problem = Problem::new(format!("service `{name}` does not say which image it runs"));
            section.problem(
                "image",
                match first {
                    None => problem.hint(format!(
                        "add `[images.{name}]`, which builds the `Dockerfile` beside this file"
                    )),
                    Some(_) => {
                        let known: Vec<_> = known.iter().map(String::as_str).collect();
                        problem.hint(format!("add `image = \"…\"`; there is {}", nearest::list(&known)))
                    }
                },
            );
            None
        }
    }
}

fn count(section: &Section<'_>) -> Count {
    const MOST: u32 = 100_000;
    let replicas = section.whole("replicas", 0..=MOST);
    let per_host = section.whole("per_host", 0..=MOST);
    if section.has("replicas") && section.has("per_host") {
        section.problem_with_key(
            "per_host",
            Problem::new(format!("`{}` has both `replicas` and `per_host`", section.at))
                .hint("`replicas` are spread over the hosts, `per_host` run on each; remove one of them"),
        );
    }
    match (replicas, per_host) {
        (Some(replicas), _) => Count::Replicas(replicas),
        (None, per_host) => Count::PerHost(per_host.unwrap_or(1)),
    }
}

fn cpus(section: &Section<'_>) -> Option<u64> {
    match unit::cpu_millis(section.number("cpus")?) {
        Ok(millis) => Some(millis),
        Err(problem) => {
            section.problem("cpus", problem);
            None
        }
    }
}

/// A string, or a number or a boolean that becomes one.
pub(super) fn plain(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) if text.contains('\0') => Err(Problem::new("the value contains a zero byte")),
        Value::Text(text) => Ok(text.clone()),
        Value::Whole(number) => Ok(number.to_string()),
        Value::Flag(flag) => Ok(flag.to_string()),
        _ => Err(Problem::new("the value is not a string")),
    }
}
