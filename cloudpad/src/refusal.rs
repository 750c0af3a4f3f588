//! Why nothing was done: the error of everything that happens before hosts are touched. Pure.

use cloudpad_plugin_api::Failure;
use serde::Serialize;

use crate::config::{Position, Problem};
use crate::report::exit;

/// Why a command did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something is wrong outside the config.
    Message {
        /// What was tried, on what, why not.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// The config cannot be carried out. `config` is there to point at its places.
    Problems(Vec<Problem>),
    /// Providers could not find out what is so.
    Failures(Vec<Failure>),
    /// The user stopped it.
    Stopped,
}

impl Refusal {
    /// What is said of [`Refusal::Stopped`].
    pub const STOPPED: &str = "stopped before anything was done";

    /// The exit code that goes with it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped => exit::INTERRUPTED,
            Self::Message { .. } | Self::Problems(_) | Self::Failures(_) => exit::REFUSED,
        }
    }

    /// A message with no hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message { message: message.into(), hint: None }
    }

    /// Adds what to do next, to a message.
    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Message { message, .. } => Self::Message { message, hint: Some(text.into()) },
            other => other,
        }
    }
}

/// A refusal as `--json` tells it: a line in the place of the report, or of the data that was asked for.
#[derive(Debug, Serialize)]
pub struct Told {
    event: &'static str,
    problems: Vec<ToldProblem>,
}

/// One reason.
#[derive(Debug, Default, Serialize)]
struct ToldProblem {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// In the config's file.
    #[serde(flatten)]
    position: Option<Position>,
}

impl Told {
    /// `locate` finds a problem's place in the config's file.
    pub fn new(refusal: &Refusal, locate: impl Fn(&Problem) -> Option<Position>) -> Self {
        let problems = match refusal {
            Refusal::Message { message, hint } => {
                let (message, hint) = (message.clone(), hint.clone());
                vec![ToldProblem { message, hint, ..ToldProblem::default() }]
            }
            Refusal::Problems(problems) => problems.iter().map(|p| ToldProblem::of(p, locate(p))).collect(),
            Refusal::Failures(failures) => failures.iter().cloned().map(ToldProblem::from).collect(),
            Refusal::Stopped => {
                vec![ToldProblem { message: Refusal::STOPPED.to_owned(), ..ToldProblem::default() }]
            }
        };
        Self { event: "refused", problems }
    }
}

impl ToldProblem {
    fn of(problem: &Problem, position: Option<Position>) -> Self {
        let (message, hint) = (problem.message.clone(), problem.hint.clone());
        Self { message, hint, position, ..Self::default() }
    }
}

impl From<Failure> for ToldProblem {
    fn from(failure: Failure) -> Self {
        let Failure { message, causes, hint, host, .. } = failure;
        Self { message, causes, hint, host, position: None }
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}
