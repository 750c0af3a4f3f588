//! A [`Config`] as TOML: what `cloudpad config` prints. Reading it gives an equal config. Pure.

mod out;
mod parts;
mod route;

use cloudpad_plugin_api::Stage;

use super::{Config, Hooks, Source, StageChoice};
use out::{Out, Table};

/// Writes the whole config, defaults included.
///
/// A chosen environment is there as an empty table, its values being in their places already; who
/// reads the result chooses the same one again.
pub fn show(config: &Config) -> String {
    let mut file = Table::default();
    let mut project = Table::default();
    project.text("name", &config.project.name);
    file.table("project", project);
    file.table("stages", stages(config));
    file.named("plugins", config.plugins.iter().map(|(name, path)| (name.as_str(), parts::plugin(path))));
    file.named("hosts", config.hosts.iter().map(|host| (host.name.as_str(), parts::host(host))));
    file.named("sources", own_sources(config).map(|(name, source)| (name, parts::source(source))));
    file.named("images", config.images.iter().map(|(name, image)| (name.as_str(), parts::image(image))));
    file.named(
        "services",
        config.services.iter().map(|(name, service)| (name.as_str(), parts::service(service))),
    );
    file.named("jobs", config.jobs.iter().map(|(name, job)| (name.as_str(), parts::job(job))));
    file.table("deploy", parts::policy(&config.deploy));
    file.table("proxy", route::proxy(&config.proxy));
    if config.hooks != Hooks::default() {
        file.table("hooks", parts::hooks(&config.hooks));
    }
    if let Some(environment) = &config.project.environment {
        file.named("environments", std::iter::once((environment.as_str(), Table::default())));
    }
    file.to_toml()
}

/// Without the directory of the file, which needs no entry.
fn own_sources(config: &Config) -> impl Iterator<Item = (&str, &Source)> {
    let own = config.sources.iter().filter(|(name, _)| *name != Config::HERE);
    own.map(|(name, source)| (name.as_str(), source))
}

/// The same as one line of JSON.
pub fn show_json(config: &Config) -> String {
    // What `show` writes is TOML, and all of it can be said in JSON.
    let table = toml::from_str::<toml::Table>(&show(config)).unwrap_or_default();
    serde_json::to_string(&table).unwrap_or_default() + "\n"
}

fn stages(config: &Config) -> Table {
    let mut table = Table::default();
    for stage in Stage::ALL {
        if let Some(StageChoice { provider: Some(provider), config }) = config.stages.get(&stage) {
            let mut choice = Table::default();
            choice.text("provider", provider);
            if !config.is_null() {
                choice.put("config", Out::json(config));
            }
            table.table(stage.name(), choice);
        }
    }
    table
}
