//! What containers use, as `cloudpad stats` lists it. Pure.

use cloudpad_plugin_api::stage::deploy::Usage;
use serde_json::{Value, json};

use crate::words::{bytes, columns, memory};

/// What a container uses on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The host.
    pub host: String,
    /// The rest.
    pub usage: Usage,
}

/// Sorts rows by instance and host.
pub fn sort(rows: &mut [Row]) {
    let place = |row: &Row| (row.usage.instance.clone(), row.host.clone(), row.usage.container.clone());
    rows.sort_by_key(place);
}

/// Rows as a table with a heading, which is that of `docker stats`.
pub fn table(rows: &[Row]) -> String {
    let heading = ["INSTANCE", "HOST", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"];
    columns(&std::iter::once(heading.map(str::to_owned)).chain(rows.iter().map(cells)).collect::<Vec<_>>())
}

fn cells(Row { host, usage }: &Row) -> [String; 8] {
    let both = |one: Option<String>, other: Option<String>| match (one, other) {
        (None, None) => UNKNOWN.to_owned(),
        (one, other) => {
            let shown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
            format!("{} / {}", shown(one), shown(other))
        }
    };
    let part =
        usage.memory.zip(usage.memory_limit).and_then(|(used, limit)| (used * 10_000).checked_div(limit));
    [
        usage.instance.to_string(),
        host.clone(),
        usage.cpu_micros.map_or(UNKNOWN.to_owned(), |micros| percent(micros / 100)),
        both(usage.memory.map(memory), usage.memory_limit.map(memory)),
        part.map_or(UNKNOWN.to_owned(), percent),
        both(usage.received.map(bytes), usage.sent.map(bytes)),
        both(usage.read.map(bytes), usage.written.map(bytes)),
        usage.pids.map_or(UNKNOWN.to_owned(), |pids| pids.to_string()),
    ]
}

const UNKNOWN: &str = "-";

/// Hundredths of a percent.
fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Rows for programs: bytes, and percent of one processor; `null` is what is not known.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(object).collect()
}

fn object(Row { host, usage }: &Row) -> Value {
    // A number of microseconds below 2^53 is exact.
    let percent = usage.cpu_micros.map(|micros| micros as f64 / 10_000.0);
    json!({
        "instance": usage.instance.to_string(), "host": host, "container": usage.container,
        "cpu_percent": percent, "memory": usage.memory, "memory_limit": usage.memory_limit,
        "received": usage.received, "sent": usage.sent, "read": usage.read, "written": usage.written,
        "pids": usage.pids,
    })
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Instance;

    use super::*;

    fn usage(number: u32) -> Usage {
        Usage {
            instance: Instance { service: "web".into(), number },
            container: "c".into(),
            cpu_micros: None,
            memory: None,
            memory_limit: None,
            received: None,
            sent: None,
            read: None,
            written: None,
            pids: None,
        }
    }

    #[test]
    fn what_is_used_is_shown_as_docker_shows_it() {
        let busy = Usage {
            cpu_micros: Some(1_254_321),
            memory: Some(16 << 20),
            memory_limit: Some(64 << 20),
            received: Some(1_200),
            sent: Some(30),
            read: Some(0),
            pids: Some(3),
            ..usage(2)
        };
        let mut rows = vec![
            Row { host: "h1".into(), usage: usage(10) },
            Row { host: "h2".into(), usage: busy.clone() },
            Row { host: "h1".into(), usage: busy },
        ];
        sort(&mut rows);
        let expected = "\
INSTANCE  HOST  CPU %    MEM USAGE / LIMIT    MEM %   NET I/O        BLOCK I/O  PIDS
web.2     h1    125.43%  16.0 MiB / 64.0 MiB  25.00%  1.2 kB / 30 B  0 B / -    3
web.2     h2    125.43%  16.0 MiB / 64.0 MiB  25.00%  1.2 kB / 30 B  0 B / -    3
web.10    h1    -        -                    -       -              -          -
";
        assert_eq!(table(&rows), expected);
        let told = json(&rows);
        assert_eq!((&told[0]["instance"], &told[0]["cpu_percent"]), (&"web.2".into(), &125.4321.into()));
        assert_eq!((&told[0]["memory"], &told[2]["memory"]), (&16_777_216.into(), &Value::Null));
    }
}
