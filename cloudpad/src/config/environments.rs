//! Which environments a file has, whatever else is wrong with it. Pure.

use super::tree::{self, Value};

/// Their names, sorted; none where the text is no TOML.
pub fn environments(text: &str) -> Vec<String> {
    let table = tree::parse(text).unwrap_or_default();
    match table.get("environments").map(|entry| &entry.node.value) {
        Some(Value::Table(environments)) => environments.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::environments;

    #[test]
    fn names_of_environments() {
        let text = "nonsense = 1\n[environments.staging]\n[environments.production.hosts]\n";
        assert_eq!(environments(text), ["production", "staging"]);
        for text in ["", "environments = 3", "[environments"] {
            assert_eq!(environments(text), [""; 0], "{text}");
        }
    }
}
