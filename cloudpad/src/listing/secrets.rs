//! Which secrets there are, as `cloudpad secrets ls` lists them. Pure. Values are nowhere in here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::Config;
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
    /// The service.
    pub service: String,
    /// The variable or the file in which its containers find it.
    pub target: String,
}

fn needs(config: &Config) -> BTreeMap<&str, Vec<Need>> {
    let mut needs: BTreeMap<&str, Vec<Need>> = BTreeMap::new();
    for (service, of) in &config.services {
        for (target, secret) in &of.secrets {
            let need = Need { service: service.clone(), target: target.clone() };
            needs.entry(&secret.name).or_default().push(need);
        }
    }
    needs
}

/// What those secrets are called that a service needs, each once, sorted.
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
