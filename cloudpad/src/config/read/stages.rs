//! `[stages]`: which provider does what. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Stage;

use crate::config::grammar::name;
use crate::config::section::Section;
use crate::config::{Problem, StageChoice};

/// The provider of a stage that the file does not name.
pub(in crate::config) fn default_provider(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Inventory => None,
        Stage::Source => Some("git"),
        Stage::Secrets => Some("env"),
        Stage::Build => Some("docker"),
        Stage::Push | Stage::Deploy => Some("ssh"),
    }
}

pub(super) fn read(file: &Section<'_>) -> BTreeMap<Stage, StageChoice> {
    let stages = file.section("stages");
    Stage::ALL.into_iter().map(|stage| (stage, choice(stages.as_ref(), stage))).collect()
}

fn choice(stages: Option<&Section<'_>>, stage: Stage) -> StageChoice {
    let default = default_provider(stage).map(str::to_owned);
    let Some(stages) = stages else {
        return StageChoice { provider: default, config: serde_json::Value::Null };
    };
    let Some(section) = stages.section(stage.name()) else {
        return StageChoice {
            provider: named(stages, stage.name()).or(default),
            config: serde_json::Value::Null,
        };
    };
    if stage == Stage::Inventory && !section.has("provider") {
        section.problem(
            "provider",
            Problem::new("the table does not say which provider lists the hosts")
                .hint("add `provider = \"…\"`"),
        );
    }
    StageChoice { provider: named(&section, "provider").or(default), config: section.json("config") }
}

/// A provider's name, which is part of a file's name.
fn named(section: &Section<'_>, key: &str) -> Option<String> {
    section.parse(key, |text| name::provider(text).map(|()| text.to_owned()))
}
