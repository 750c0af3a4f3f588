//! `cloudpad secrets set`: keeps the value of one secret, which is typed unseen or comes on standard input.

use std::io::Read;
use std::sync::Arc;

use cloudpad_plugin_api::stage::secrets::Set;
use cloudpad_plugin_api::{Request, Secret};

use super::kept_elsewhere;
use crate::cmd::Ended;
use crate::cmd::args::Global;
use crate::cmd::session::Session;
use crate::listing::secrets;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;

/// The longest value, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Set the value of a secret: typed unseen, or from standard input
#[derive(clap::Args)]
pub(super) struct Args {
    /// What the secret is called where it is kept
    name: String,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        if !is_name(&self.name) {
            return Err(Refusal::new(format!(
                "`{}` cannot be the name of a secret",
                self.name.escape_debug()
            ))
            .hint("it has neither blanks nor quotes, such as `DATABASE_PASSWORD`")
            .into());
        }
        let session = Session::open("secrets set", false, global, term)?;
        let value = if term.is_interactive() {
            session.type_unseen(&format!("value of `{}`: ", self.name))?
        } else {
            piped()?
        };
        if value.is_empty() {
            return Err(Refusal::new("nothing was done: the value is empty").into());
        }
        if value.contains('\0') {
            return Err(Refusal::new("nothing was done: the value has a zero byte")
                .hint("keep it encoded, such as in base64")
                .into());
        }
        let name = self.name;
        let set = Set { name: name.clone(), value: Secret::from(value) };
        session.ask(Request::SecretsSet(set)).map_err(|refused| kept_elsewhere(&session, refused))?;
        let unneeded = !secrets::needed(&session.config).contains(&name);
        let note = if unneeded { "; no service names it yet" } else { "" };
        term.status(&format!("`{name}` is set{note}"));
        Ok(exit::OK)
    }
}

/// Whether a secret can be called so: what shells, files of variables and TOML would take apart is a slip of the keyboard.
fn is_name(name: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | '"' | '\'' | '`' | '#');
    !name.is_empty() && !name.contains(is_odd)
}

/// All of standard input.
fn piped() -> Result<String, Refusal> {
    let mut value = String::new();
    let read = std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut value);
    read.map_err(|error| Refusal::new(format!("the value on standard input cannot be read: {error}")))?;
    if value.len() as u64 > LONGEST {
        return Err(Refusal::new("the value on standard input is longer than 1 MiB"));
    }
    Ok(without_end(value))
}

/// A value without the end of line that programs print after it; that of several lines, such as a key in PEM, belongs to it.
fn without_end(mut value: String) -> String {
    if value.find('\n').is_some_and(|first| first + 1 == value.len()) {
        value.pop();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{is_name, without_end};

    #[test]
    fn names_are_of_one_word() {
        assert!(["PASSWORD", "db.password", "team/db-password", "schlüssel"].into_iter().all(is_name));
        assert!(!["", "bad name", "A=b", "\"A\"", "#a", "a\n"].into_iter().any(is_name));
    }

    #[test]
    fn one_line_loses_its_end_and_several_keep_theirs() {
        for (given, kept) in
            [("a\n", "a"), ("a", "a"), ("\n", ""), ("a\nb\n", "a\nb\n"), ("a\n\n", "a\n\n"), ("", "")]
        {
            assert_eq!(without_end(given.to_owned()), kept);
        }
    }
}
