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
        if self.name.is_empty() || self.name.contains(char::is_control) {
            return Err(Refusal::new(format!(
                "`{}` cannot be the name of a secret",
                self.name.escape_debug()
            ))
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

/// All of standard input, without the end of line that programs print after a value.
fn piped() -> Result<String, Refusal> {
    let mut value = String::new();
    let read = std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut value);
    read.map_err(|error| Refusal::new(format!("the value on standard input cannot be read: {error}")))?;
    if value.len() as u64 > LONGEST {
        return Err(Refusal::new("the value on standard input is longer than 1 MiB"));
    }
    if value.ends_with('\n') {
        value.pop();
    }
    Ok(value)
}
