//! A run as its journal tells it. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Failure;
use serde::Deserialize;
use serde_json::Value;

use crate::plan::Change;
use crate::report::{Ending, Phase};

/// A line of a journal, as far as history is made of it.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Line {
    Run {
        command: String,
        project: String,
        time: String,
        #[serde(default)]
        by: String,
        #[serde(default)]
        from: String,
    },
    Plan {
        release: String,
        changes: Vec<Change>,
    },
    Phase {
        phase: Phase,
    },
    Started {
        phase: Phase,
        #[serde(flatten)]
        action: Action,
    },
    Done {
        phase: Phase,
        #[serde(flatten)]
        action: Action,
        ms: u64,
        #[serde(default)]
        reply: Value,
    },
    Failed {
        phase: Phase,
        #[serde(flatten)]
        action: Action,
        ms: u64,
        error: Failure,
    },
    Report {
        ending: Ending,
        ms: u64,
    },
    #[serde(other)]
    Other,
}

/// What a line is about.
#[derive(Debug, Deserialize)]
pub(super) struct Action {
    pub(super) id: u32,
    pub(super) method: String,
    #[serde(default)]
    pub(super) host: Option<String>,
    pub(super) object: String,
}

/// A run that a journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// The journal's file.
    pub file: &'a str,
    /// Its lines.
    pub text: &'a str,
    /// The project, with its environment.
    pub project: String,
    /// The command.
    pub command: String,
    pub(super) time: String,
    pub(super) by: String,
    pub(super) from: String,
    /// The release that its plan was for; empty where it has come to no plan.
    pub release: String,
    /// Whether its plan was begun.
    pub(super) applied: bool,
    /// How it ended, and after how many milliseconds; none where it has not, or was broken off.
    pub(super) end: Option<(Ending, u64)>,
    pub(super) under_way: bool,
    pub(super) hosts: BTreeSet<String>,
    /// The hosts that have noted the release or, where all of the project was removed, forgotten all.
    pub noted: BTreeSet<String>,
    pub(super) services: BTreeSet<String>,
}

/// The runs that a journal tells: one, or where several began in the same second, those. A last line that was cut off is
/// left out.
///
/// # Errors
/// What is no journal: which line, and why.
pub fn read<'a>(file: &'a str, text: &'a str, under_way: bool) -> Result<Vec<Run<'a>>, String> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for (number, piece) in text.split_inclusive('\n').enumerate() {
        let line = match serde_json::from_str(piece) {
            Ok(line) => line,
            Err(_) if !piece.ends_with('\n') => break,
            Err(error) => return Err(format!("line {}: {error}", number + 1)),
        };
        match (line, runs.last_mut()) {
            (Line::Run { command, project, time, by, from }, _) => {
                begin = end;
                runs.push(Run { command, project, time, by, from, ..Run::new(file) });
            }
            (line, Some(run)) => run.take(line),
            (_, None) => return Err(format!("line {}: a journal begins with its run", number + 1)),
        }
        end += piece.len();
        if let Some(run) = runs.last_mut() {
            run.text = &text[begin..end];
        }
    }
    if let Some(last) = runs.last_mut() {
        last.under_way = under_way && last.end.is_none();
    }
    Ok(runs)
}

impl<'a> Run<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            text: "",
            project: String::new(),
            command: String::new(),
            time: String::new(),
            by: String::new(),
            from: String::new(),
            release: String::new(),
            applied: false,
            end: None,
            under_way: false,
            hosts: BTreeSet::new(),
            noted: BTreeSet::new(),
            services: BTreeSet::new(),
        }
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Plan { release, changes } => {
                self.release = release;
                for change in changes {
                    self.hosts.insert(change.host);
                    self.services.insert(change.instance.service);
                }
            }
            Line::Phase { phase } => self.applied |= phase == Phase::Apply,
            Line::Started { phase: Phase::Apply | Phase::Undo, action } => {
                if action.method == "deploy.route" {
                    self.services.insert(action.object);
                }
                self.hosts.extend(action.host);
            }
            Line::Done { phase: Phase::Apply, action, .. } if action.method == "deploy.record" => {
                self.noted.extend(action.host);
            }
            Line::Report { ending, ms } => self.end = Some((ending, ms)),
            Line::Run { .. }
            | Line::Started { .. }
            | Line::Done { .. }
            | Line::Failed { .. }
            | Line::Other => {}
        }
    }

    /// What its journal says of it, line by line.
    pub fn events(&self) -> Vec<Value> {
        self.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Whether anything was begun on hosts, or for them.
    pub(super) fn has_acted(&self) -> bool {
        let idle = matches!(self.end, Some((Ending::NothingToDo, _)));
        self.applied && !idle && !self.hosts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = r#"{"event":"run","command":"deploy","project":"shop","time":"20260131T235959Z"}
{"event":"started","phase":"look","id":0,"method":"deploy.observe","host":"h9","object":""}
{"event":"plan","release":"20260131T235959Z-abc","changes":[{"kind":"create","host":"h1","instance":{"service":"web","number":1},"why":[]}],"actions":2,"notes":[]}
{"event":"something new","phase":"later"}
"#;
    const APPLY: &str = r#"{"event":"phase","phase":"apply","actions":2}
{"event":"started","phase":"apply","id":1,"method":"deploy.route","host":"h2","object":"api"}
"#;
    const DONE: &str = "{\"event\":\"report\",\"ending\":\"done\",\"ms\":9}\n";

    fn one<'a>(text: &'a str, under_way: bool) -> Run<'a> {
        read("f", text, under_way).unwrap().pop().unwrap()
    }

    #[test]
    fn a_run_is_what_its_lines_say() {
        let text = [BEGIN, APPLY, DONE].concat();
        let run = one(&text, false);
        assert_eq!(
            (&*run.command, &*run.release, run.end),
            ("deploy", "20260131T235959Z-abc", Some((Ending::Done, 9)))
        );
        assert_eq!(
            run.hosts.iter().collect::<Vec<_>>(),
            ["h1", "h2"],
            "a host that was looked at only is none of its"
        );
        assert_eq!(run.services.iter().collect::<Vec<_>>(), ["api", "web"]);
        assert!(run.has_acted() && run.text == text);
    }

    #[test]
    fn what_was_refused_or_has_found_nothing_to_do_has_not_acted() {
        assert!(!one(BEGIN, false).has_acted());
        let idle =
            [BEGIN, "{\"event\":\"phase\",\"phase\":\"apply\"}\n", &DONE.replace("done", "nothing_to_do")]
                .concat();
        assert!(!one(&idle, false).has_acted());
    }

    #[test]
    fn what_was_cut_off_is_read_as_far_as_it_goes() {
        let text = [BEGIN, APPLY, &DONE[..20]].concat();
        let run = one(&text, false);
        assert_eq!((run.has_acted(), run.end, run.under_way), (true, None, false));
        assert!(one(&text, true).under_way && !one(&[BEGIN, APPLY, DONE].concat(), true).under_way);
        assert_eq!(read("f", "", false), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_journal_is_told_with_its_line() {
        let error = |text: &str| read("f", text, false).unwrap_err();
        assert!(error(&[BEGIN, "{broken\n", DONE].concat()).starts_with("line 5: "));
        assert_eq!(error(DONE), "line 1: a journal begins with its run");
        assert!(error("[]\n").starts_with("line 1: "));
    }

    #[test]
    fn runs_that_began_in_the_same_second_are_told_apart() {
        let text = [BEGIN, APPLY, BEGIN, DONE].concat();
        let runs = read("f", &text, false).unwrap();
        assert_eq!(runs.iter().map(|run| run.end.is_some()).collect::<Vec<_>>(), [false, true]);
        assert_eq!(runs[1].text, [BEGIN, DONE].concat());
    }
}
