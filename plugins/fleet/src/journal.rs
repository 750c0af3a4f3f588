//! What units have printed, as `journalctl` of a machine is asked and tells it. Pure.
//!
//! A project's containers print under its name, so what systemd says of a unit is not among it.

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::Logs;
use serde::Deserialize;
use serde_json::Value;

use crate::judge::Look;
use crate::names::Instance;
use crate::observe;
use crate::wire::Machine;

/// Which entries of a unit are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// None before this time, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// So many of the last; all where it is not said.
    pub tail: Option<u64>,
}

/// An entry of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The unit that has printed it.
    pub unit: String,
    /// When it came, in microseconds since 1970.
    pub micros: i64,
    /// The line.
    pub line: String,
}

/// A machine, and the units there whose lines are asked for.
pub type Source<'a> = (&'a Machine, Vec<String>);

/// Which instances are meant by a request, by the machines that they are on. Where it goes on, it does so on all machines: an instance may
/// come to any.
pub fn sources<'a>(request: &Logs, look: &'a Look) -> Vec<Source<'a>> {
    let is_on = |unit: &str, machine: &Machine| {
        let mut units = look.units.iter().filter(|known| known.name == unit);
        units.any(|unit| look.rows.iter().any(|row| row.machine == machine.id && observe::is_of(row, unit)))
    };
    let meant = || look.units.iter().map(|unit| &unit.name).filter(|unit| is_meant(request, unit));
    let on = |machine: &Machine| meant().filter(|unit| is_on(unit, machine)).cloned().collect::<Vec<_>>();
    let sources = look.machines.iter().map(|machine| (machine, on(machine)));
    sources.filter(|(_, units)| request.follow || !units.is_empty()).collect()
}

/// Whether a request is about a unit of that name.
pub fn is_meant(request: &Logs, unit: &str) -> bool {
    Instance::of(&request.project, unit).is_some_and(|instance| {
        (request.services.is_empty() || request.services.contains(&instance.service))
            && request.number.is_none_or(|number| number == instance.number)
    })
}

/// What an instance is called where its lines are told.
pub fn source(project: &Project, unit: &str) -> Option<String> {
    Instance::of(project, unit).map(|instance| format!("{}.{}", instance.service, instance.number))
}

/// The command that tells what a unit has printed.
pub fn of_unit(project: &Project, unit: &str, part: Part) -> Vec<String> {
    let mut words = journalctl();
    words.extend(part.since.map(|nanos| since(nanos / 1_000_000_000)));
    words.extend(part.tail.map(|lines| format!("--lines={lines}")));
    words.extend([printed_by(project), format!("_SYSTEMD_UNIT={unit}")]);
    words
}

/// The command that tells the newest entry of all.
pub fn newest() -> Vec<String> {
    [journalctl(), vec!["--lines=1".to_owned()]].concat()
}

/// The command that tells all that is printed after that time, and goes on with it.
pub fn following(project: &Project, micros: i64) -> Vec<String> {
    let more =
        ["--follow".to_owned(), "--no-tail".to_owned(), since(micros / 1_000_000), printed_by(project)];
    [journalctl(), more.to_vec()].concat()
}

fn printed_by(project: &Project) -> String {
    format!("SYSLOG_IDENTIFIER={}", project.prefix())
}

fn journalctl() -> Vec<String> {
    // Without `--all` a long line is left out.
    ["journalctl", "--output=json", "--all", "--quiet", "--no-pager"].map(str::to_owned).to_vec()
}

fn since(seconds: i64) -> String {
    format!("--since=@{seconds}")
}

/// Reads a line of what these commands tell; none where it is no entry that a unit has printed.
pub fn read(line: &[u8]) -> Option<Entry> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "__REALTIME_TIMESTAMP")]
        micros: String,
        #[serde(rename = "_SYSTEMD_UNIT", default)]
        unit: Value,
        #[serde(rename = "MESSAGE", default)]
        message: Value,
    }
    let told: Told = serde_json::from_slice(line).ok()?;
    let unit = told.unit.as_str().unwrap_or_default().to_owned();
    Some(Entry { unit, micros: told.micros.parse().ok()?, line: text(&told.message) })
}

/// A field of a journal: text, or its bytes where that is none.
fn text(field: &Value) -> String {
    match field {
        Value::String(text) => text.clone(),
        Value::Array(bytes) => {
            let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
            String::from_utf8_lossy(&bytes.iter().filter_map(byte).collect::<Vec<_>>()).into_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::unit::Desired;
    use crate::wire::{Row, Unit};

    fn request(services: &[&str], number: Option<u32>, follow: bool) -> Logs {
        let project = Arc::new(Project { name: "shop".to_owned(), environment: None });
        let services = services.iter().map(|name| (*name).to_owned()).collect();
        Logs { project, services, number, follow, since: None, tail: None }
    }

    fn look() -> Look {
        let machine = |id: &str| Machine { id: id.to_owned(), ..Machine::default() };
        let unit = |(name, machine): (&str, Option<&str>)| Unit {
            name: name.to_owned(),
            options: Vec::new(),
            desired_state: Desired::Launched,
            machine: machine.map(str::to_owned),
        };
        let row = |(name, machine): (&str, &str)| Row {
            name: name.to_owned(),
            machine: machine.to_owned(),
            ..Row::default()
        };
        let (one, two) = ("shop.web.1a@1.service", "shop.web.1a@2.service");
        let units = [(one, Some("a")), (two, Some("b")), ("shop.db.2b@1.service", Some("a"))];
        let others = [("other.web.1a@1.service", Some("a")), ("shop.web.target", None)];
        // One row is of a machine that the unit is not on any more.
        let rows = [(one, "a"), (two, "b"), (two, "c"), ("shop.db.2b@1.service", "a"), (others[0].0, "a")];
        Look {
            machines: ["a", "b", "c"].map(machine).to_vec(),
            units: units.into_iter().chain(others).map(unit).collect(),
            rows: rows.map(row).to_vec(),
        }
    }

    #[test]
    fn what_is_meant_is_read_where_it_is() {
        let look = look();
        let told = |request: &Logs| {
            let sources = sources(request, &look).into_iter();
            sources.map(|(machine, units)| format!("{}:{}", machine.id, units.join(","))).collect::<Vec<_>>()
        };
        let all = ["a:shop.web.1a@1.service,shop.db.2b@1.service", "b:shop.web.1a@2.service"];
        assert_eq!(told(&request(&[], None, false)), all);
        assert_eq!(told(&request(&["web"], Some(2), false)), ["b:shop.web.1a@2.service"]);
        assert_eq!(told(&request(&["db"], None, true)), ["a:shop.db.2b@1.service", "b:", "c:"]);
        assert_eq!(told(&request(&["nothing"], None, false)), [""; 0]);
        assert_eq!(source(&request(&[], None, false).project, "shop.web.1a@2.service").unwrap(), "web.2");
    }

    #[test]
    fn journalctl_is_asked_for_what_containers_print() {
        let project = Project { name: "shop".to_owned(), environment: Some("staging".to_owned()) };
        let part = Part { since: Some(1_700_000_000_900_000_000), tail: Some(5) };
        assert_eq!(
            of_unit(&project, "shop.staging.web.1a@1.service", part)[4..],
            [
                "--no-pager",
                "--since=@1700000000",
                "--lines=5",
                "SYSLOG_IDENTIFIER=shop.staging",
                "_SYSTEMD_UNIT=shop.staging.web.1a@1.service"
            ]
        );
        assert_eq!(of_unit(&project, "shop.staging.web.1a@1.service", Part::default()).len(), 7);
        assert_eq!(
            following(&project, 1_700_000_000_000_001)[5..],
            ["--follow", "--no-tail", "--since=@1700000000", "SYSLOG_IDENTIFIER=shop.staging"]
        );
    }

    #[test]
    fn entries_are_read_whatever_was_printed() {
        let told = |message: &str| {
            let rest = r#""__REALTIME_TIMESTAMP":"17","_SYSTEMD_UNIT":"u.service","PRIORITY":"6""#;
            read(format!("{{{rest}{message}}}").as_bytes())
        };
        let entry =
            |line: &str| Some(Entry { unit: "u.service".to_owned(), micros: 17, line: line.to_owned() });
        assert_eq!(told(r#","MESSAGE":"a \"b\"""#), entry("a \"b\""));
        assert_eq!(told(r#","MESSAGE":[104,105,255,1]"#), entry("hi\u{fffd}\u{1}"));
        assert_eq!(told(""), entry(""));
        assert_eq!(read(b"-- No entries --"), None);
        assert_eq!(read(br#"{"MESSAGE":"x","__REALTIME_TIMESTAMP":"1"}"#).unwrap().unit, "");
    }
}
