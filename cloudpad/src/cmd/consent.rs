//! Asks before something is done.

use super::Ended;
use super::session::Session;
use crate::config::OnFailure;
use crate::look::Looked;
use crate::plan::{Goal, Plan};
use crate::refusal::Refusal;
use crate::term::Term;
use crate::words;

/// Has a plan carried out to which the user agrees, who is shown it below `preface`. One that has nothing to do needs no consent.
pub(super) fn agreed(
    session: &Session,
    (preface, plan): (&str, &Plan),
    yes: bool,
    (looked, goal): (&Looked, &Goal),
    on_failure: OnFailure,
) -> Ended {
    if let Some(code) = session.ended_by(plan) {
        return Ok(code);
    }
    let text = format!("{preface}{}", words::plan(plan));
    consent(&text, yes, &session.term, |question| session.confirm(question))?;
    if session.term.is_reticent() {
        session.warn_of(plan);
    }
    session.carry_out_or(on_failure, plan, looked, goal)
}

/// Shows what is to be done and asks whether to go ahead, unless the answer was `yes` beforehand.
/// `confirm` asks a question, and refuses where the answer is no.
pub(super) fn consent(
    text: &str,
    yes: bool,
    term: &Term,
    confirm: impl FnOnce(&'static str) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    if yes || !term.is_interactive() {
        term.status(text.trim_end());
    } else {
        // Whoever is asked has to see what about, quiet or not.
        term.ask_about(text.trim_end());
    }
    if yes {
        return Ok(());
    }
    if !term.is_interactive() {
        return Err(Refusal::new("nothing was done: there is no terminal to ask on")
            .hint("`--yes` goes ahead without asking"));
    }
    confirm("go ahead?")
}
