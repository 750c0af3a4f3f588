//! `[jobs.NAME]`. Pure.

use std::collections::BTreeMap;

use super::names::Names;
use super::services::plain;
use crate::config::grammar::{name, unit, volume};
use crate::config::section::Section;
use crate::config::{Job, JobOf, Problem, RunOn, When};

/// The words of `when`.
const WHEN: &[(&str, When)] = &[("before", When::Before), ("after", When::After), ("manual", When::Manual)];

/// The words of `run`.
pub(in crate::config) const RUN: &[(&str, RunOn)] = &[("once", RunOn::Once), ("per-host", RunOn::PerHost)];

/// The jobs that have no problem of their own.
pub(super) fn read(file: &Section<'_>, names: &Names) -> BTreeMap<String, Job> {
    let Some(section) = file.section("jobs") else { return BTreeMap::new() };
    let read = |(name, section): (&str, Section<'_>)| {
        Some((name.to_owned(), section.sound(|section| job(name, section, names))?))
    };
    section.named(name::component).into_iter().filter_map(read).collect()
}

fn job(name: &str, section: &Section<'_>, names: &Names) -> Option<Job> {
    if names.services.all().is_some_and(|services| services.contains(name)) {
        let problem = Problem::new(format!("`{name}` is the name of a service too"));
        section.problem("", problem.hint("call it something else: both can be named on the command line"));
    }
    let when = section.choice("when", WHEN);
    if !section.has("when") {
        let problem = Problem::new(format!("`{}` does not say when it runs", section.at));
        section.problem("when", problem.hint("add `when = \"before\"`, `\"after\"` or `\"manual\"`"));
    }
    let (of, command) = (of(section, names), section.command("command"));
    if matches!(of, Some(JobOf::Service(_))) && !section.has("command") {
        let problem = Problem::new(format!("`{}` does not say what it runs", section.at));
        section.problem("command", problem.hint("add `command`: that of its service is to serve"));
    }
    // All of it is read, whatever is wrong with some.
    let rest = Job {
        of: JobOf::Image(String::new()),
        when: When::Manual,
        depends_on: section.set("depends_on", |name| names.services.find(name)),
        run: section.choice("run", RUN).unwrap_or(RunOn::Once),
        roles: section.set("roles", |role| name::word(role).and_then(|()| names.roles.find(role))),
        hosts: section.set("hosts", |host| name::word(host).and_then(|()| names.hosts.find(host))),
        command,
        env: section.map("env", name::env, plain),
        secrets: super::secrets::read(section),
        volumes: section.has("volumes").then(|| section.list("volumes", volume::mount)),
        networks: section.has("networks").then(|| section.set("networks", name::owned_word)),
        timeout_ms: section.parse("timeout", unit::some_millis),
    };
    Some(Job { of: of?, when: when?, ..rest })
}

fn of(section: &Section<'_>, names: &Names) -> Option<JobOf> {
    match (section.has("service"), section.has("image")) {
        (true, false) => section.parse("service", |name| names.services.find(name)).map(JobOf::Service),
        (false, true) => section.parse("image", |name| names.images.find(name)).map(JobOf::Image),
        (true, true) => {
            let problem = Problem::new(format!("`{}` has both `service` and `image`", section.at));
            let hint =
                "a service brings its image, variables, secrets, volumes and networks; remove one of them";
            section.problem_with_key("image", problem.hint(hint));
            None
        }
        (false, false) => {
            let problem = Problem::new(format!("`{}` has neither `service` nor `image`", section.at));
            section.problem("service", problem.hint("name the service whose image and variables it needs"));
            None
        }
    }
}
