//! What a command has printed on many hosts, in words. Pure.

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::Exited;
use serde_json::{Value, json};

use super::{failure, json_line, plural};

/// A line that a command has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether to standard error.
    pub is_error: bool,
    /// The line.
    pub text: String,
}

/// What came of a command on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The host.
    pub host: String,
    /// What was printed, as far as it is kept.
    pub lines: Vec<Line>,
    /// How it has ended; none where that is not known.
    pub ended: Option<Result<Exited, Failure>>,
}

impl Output {
    /// One of a host that has said nothing yet.
    pub fn of(host: &str) -> Self {
        Self { host: host.to_owned(), lines: Vec::new(), ended: None }
    }

    /// Whether the command has ended with 0.
    pub fn has_worked(&self) -> bool {
        matches!(&self.ended, Some(Ok(Exited { exit_code: 0, signal: None })))
    }
}

/// A line with its host before it.
pub fn prefixed(host: &str, width: usize, line: &str) -> String {
    format!("{host:width$} | {line}").trim_end().to_owned()
}

/// Outputs that are the same but for the host, each with all its hosts; the one of most hosts first.
pub fn grouped(outputs: &[Output]) -> Vec<(Vec<&str>, &Output)> {
    let mut groups: Vec<(Vec<&str>, &Output)> = Vec::new();
    for output in outputs {
        let same =
            |other: &&mut (Vec<&str>, &Output)| other.1.lines == output.lines && how(other.1) == how(output);
        match groups.iter_mut().find(same) {
            Some((hosts, _)) => hosts.push(&output.host),
            None => groups.push((vec![&output.host], output)),
        }
    }
    groups.sort_by_key(|(hosts, _)| std::cmp::Reverse(hosts.len()));
    groups
}

/// Groups as text: hosts and how it has ended there, and below that what was printed.
pub fn groups(groups: &[(Vec<&str>, &Output)]) -> String {
    let mut text = String::new();
    for (hosts, output) in groups {
        text += &format!("{} ({}): {}\n", hosts.join(", "), plural(hosts.len(), "host"), how(output));
        for line in &output.lines {
            text += &format!("    {}\n", line.text);
        }
    }
    text
}

/// The same as one JSON document.
pub fn groups_json(groups: &[(Vec<&str>, &Output)]) -> String {
    let group = |(hosts, output): &(Vec<&str>, &Output)| {
        let printed = |is_error| {
            let lines = output.lines.iter().filter(|line| line.is_error == is_error);
            lines.map(|line| line.text.as_str()).collect::<Vec<_>>()
        };
        with_end(json!({ "hosts": hosts, "stdout": printed(false), "stderr": printed(true) }), output)
    };
    json_line(&groups.iter().map(group).collect::<Vec<_>>())
}

/// A line as a line of JSON.
pub fn line_json(host: &str, line: &Line) -> String {
    let stream = if line.is_error { "stderr" } else { "stdout" };
    json_line(&json!({ "event": "output", "host": host, "stream": stream, "line": line.text }))
}

/// An end as a line of JSON.
pub fn end_json(output: &Output) -> String {
    json_line(&with_end(json!({ "event": "ended", "host": output.host }), output))
}

/// An object, and how it has ended.
fn with_end(mut object: Value, output: &Output) -> Value {
    let end = match &output.ended {
        Some(Ok(exited)) => serde_json::to_value(exited).unwrap_or_default(),
        Some(Err(failure)) => json!({ "error": failure }),
        None => json!({}),
    };
    if let (Value::Object(object), Value::Object(end)) = (&mut object, end) {
        object.extend(end);
    }
    object
}

fn how(output: &Output) -> String {
    match &output.ended {
        Some(Ok(Exited { signal: Some(signal), .. })) => format!("ended by the signal {signal}"),
        Some(Ok(Exited { exit_code, .. })) => format!("exit code {exit_code}"),
        Some(Err(why)) => failure(why),
        None => "not run".to_owned(),
    }
}

/// What to say of each host where it has not worked.
pub fn failures(outputs: &[Output]) -> Vec<String> {
    let failed = outputs.iter().filter(|output| !output.has_worked());
    failed.map(|output| format!("{}: {}", output.host, how(output))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(host: &str, lines: &[&str], exit_code: i32) -> Output {
        let line = |text: &&str| Line { is_error: false, text: (*text).to_owned() };
        let ended = Some(Ok(Exited { exit_code, signal: None }));
        Output { host: host.to_owned(), lines: lines.iter().map(line).collect(), ended }
    }

    #[test]
    fn hosts_that_say_the_same_are_told_once_and_the_most_first() {
        let gone = Output { ended: Some(Err(Failure::failed("gone"))), ..Output::of("h5") };
        let all = [
            output("h1", &["6.1"], 0),
            output("h2", &["6.12", "new"], 0),
            output("h3", &["6.12", "new"], 0),
            output("h4", &["6.1"], 2),
            gone,
        ];
        assert_eq!(
            groups(&grouped(&all)),
            "h2, h3 (2 hosts): exit code 0\n    6.12\n    new\nh1 (1 host): exit code 0\n    6.1\n\
             h4 (1 host): exit code 2\n    6.1\nh5 (1 host): gone\n"
        );
        assert_eq!(failures(&all), ["h4: exit code 2", "h5: gone"]);
        let ended = Some(Ok(Exited { exit_code: 137, signal: Some("KILL".to_owned()) }));
        assert_eq!(failures(&[Output { ended, ..Output::of("h1") }]), ["h1: ended by the signal KILL"]);
    }

    #[test]
    fn names_are_padded_and_empty_lines_have_no_blank_at_their_end() {
        assert_eq!(prefixed("h1", 4, "a  b"), "h1   | a  b");
        assert_eq!(prefixed("h1", 2, ""), "h1 |");
    }
}
