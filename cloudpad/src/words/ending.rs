//! How a run has ended, in a line. Pure.

use std::fmt::Write;

use super::plan::nothing_to_do;
use super::{bytes, plural, seconds, some_of};
use crate::report::{Ending, Report};

/// A report in a line, with the name of the release where it is about one.
pub fn report(report: &Report, is_release: bool) -> String {
    let mut text = outcome(report, is_release);
    for failed in &report.failed_hooks {
        let _ = write!(text, "; hook `{}` failed: {}", failed.hook.name(), failed.command);
    }
    text
}

fn outcome(report: &Report, is_named: bool) -> String {
    let (seconds, done) = (seconds(report.ms), plural(report.done, "action"));
    let named =
        |verb: &str| if is_named { format!("release {} {verb}", report.release) } else { String::new() };
    match report.ending {
        Ending::NothingToDo => format!("{} ({seconds})", nothing_to_do(report.notes)),
        Ending::Done => {
            let sent = if report.sent > 0 { format!(", {} sent", bytes(report.sent)) } else { String::new() };
            let release = if is_named { format!("release {}: ", report.release) } else { String::new() };
            format!("{release}{done} done{sent} ({seconds})")
        }
        Ending::Incomplete => {
            format!("{}incomplete: {done} done; see the notes above ({seconds})", named("is "))
        }
        Ending::Undone => format!(
            "{}failed, and what it had changed has been taken back: {}",
            named(""),
            failures(report, &seconds)
        ),
        Ending::Failed => format!("{}failed: {}", named(""), failures(report, &seconds)),
        Ending::Interrupted => format!(
            "{}interrupted: {} done, {} not begun ({seconds}); {}",
            named("was "),
            report.done,
            report.not_run,
            if is_named { "`cloudpad plan` shows what is left" } else { "the same command goes on with it" }
        ),
    }
}

fn failures(report: &Report, seconds: &str) -> String {
    let mut text = format!("{} done, {} failed", report.done, report.failures.len());
    if !report.incomplete_hosts.is_empty() {
        let hosts: Vec<_> = report.incomplete_hosts.iter().cloned().collect();
        let _ = write!(text, " on {}", some_of(&hosts));
    }
    if report.not_run > 0 {
        let _ = write!(text, ", {} not begun", report.not_run);
    }
    format!("{text} ({seconds})")
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::Failure;

    use super::*;
    use crate::report::{Event, Phase, Subject, Tally};

    fn told(is_release: bool, interrupted: bool) -> String {
        let mut tally = Tally::default();
        let (release, changes, notes) = ("r1".to_owned(), Vec::new(), Vec::new());
        tally.add(&Event::Plan { release, changes, actions: 2, notes });
        tally.add(&Event::Phase { phase: Phase::Apply, actions: 2, notes: Vec::new() });
        report(&tally.report(interrupted, 1_500), is_release)
    }

    #[test]
    fn what_is_no_release_has_no_name() {
        assert_eq!(told(true, false), "release r1: 0 actions done (1.5 s)");
        assert_eq!(told(false, false), "0 actions done (1.5 s)");
        let rest = "interrupted: 0 done, 2 not begun (1.5 s)";
        let plan = "`cloudpad plan` shows what is left";
        assert_eq!(told(true, true), format!("release r1 was {rest}; {plan}"));
        assert_eq!(told(false, true), format!("{rest}; the same command goes on with it"));
    }

    #[test]
    fn the_hosts_that_are_named_are_those_on_which_something_failed() {
        let mut tally = Tally::default();
        let subject =
            Subject { id: 1, method: "deploy.ready", host: Some("h1".into()), object: "web-1".into() };
        tally.add(&Event::Phase { phase: Phase::Apply, actions: 2, notes: Vec::new() });
        tally.add(&Event::Failed {
            phase: Phase::Apply,
            action: subject,
            ms: 1,
            error: Failure::failed("no"),
        });
        // What takes two plans is one work, be the second begun or not.
        tally.add(&Event::Phase { phase: Phase::Apply, actions: 1, notes: Vec::new() });
        let told = report(&tally.report(false, 1_500), false);
        assert_eq!(told, "failed: 0 done, 1 failed on h1, 2 not begun (1.5 s)");
    }
}
