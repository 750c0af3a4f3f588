//! Every field and every name that the protocol has is in the book: what is written down of the protocol as
//! examples has them all, and is added to with each that is new.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{BOOK, section, workspace};

/// Objects whose keys are the user's own.
const MAPS: [&str; 14] = [
    "labels", "env", "args", "secrets", "values", "bases", "config", "headers", "sources", "specs", "images",
    "services", "taken", "routes",
];

/// The protocol's examples, by the name of their file: of each pair of lines the second, which is as this version
/// writes it and has nothing that it does not know.
fn examples() -> Vec<(String, Vec<Value>)> {
    let folder = workspace().join("plugin-api/tests/wire/v1");
    let files = std::fs::read_dir(folder).expect("the examples").map(|entry| entry.expect("an entry").path());
    let lines = files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let read = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path).expect("a file");
        text.lines().skip(1).step_by(2).map(|line| serde_json::from_str(line).expect("a message")).collect()
    };
    lines
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), read(&path)))
        .collect()
}

fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|value| fields(value, found)),
        Value::Object(all) => {
            for (name, value) in all {
                found.insert(name.clone());
                match value {
                    Value::Object(map) if MAPS.contains(&name.as_str()) => {
                        map.values().for_each(|value| fields(value, found));
                    }
                    value => fields(value, found),
                }
            }
        }
        _ => {}
    }
}

/// The fields that a part of the book speaks of: what stands in backticks, and in its JSON.
fn told(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches('?')).collect()
}

/// The sections of types, which the sections of methods lead to.
fn types() -> &'static str {
    let (_, types) = BOOK.split_once("\n## Types\n").expect("the types");
    types
}

#[test]
fn every_field_is_told() {
    let mut count = 0;
    for (file, lines) in examples() {
        if file == "unknown" {
            continue;
        }
        let mut found = BTreeSet::new();
        lines.iter().for_each(|line| fields(line, &mut found));
        let messages =
            BOOK.split_once("\n## Messages\n").and_then(|(_, rest)| rest.split_once("\n## Methods\n"));
        let messages = messages.expect("the messages").0;
        // What was added to a method later may have a file of its own, `METHOD.WHAT`.
        let method: Vec<_> = file.splitn(3, '.').take(2).collect();
        let own = if file.contains('.') { section(&format!("### {}", method.join("."))) } else { "" };
        let told: BTreeSet<_> = [own, messages, types()].into_iter().flat_map(told).collect();
        let json = |name: &str| types().contains(&format!("\"{name}\":"));
        let missing: Vec<_> =
            found.iter().filter(|name| !told.contains(name.as_str()) && !json(name)).collect();
        assert!(
            missing.is_empty(),
            "`docs/plugins.md` does not tell of {missing:?}, which `{file}.jsonl` has"
        );
        count += found.len();
    }
    assert!(count > 100, "only {count} fields were looked for");
}

#[test]
fn every_name_is_told() {
    use cloudpad_plugin_api::stage::cluster::{Order, Rollout};
    use cloudpad_plugin_api::stage::deploy::State;
    use cloudpad_plugin_api::{FailureKind, Level, Outcome, PushScope, model::Restart};
    use serde_json::to_value;
    let names = [
        to_value(FailureKind::Invalid),
        to_value(FailureKind::Unsupported),
        to_value(FailureKind::Unreachable),
        to_value(FailureKind::Stale),
        to_value(FailureKind::Failed),
        to_value(FailureKind::Cancelled),
        to_value(FailureKind::Crashed),
        to_value(Outcome::None),
        to_value(Outcome::Partial),
        to_value(Outcome::Unknown),
        to_value(Level::Debug),
        to_value(Level::Info),
        to_value(Level::Warn),
        to_value(PushScope::Host),
        to_value(PushScope::Shared),
        to_value(Restart::No),
        to_value(Restart::Always),
        to_value(Restart::UnlessStopped),
        to_value(Restart::OnFailure),
        to_value(Order::StartFirst),
        to_value(Order::StopFirst),
        to_value(Rollout::Settled),
        to_value(Rollout::Updating),
        to_value(Rollout::Paused),
        to_value(Rollout::RolledBack),
        to_value(State::Running),
        to_value(State::Starting),
        to_value(State::Unhealthy),
        to_value(State::Paused),
        to_value(State::Restarting),
        to_value(State::Stopped),
        to_value(State::Other),
    ];
    for name in names {
        let name = name.expect("a name");
        let name = name.as_str().expect("a string");
        assert!(BOOK.contains(&format!("`{name}`")), "`{name}` is not told");
    }
}

#[test]
fn labels_are_told() {
    use cloudpad_plugin_api::model::label;
    let labels = [
        label::PROJECT,
        label::ENVIRONMENT,
        label::SERVICE,
        label::INSTANCE,
        label::RELEASE,
        label::SPEC,
        label::SPEC_ID,
        label::ONE_OFF,
    ];
    let told = section("### labels");
    for name in labels {
        assert!(told.contains(&format!("`{name}`")), "`{name}`");
    }
}
