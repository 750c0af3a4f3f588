//! Which environments a file has, and what they choose, whatever else is wrong with it. Pure.

use super::tree::{self, Table, Value};

/// Their names, sorted; none where the text is no TOML.
pub fn environments(text: &str) -> Vec<String> {
    let table = tree::parse(text).unwrap_or_default();
    below(Some(&table), "environments").map(|all| all.keys().cloned().collect()).unwrap_or_default()
}

/// Whether the hosts of an environment come from an inventory provider too, and not from the file alone; not where the text is
/// no TOML.
pub fn names_inventory(text: &str, environment: Option<&str>) -> bool {
    let table = tree::parse(text).unwrap_or_default();
    let over = environment.and_then(|name| below(below(Some(&table), "environments"), name));
    [Some(&table), over]
        .into_iter()
        .any(|layer| below(layer, "stages").is_some_and(|stages| stages.contains_key("inventory")))
}

/// The table of this name in another one.
fn below<'a>(table: Option<&'a Table>, name: &str) -> Option<&'a Table> {
    match &table?.get(name)?.node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{environments, names_inventory};

    #[test]
    fn names_of_environments() {
        let text = "nonsense = 1\n[environments.staging]\n[environments.production.hosts]\n";
        assert_eq!(environments(text), ["production", "staging"]);
        for text in ["", "environments = 3", "[environments"] {
            assert_eq!(environments(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn an_inventory_is_the_file_s_or_the_environment_s() {
        let file = "nonsense = 1\n[stages]\ninventory = \"etcd\"\n[environments.staging]\n";
        let staging =
            "[stages]\ndeploy = \"ssh\"\n[environments.staging.stages.inventory]\nprovider = \"etcd\"\n";
        let cases = [
            (file, None, true),
            (file, Some("staging"), true),
            (staging, None, false),
            (staging, Some("staging"), true),
            (staging, Some("test"), false),
            ("stages = 3", None, false),
            ("[stages", None, false),
        ];
        for (text, environment, expected) in cases {
            assert_eq!(names_inventory(text, environment), expected, "{text} {environment:?}");
        }
    }
}
