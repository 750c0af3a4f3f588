//! Which key of its table a provider does not understand, as far as its words tell. Pure.

use serde_json::Value;

use crate::config::nearest;

/// What is wrong with a provider's table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where, below the stage's table, such as `.config` or `.config.colour`.
    pub(super) below: String,
    /// The key that was meant.
    pub(super) hint: Option<String>,
}

/// Reads what a provider says of `config`, in serde's words: it names the key, and then those that there are.
pub(super) fn wrong(config: &Value, said: &str) -> Wrong {
    let named = said.split_once("unknown field ").and_then(|(_, rest)| quoted(rest).next());
    let Some(key) = named.filter(|key| config.get(key).is_some()) else {
        return Wrong { below: ".config".to_owned(), hint: None };
    };
    let known: Vec<&str> =
        said.split_once(", expected ").map_or(Vec::new(), |(_, keys)| quoted(keys).collect());
    let meant = nearest(key, &known).map(|meant| format!("did you mean `{meant}`?"));
    Wrong { below: format!(".config.{key}"), hint: meant }
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its keys matter")]
    struct Table {
        ssh_config: Option<String>,
        socket: Option<String>,
    }

    #[test]
    fn a_misspelt_key_is_found_in_serdes_words() {
        let config = json!({ "socket": "/s", "ssh_confg": "c" });
        let said = Table::deserialize(&config).unwrap_err().to_string();
        let hint = Some("did you mean `ssh_config`?".to_owned());
        assert_eq!(wrong(&config, &said), Wrong { below: ".config.ssh_confg".to_owned(), hint });
    }

    #[test]
    fn what_names_no_key_is_about_the_table() {
        let said =
            ["invalid type: integer `3`, expected a string", "unknown field `nested`", "`socket` is odd"];
        for said in said {
            let whole = Wrong { below: ".config".to_owned(), hint: None };
            assert_eq!(wrong(&json!({ "socket": 3 }), said), whole, "{said}");
        }
        assert_eq!(wrong(&Value::Null, "unknown field `socket`").below, ".config");
    }
}
