//! The engine's own configuration, `/etc/docker/daemon.json`: whether logs are rotated, and the lines that make it so. Pure.

use serde_json::{Map, Value, json};

use super::Facts;

/// How large the log of a container gets before it is begun anew, and how many are kept: what Docker's manual has as its example.
const MAX_SIZE: &str = "10m";
const MAX_FILE: &str = "3";

/// Whether what containers print is kept from filling a host's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is, or goes somewhere where that is somebody else's business.
    Set,
    /// It is not. This is what the file has to say for that, with all that it says now.
    Unset(String),
    /// It cannot be told, for this reason.
    Unclear(String),
    /// The file is not what an engine understands, for this reason.
    Broken(String),
}

/// How it is on a machine. Only the file's own driver, which writes files without end, is in need of it.
pub fn rotation(facts: &Facts) -> Rotation {
    if facts.options.contains("config-file") {
        return Rotation::Unclear("the engine has another configuration file (`--config-file`)".to_owned());
    }
    if facts.closed {
        return Rotation::Unclear("`/etc/docker/daemon.json` is not for us to read".to_owned());
    }
    // An option must not stand in both: the engine would not start.
    if facts.options.contains("log-driver") || facts.options.contains("log-opt") {
        return Rotation::Set;
    }
    let text = facts.file.as_ref().map_or("", |file| file.text.trim());
    let config = match text {
        "" => Ok(Map::new()),
        text => serde_json::from_str::<Map<String, Value>>(text),
    };
    match config {
        Ok(config) => of(config),
        Err(error) => Rotation::Broken(error.to_string()),
    }
}

fn of(mut config: Map<String, Value>) -> Rotation {
    let driver = config.get("log-driver").cloned().unwrap_or_else(|| json!("json-file"));
    if driver != json!("json-file") {
        return Rotation::Set;
    }
    let mut options = match config.remove("log-opts") {
        None => Map::new(),
        Some(Value::Object(options)) => options,
        Some(_) => return Rotation::Broken("`log-opts` is no object".to_owned()),
    };
    if options.contains_key("max-size") {
        return Rotation::Set;
    }
    options.insert("max-size".to_owned(), json!(MAX_SIZE));
    options.entry("max-file").or_insert_with(|| json!(MAX_FILE));
    config.insert("log-driver".to_owned(), driver);
    config.insert("log-opts".to_owned(), Value::Object(options));
    Rotation::Unset(format!("{:#}", Value::Object(config)))
}

#[cfg(test)]
mod tests {
    use super::super::facts::File;
    use super::*;

    fn with(text: &str, options: &[&str]) -> Rotation {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let file = (!text.is_empty()).then(|| File { sum: "1 2".to_owned(), text: text.to_owned() });
        rotation(&Facts { options, file, ..Facts::default() })
    }

    fn written(text: &str) -> Value {
        match with(text, &[]) {
            Rotation::Unset(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_there_is_kept_and_only_what_is_missing_is_added() {
        let ours = json!({"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}});
        for nothing in ["", "{}", " \n"] {
            assert_eq!(written(nothing), ours, "{nothing:?}");
        }
        let theirs = "{\"dns\": [\"192.0.2.1\"],\n\t\"insecure-registries\": [\"r:5000\"], \"mtu\": 1400}";
        let mut expected = ours.clone();
        expected["dns"] = json!(["192.0.2.1"]);
        expected["insecure-registries"] = json!(["r:5000"]);
        expected["mtu"] = json!(1400);
        assert_eq!(written(theirs), expected);
        let some = written(
            "{\"log-driver\": \"json-file\", \"log-opts\": {\"max-file\": \"7\", \"labels\": \"a\"}}",
        );
        assert_eq!(some["log-opts"], json!({"max-file": "7", "labels": "a", "max-size": "10m"}));
    }

    #[test]
    fn what_the_user_has_chosen_stays() {
        for set in [
            "{\"log-driver\": \"local\"}",
            "{\"log-driver\": \"journald\"}",
            "{\"log-driver\": \"none\", \"log-opts\": {}}",
            "{\"log-opts\": {\"max-size\": \"1g\"}}",
        ] {
            assert_eq!(with(set, &[]), Rotation::Set, "{set}");
        }
        for option in ["log-driver", "log-opt"] {
            assert_eq!(with("", &[option]), Rotation::Set, "{option}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        for broken in ["{", "[]", "{\"log-opts\": 3}", "# comment\n{}", "{} {}"] {
            assert!(matches!(with(broken, &[]), Rotation::Broken(_)), "{broken}");
        }
        assert!(matches!(with("", &["config-file"]), Rotation::Unclear(_)));
        let closed = Facts { closed: true, ..Facts::default() };
        assert!(matches!(rotation(&closed), Rotation::Unclear(_)));
    }

    #[test]
    fn what_was_written_is_found_set() {
        let Rotation::Unset(text) = with("{\"debug\": true}", &[]) else { panic!("it is not set") };
        assert_eq!(with(&text, &[]), Rotation::Set);
    }
}
