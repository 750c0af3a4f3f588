//! Asks before something is done.

use crate::refusal::Refusal;
use crate::term::Term;

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
