//! How long planning takes, and how it grows with the number of hosts. Talks to cargo and the example `planning`.

use super::Row;
use crate::program::cargo;
use crate::shell::{self, Result};

const HOSTS: u32 = 1_000;
const SERVICES: u32 = 10;
const TIMES: usize = 7;
const CASES: [(&str, &str); 3] =
    [("a first deploy", "first_ms"), ("no change", "unchanged_ms"), ("a change of everything", "changed_ms")];

/// Plans for 1,000 hosts, and for ten times as many: the quickest of several processes, each of which plans once, as a
/// deploy does.
pub fn measure() -> Result<Vec<Row>> {
    let mut runs = Vec::new();
    for _ in 0..TIMES {
        runs.push((plan(HOSTS)?, plan(10 * HOSTS)?));
    }
    let mut rows = Vec::new();
    for (name, field) in CASES {
        let (mut few, mut many) = (f64::MAX, f64::MAX);
        for (fewer, more) in &runs {
            (few, many) = (few.min(number(fewer, field)?), many.min(number(more, field)?));
        }
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
