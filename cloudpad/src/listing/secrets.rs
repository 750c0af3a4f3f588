//! Which secrets there are, as `cloudpad secrets ls` lists them. Pure. Values are nowhere in here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::{self, Config};
use crate::words::columns;

/// What the provider has told.
#[derive(Debug, Default)]
pub struct Known {
    /// Those of the needed ones that have a value.
    pub with_value: BTreeSet<String>,
    /// All that it keeps, as far as it tells.
    pub kept: BTreeSet<String>,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Whether there is a value.
    pub has_value: bool,
    /// Who needs it.
    pub needed_by: Vec<Need>,
}

/// One who needs a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The service or the job.
    pub service: String,
    /// The variable or the file in which its containers find it; `route.tls.certificate` or `route.tls.key` where its route does.
    pub target: String,
}

fn needs(config: &Config) -> BTreeMap<&str, Vec<Need>> {
    let mut needs: BTreeMap<&str, Vec<Need>> = BTreeMap::new();
    for config::Need { secret, by, target } in config.needs() {
        let need = Need { service: by.to_owned(), target: target.to_owned() };
        needs.entry(secret).or_default().push(need);
    }
    needs
}

/// What those secrets are called that a service, its route or a job needs, each once, sorted.
pub fn needed(config: &Config) -> Vec<String> {
    needs(config).into_keys().map(str::to_owned).collect()
}

/// All secrets, by name.
pub fn rows(config: &Config, known: &Known) -> Vec<Row> {
    let mut needs = needs(config);
    let names: BTreeSet<String> =
        needs.keys().map(|name| (*name).to_owned()).chain(known.kept.iter().cloned()).collect();
    let row = |name: String| Row {
        has_value: known.with_value.contains(&name) || known.kept.contains(&name),
        needed_by: needs.remove(name.as_str()).unwrap_or_default(),
        name,
    };
    names.into_iter().map(row).collect()
}

/// Rows as a table with a heading.
pub fn table(rows: &[Row]) -> String {
    let heading = ["SECRET", "VALUE", "NEEDED BY"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        let needs = row.needed_by.iter().map(|need| format!("{} ({})", need.service, need.target));
        let value = if row.has_value { "there" } else { "missing" };
        [row.name.clone(), value.to_owned(), needs.collect::<Vec<_>>().join(", ")]
    });
    columns(&std::iter::once(heading).chain(cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Input, load};

    #[test]
    fn whoever_needs_a_secret_is_told() {
        let text = r#"
[project]
name = "shop"
[images.web]
reference = "web:1"
[services.web]
image = "web"
secrets = ["TOKEN"]
[services.web.route]
port = 80
hosts = ["shop.example.com"]
tls = { certificate = "TLS_CERT", key = "TLS_KEY" }
[jobs.migrate]
service = "web"
when = "manual"
command = ["migrate"]
secrets = { ADMIN = "TOKEN", "/run/key" = "KEY" }
"#;
        let dir = std::path::Path::new("/srv/shop");
        let config = load(&Input { text, dir, environment: None, var: &|_| None }).unwrap();
        let known = Known { kept: BTreeSet::from(["OLD".to_owned()]), ..Known::default() };
        let rows = rows(&config, &known);
        let told: Vec<_> = table(&rows)
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let expected = [
            "KEY missing migrate (/run/key)",
            "OLD there",
            "TLS_CERT missing web (route.tls.certificate)",
            "TLS_KEY missing web (route.tls.key)",
            "TOKEN missing web (TOKEN), migrate (ADMIN)",
        ];
        assert_eq!(told, expected);
        assert_eq!(needed(&config), ["KEY", "TLS_CERT", "TLS_KEY", "TOKEN"]);
    }
}
