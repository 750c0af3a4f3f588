//! Each part of a config as a table. Pure.

use std::path::Path;

use cloudpad_plugin_api::model::{Check, Health, Host};
use cloudpad_plugin_api::stage::build::{Arg, SecretSource};
use cloudpad_plugin_api::stage::source::{GitReference, Location};

use super::out::{Out, Table};
use super::route::route;
use crate::config::grammar::{network, unit, volume};
use crate::config::read::{RESTARTS, RUN, UPDATES};
use crate::config::{
    Amount, BuildImage, Config, Count, Hooks, Image, Job, JobOf, OnFailure, Policy, Secret, Service, Source,
    Unreachable,
};

pub(super) fn plugin(path: &Path) -> Table {
    let mut table = Table::default();
    table.text("path", &path.to_string_lossy());
    table
}

pub(super) fn host(host: &Host) -> Table {
    let mut table = Table::default();
    table.text("address", &host.address);
    table.texts("roles", &host.roles);
    table.map("labels", &host.labels, |value| Out::text(value));
    table
}

pub(super) fn source(source: &Source) -> Table {
    let mut table = Table::default();
    match &source.location {
        Location::Git { url, reference } => {
            table.text("git", url);
            match reference {
                GitReference::Default => {}
                GitReference::Branch(name) => table.text("branch", name),
                GitReference::Tag(name) => table.text("tag", name),
                GitReference::Revision(name) => table.text("rev", name),
            }
        }
        Location::Directory { path } => table.text("path", &path.to_string_lossy()),
    }
    if !source.prepare.is_empty() {
        table.put("prepare", commands(&source.prepare));
    }
    table
}

fn commands(commands: &[Vec<String>]) -> Out {
    Out::List(commands.iter().map(Out::texts).collect())
}

pub(super) fn hooks(hooks: &Hooks) -> Table {
    let mut table = Table::default();
    for (point, all) in &hooks.commands {
        table.put(point.name(), commands(all));
    }
    table.text("timeout", &unit::millis_text(hooks.timeout_ms));
    table
}

pub(super) fn image(image: &Image) -> Table {
    match image {
        Image::Ready { reference } => {
            let mut table = Table::default();
            table.text("reference", reference);
            table
        }
        Image::Built(built) => built_image(built),
    }
}

fn built_image(image: &BuildImage) -> Table {
    let mut table = Table::default();
    if image.source != Config::HERE {
        table.text("source", &image.source);
    }
    table.text("context", &image.context);
    table.text("dockerfile", &image.dockerfile);
    optional(&mut table, "target", image.target.as_deref());
    table.texts("platforms", &image.platforms);
    table.put("ssh", Out::Flag(image.ssh));
    table.texts("cache_from", &image.cache_from);
    optional(&mut table, "cache_to", image.cache_to.as_deref());
    table.map("args", &image.args, arg);
    table.map("variables", &image.variables, arg);
    table.map("runit", &image.runit, |script| Out::text(script));
    table.map("secrets", &image.secrets, |secret| match secret {
        SecretSource::Env(name) => field("env", name),
        SecretSource::File(path) => field("file", &path.to_string_lossy()),
    });
    table.map("labels", &image.labels, |value| Out::text(value));
    table
}

fn arg(arg: &Arg) -> Out {
    match arg {
        Arg::Value(value) => Out::text(value),
        Arg::Image(image) => field("image", image),
    }
}

/// A table with one key.
fn field(key: &str, text: &str) -> Out {
    let mut table = Table::default();
    table.text(key, text);
    Out::Table(table)
}

fn optional(table: &mut Table, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        table.text(key, text);
    }
}

pub(super) fn service(service: &Service) -> Table {
    let mut table = Table::default();
    table.text("image", &service.image);
    table.texts("roles", &service.roles);
    table.texts("hosts", &service.hosts);
    match service.count {
        Count::Replicas(count) => table.whole("replicas", count),
        Count::PerHost(count) => table.whole("per_host", count),
    }
    if let Some(command) = &service.command {
        table.texts("command", command);
    }
    table.texts("ports", &service.ports.iter().map(network::port_text).collect::<Vec<_>>());
    table.texts("volumes", &service.volumes.iter().map(volume::mount_text).collect::<Vec<_>>());
    table.texts("networks", &service.networks);
    table.text("stop_timeout", &format!("{}s", service.stop_timeout));
    optional(&mut table, "stop_signal", service.stop_signal.as_deref());
    table.text("restart", word(RESTARTS, service.restart));
    if let Some(millis) = service.cpu_millis {
        table.put("cpus", Out::Number(millis as f64 / 1000.0));
    }
    optional(&mut table, "memory", service.memory.map(unit::memory_text).as_deref());
    table.text("update", word(UPDATES, service.update));
    table.put("protected", Out::Flag(service.protected));
    table.texts("groups", &service.groups);
    table.map("env", &service.env, |value| Out::text(value));
    table.map("secrets", &service.secrets, secret);
    if let Some(found) = &service.health {
        table.put("health", health(found));
    }
    if let Some(found) = &service.route {
        table.put("route", route(found));
    }
    table.map("labels", &service.labels, |value| Out::text(value));
    table
}

fn secret(secret: &Secret) -> Out {
    let Secret { name, mode, uid, gid } = secret;
    if (mode, uid, gid) == (&None, &None, &None) {
        return Out::text(name);
    }
    let mut table = Table::default();
    table.text("name", name);
    optional(&mut table, "mode", mode.map(|bits| format!("{bits:04o}")).as_deref());
    for (key, id) in [("uid", uid), ("gid", gid)] {
        id.iter().for_each(|id| table.whole(key, *id));
    }
    Out::Table(table)
}

pub(super) fn job(job: &Job) -> Table {
    let mut table = Table::default();
    match &job.of {
        JobOf::Service(name) => table.text("service", name),
        JobOf::Image(name) => table.text("image", name),
    }
    table.text("when", job.when.name());
    table.texts("depends_on", &job.depends_on);
    table.text("run", word(RUN, job.run));
    table.texts("roles", &job.roles);
    table.texts("hosts", &job.hosts);
    if let Some(command) = &job.command {
        table.texts("command", command);
    }
    if let Some(volumes) = &job.volumes {
        table.put("volumes", Out::texts(&volumes.iter().map(volume::mount_text).collect::<Vec<_>>()));
    }
    if let Some(networks) = &job.networks {
        table.put("networks", Out::texts(networks));
    }
    optional(&mut table, "timeout", job.timeout_ms.map(unit::millis_text).as_deref());
    table.map("env", &job.env, |value| Out::text(value));
    table.map("secrets", &job.secrets, secret);
    table
}

/// The word of a value that has one.
fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

fn health(health: &Health) -> Out {
    let mut table = Table::default();
    match &health.check {
        Check::Image => return Out::text("image"),
        Check::Http { port, path } => {
            table.text("http", path);
            table.whole("port", *port);
        }
        Check::Tcp { port } => table.whole("tcp", *port),
        Check::Command { command } => table.texts("command", command),
    }
    table.text("interval", &unit::millis_text(health.interval_ms));
    table.text("timeout", &unit::millis_text(health.timeout_ms));
    table.whole("retries", health.retries);
    Out::Table(table)
}

pub(super) fn policy(policy: &Policy) -> Table {
    let mut table = Table::default();
    table.put("batch", amount(policy.batch));
    table.put("min_healthy", amount(policy.min_healthy));
    table.text("ready_timeout", &unit::millis_text(policy.ready_timeout_ms));
    table.text("settle", &unit::millis_text(policy.settle_ms));
    table.whole("keep", policy.keep);
    table.text(
        "on_failure",
        match policy.on_failure {
            OnFailure::Rollback => "rollback",
            OnFailure::Stop => "stop",
        },
    );
    table.text(
        "unreachable",
        match policy.unreachable {
            Unreachable::Refuse => "refuse",
            Unreachable::Skip => "skip",
        },
    );
    table
}

fn amount(amount: Amount) -> Out {
    match amount {
        Amount::Count(count) => Out::Whole(count.into()),
        Amount::Percent(percent) => Out::Text(format!("{percent}%")),
    }
}
