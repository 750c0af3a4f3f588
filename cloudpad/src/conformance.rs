//! Whether a plugin keeps its side of the protocol: the checks of `cloudpad plugin check`. I/O: runs the plugin.
//!
//! A session hides what is wrong with a plugin or ends at it, so this speaks the wire itself: `peer` is a process
//! and its lines, `conversation` makes calls over it, `transcript` reads what is said. `checks` are the
//! questions, which go on in one process until it fails at one; [`case`] is what they are put with, [`verdict`] what
//! came of them.

pub mod case;
mod checks;
mod conversation;
mod kit;
mod left;
mod offer;
mod peer;
mod transcript;
pub mod verdict;

use crate::plugin::limits::Limits;
use crate::plugin::start::Launch;
use case::Case;
use kit::Kit;
use verdict::Report;

/// Checks a plugin. Calls that change something are made only where `allow_mutating`.
pub fn check(launch: &Launch, limits: Limits, case: &Case, allow_mutating: bool) -> Report {
    let mut kit = Kit {
        launch,
        limits,
        case,
        allow_mutating,
        said: None,
        hello: None,
        ordinary: None,
        over: None,
        stray: None,
        misplaced: None,
    };
    Report::new(launch.path.display().to_string(), checks::all(&mut kit))
}
