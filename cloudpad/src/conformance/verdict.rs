//! What came of the checks of a plugin, as people and programs are told. Pure.

use std::fmt::Write;

use serde::Serialize;

use crate::words::plural;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Verdict {
    /// It is so.
    Passed,
    /// It could be better, and is not wrong.
    Warning {
        /// What was found.
        why: String,
        /// What to do about it.
        mend: String,
    },
    /// It is not so.
    Failed {
        /// What was found.
        why: String,
        /// What to do about it.
        mend: String,
    },
    /// Nobody looked, which is no pass.
    Skipped {
        /// Why not.
        why: String,
    },
}

impl Verdict {
    /// It is not so.
    pub fn failed(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), mend: mend.into() }
    }

    /// It could be better.
    pub fn warning(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Warning { why: why.into(), mend: mend.into() }
    }

    /// Nobody looked.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }

    /// The same, said of a part of what was looked at.
    #[must_use]
    pub fn of(self, part: &str) -> Self {
        let named = |why: String| format!("{part}: {why}");
        match self {
            Self::Passed => Self::Passed,
            Self::Warning { why, mend } => Self::Warning { why: named(why), mend },
            Self::Failed { why, mend } => Self::Failed { why: named(why), mend },
            Self::Skipped { why } => Self::Skipped { why: named(why) },
        }
    }

    /// The worse of two: what failed, then what is doubtful, then what nobody looked at; the first of two that are
    /// alike.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let weight = |verdict: &Self| match verdict {
            Self::Passed => 0,
            Self::Skipped { .. } => 1,
            Self::Warning { .. } => 2,
            Self::Failed { .. } => 3,
        };
        if weight(&other) > weight(&self) { other } else { self }
    }
}

/// A check, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    #[serde(rename = "check")]
    pub name: String,
    /// What is so where it passes.
    pub what: String,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What came of all checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The plugin's file.
    pub file: String,
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// How many passed, without a warning.
    pub passed: usize,
    /// How many have a warning.
    pub warnings: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not made.
    pub skipped: usize,
}

impl Report {
    /// Counts.
    pub fn new(file: String, checks: Vec<Check>) -> Self {
        let mut report = Self { file, checks: Vec::new(), passed: 0, warnings: 0, failed: 0, skipped: 0 };
        for check in &checks {
            *match check.verdict {
                Verdict::Passed => &mut report.passed,
                Verdict::Warning { .. } => &mut report.warnings,
                Verdict::Failed { .. } => &mut report.failed,
                Verdict::Skipped { .. } => &mut report.skipped,
            } += 1;
        }
        Self { checks, ..report }
    }

    /// A line for each check, and the sum.
    pub fn text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for Check { name, what, verdict } in &self.checks {
            let (result, said, mend) = match verdict {
                Verdict::Passed => ("ok", what, None),
                Verdict::Warning { why, mend } => ("warning", why, Some(mend)),
                Verdict::Failed { why, mend } => ("FAILED", why, Some(mend)),
                Verdict::Skipped { why } => ("skipped", why, None),
            };
            let mut lines = said.lines().map(str::to_owned).chain(mend.map(|mend| format!("mend: {mend}")));
            let first = lines.next().unwrap_or_default();
            let _ = writeln!(text, "{result:7}  {name:width$}  {first}");
            for line in lines {
                let _ = writeln!(text, "{:7}  {:width$}  {line}", "", "");
            }
        }
        let Self { passed, warnings, failed, skipped, .. } = self;
        let warnings = plural(*warnings, "warning");
        let _ = writeln!(text, "{passed} passed, {warnings}, {failed} failed, {skipped} skipped");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_told_and_counted() {
        let check = |name: &str, verdict| Check { name: name.into(), what: "it is so".into(), verdict };
        let report = Report::new(
            "/p".into(),
            vec![
                check("a", Verdict::Passed),
                check("long-name", Verdict::failed("it is not\nstderr: oops", "make it so")),
                check("c", Verdict::warning("hm", "think")),
                check("d", Verdict::skipped("there is no time")),
            ],
        );
        let expected = "ok       a          it is so\n\
                        FAILED   long-name  it is not\n\
                        \x20                   stderr: oops\n\
                        \x20                   mend: make it so\n\
                        warning  c          hm\n\
                        \x20                   mend: think\n\
                        skipped  d          there is no time\n\
                        1 passed, 1 warning, 1 failed, 1 skipped\n";
        assert_eq!(report.text(), expected);
        let told = serde_json::to_value(&report).unwrap();
        assert_eq!(
            told["checks"][1],
            serde_json::json!({ "check": "long-name", "what": "it is so", "result": "failed",
                                "why": "it is not\nstderr: oops", "mend": "make it so" })
        );
        assert_eq!((told["passed"].as_u64(), told["failed"].as_u64()), (Some(1), Some(1)));
    }

    #[test]
    fn the_worse_counts() {
        let (failed, skipped) = (Verdict::failed("x", "y"), Verdict::skipped("z"));
        assert_eq!(Verdict::Passed.and(failed.clone()), failed);
        assert_eq!(failed.clone().and(Verdict::Passed), failed);
        assert_eq!(Verdict::Passed.and(skipped.clone()), skipped, "a part that was not looked at is no pass");
        assert_eq!(skipped.clone().and(Verdict::skipped("other")), skipped);
    }
}
