//! From the merged tables to a [`Config`], as meant. Each room reads one table; what needs two tables
//! to be judged is left to [`check`](super::check). Pure.

mod deploy;
mod health;
mod hooks;
mod hosts;
mod images;
mod jobs;
mod names;
mod plugins;
mod proxy;
mod route;
mod secrets;
mod services;
mod sources;
mod stages;

pub(super) use jobs::RUN;
pub(super) use services::{RESTARTS, UPDATES};

use std::path::Path;

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::model::Project;

use super::grammar::name;
use super::section::{Problems, Section};
use super::tree::Table;
use super::{Config, Places, Problem};
use names::Names;

/// What was read.
pub(super) struct Read {
    /// All of it that is sound; what is broken is left out.
    pub config: Config,
    /// Whether its hosts are all there will be: no inventory has more, and none is left out.
    pub hosts_known: bool,
}

/// Reads a file's tables, and tells what is broken.
pub(super) fn read(
    table: &Table,
    dir: &Path,
    environment: Option<&str>,
    places: Places,
    problems: &Problems,
) -> Read {
    let file = Section::new(String::new(), 0..0, table, problems);
    let stages = stages::read(&file);
    let has_inventory = stages.get(&Stage::Inventory).is_some_and(|choice| choice.provider.is_some());
    let (hosts, complete) = hosts::read(&file, has_inventory);
    // Nodes of a cluster are known to its provider alone, and any provider but this may be a cluster's.
    let deploy = stages.get(&Stage::Deploy).and_then(|choice| choice.provider.as_deref());
    let elsewhere = has_inventory || deploy.is_some_and(|provider| provider != "ssh");
    let hosts_known = complete && !elsewhere;
    let names = Names::new(&file, elsewhere, hosts_known.then_some(&hosts));
    let mut sources = sources::read(&file, dir);
    let images = images::read(&file, dir, &names);
    if images::use_here(&images) {
        sources.insert(Config::HERE.to_owned(), sources::here(dir));
    }
    let config = Config {
        project: project(&file, environment).into(),
        services: services::read(&file, &names),
        jobs: jobs::read(&file, &names),
        deploy: deploy::read(&file),
        hooks: hooks::read(&file),
        proxy: proxy::read(&file),
        plugins: plugins::read(&file, dir),
        stages,
        hosts,
        sources,
        images,
        places,
    };
    Read { config, hosts_known }
}

fn project(file: &Section<'_>, environment: Option<&str>) -> Project {
    let mut name = None;
    match file.section("project") {
        Some(section) if section.has("name") => {
            name = section.parse("name", |text| name::component(text).map(|()| text.to_owned()));
        }
        Some(section) => section.problem("name", missing_name()),
        None if !file.has("project") => file.problem("project", missing_name()),
        None => {}
    }
    Project { name: name.unwrap_or_default(), environment: environment.map(str::to_owned) }
}

fn missing_name() -> Problem {
    Problem::new("the project has no name")
        .hint("add `[project]` with `name = \"…\"`; all its containers begin with it")
}
