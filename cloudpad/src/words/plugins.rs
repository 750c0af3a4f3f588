//! What is said of plugins when they are trusted and locked. Pure.

use std::fmt::Write;

use cloudpad_plugin_api::wire::{PluginHello, Provides};

use super::{columns, plural};
use crate::plugin::lock::Change;
use crate::plugin::trust::{State, Surveyed};

/// The plugins of a project, before they are trusted.
pub fn survey(plugins: &[Surveyed]) -> String {
    let heading = ["FILE", "STATE", "SHA256"].map(str::to_owned);
    let row = |plugin: &Surveyed| {
        let state = match plugin.state {
            State::Trusted => "trusted",
            State::Changed => "changed",
            State::New => "new",
        };
        [plugin.file.clone(), state.to_owned(), plugin.sum.to_string()]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(plugins.iter().map(row)).collect();
    let what = "they run on this machine, as you, with all that the project's config gives them";
    format!("{}{what}; look at what they do before you trust them\n", columns(&rows))
}

/// Why there is nothing to trust.
pub fn trusted(plugins: &[Surveyed]) -> String {
    match plugins {
        [] => "this project has no plugins of its own in `.cloudpad/plugins`".to_owned(),
        plugins => format!("trusted already: {}", plural(plugins.len(), "plugin")),
    }
}

/// What is another in a lock than it was.
pub fn changes(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = match change {
            Change::Added { name, version } => writeln!(text, "+ {}", plugin(name, version.as_deref())),
            Change::Changed { name, from, to } if from == to => {
                writeln!(text, "~ {}, another file", plugin(name, to.as_deref()))
            }
            Change::Changed { name, from, to } => {
                let version =
                    |version: &Option<String>| version.clone().unwrap_or_else(|| "no version".to_owned());
                writeln!(text, "~ {name}: {} is now {}", version(from), version(to))
            }
            Change::Removed { name } => writeln!(text, "- {name}"),
        };
    }
    text
}

/// What a plugin says of itself.
pub fn hello(hello: &PluginHello) -> String {
    let protocols: Vec<String> = hello.protocols.iter().map(u32::to_string).collect();
    let calls = if hello.parallel { "several calls at a time" } else { "one call at a time" };
    let version = if hello.version.is_empty() { None } else { Some(hello.version.as_str()) };
    let first = plugin(&hello.name, version);
    let heading = ["STAGE", "PROVIDER", "METHODS", "ABOUT"].map(str::to_owned);
    let row = |offer: &Provides| {
        [offer.stage.to_string(), offer.provider.clone(), offer.methods.join(" "), offer.about.clone()]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(hello.provides.iter().map(row)).collect();
    let spoken = protocols.join(", ");
    format!("{first}: speaks protocol {spoken}, takes {calls}\n\n{}", columns(&rows))
}

fn plugin(name: &str, version: Option<&str>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_lock() {
        let version = |version: &str| Some(version.to_owned());
        let told = changes(&[
            Change::Added { name: "aws".into(), version: version("1.0") },
            Change::Added { name: "foo".into(), version: None },
            Change::Changed { name: "gcp".into(), from: version("1.0"), to: version("2.0") },
            Change::Changed { name: "own".into(), from: version("1.0"), to: version("1.0") },
            Change::Removed { name: "zoo".into() },
        ]);
        assert_eq!(told, "+ aws 1.0\n+ foo\n~ gcp: 1.0 is now 2.0\n~ own 1.0, another file\n- zoo\n");
    }
}
