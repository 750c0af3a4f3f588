//! How long planning takes, and how it grows with the number of hosts. Talks to cargo and the example `planning`.

use super::Row;
use crate::program::cargo;
use crate::shell::{self, Result};

const HOSTS: u32 = 1_000;
const SERVICES: u32 = 10;
const CASES: [(&str, &str); 3] =
    [("a first deploy", "first_ms"), ("no change", "unchanged_ms"), ("a change of everything", "changed_ms")];

/// Plans for 1,000 hosts, and for ten times as many.
pub fn measure() -> Result<Vec<Row>> {
    let (few, many) = (plan(HOSTS)?, plan(10 * HOSTS)?);
    let mut rows = Vec::new();
    for (name, field) in CASES {
        let (few, many) = (number(&few, field)?, number(&many, field)?);
        rows.push(Row::limit(&format!("planning {name}, 1,000 hosts × {SERVICES}"), "ms", few, 50.0));
        rows.push(Row::ratio(
            &format!("planning {name}, 10,000 hosts"),
            "ms",
            many,
            (10.0 * few, "ten times 1,000 hosts"),
            2.0,
        ));
    }
    Ok(rows)
}

fn plan(hosts: u32) -> Result<serde_json::Value> {
    let (hosts, services) = (hosts.to_string(), SERVICES.to_string());
    let example = ["run", "--quiet", "--release", "--package", "cloudpad", "--example", "planning", "--"];
    let report = shell::output(&mut cargo(&[&example[..], &[&hosts, &services]].concat()))?;
    serde_json::from_str(&report).map_err(|error| format!("no report in `{report}`: {error}"))
}

fn number(report: &serde_json::Value, field: &str) -> Result<f64> {
    report[field].as_f64().ok_or_else(|| format!("no `{field}` in {report}"))
}
