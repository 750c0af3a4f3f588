//! `cloudpad secrets edit`: all secrets in an editor.

use std::process::ExitStatus;
use std::sync::Arc;

use cloudpad_plugin_api::stage::secrets::{Open, Opened, Save};
use cloudpad_plugin_api::{Reply, Request, Secret};

use super::kept_elsewhere;
use crate::cmd::args::Global;
use crate::cmd::session::Session;
use crate::cmd::{Ended, Refused};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::scratch::Scratch;
use crate::term::Term;

/// Edit all secrets in `$EDITOR`
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("secrets edit", false, global, term)?;
        let opened = session.ask(Request::SecretsOpen(Open {}));
        let Reply::SecretsOpened(Opened { text, mark }) =
            opened.map_err(|refused| kept_elsewhere(&session, refused))?
        else {
            return Err(Refusal::new("the secrets were not shown").into());
        };
        let scratch = Scratch::new("secrets.toml", text.expose())?;
        if !scratch.is_in_memory() {
            term.warn(&format!(
                "`{}` may be on a disk: there is no folder in memory",
                scratch.path().display()
            ));
        }
        loop {
            edit(&session, &scratch)?;
            let edited = Secret::from(scratch.read()?);
            if edited == text {
                term.status("nothing has changed");
                return Ok(exit::OK);
            }
            match session.ask(Request::SecretsSave(Save { text: edited, mark: mark.clone() })) {
                Ok(_) => break,
                Err(refused) => again(&session, term, refused)?,
            }
        }
        term.status("the secrets are changed");
        Ok(exit::OK)
    }
}

/// Shows what is wrong, and asks whether to go on editing.
fn again(session: &Session, term: &Term, refused: Refused) -> Result<(), Refused> {
    if !term.is_interactive() {
        return Err(refused);
    }
    refused.show(term);
    session.confirm("edit it again? else what you have changed is lost").map_err(|_| refused)
}

/// Runs the editor on the file.
fn edit(session: &Session, scratch: &Scratch) -> Result<(), Refusal> {
    let (name, command) = scratch.editor();
    let failed = |why: String| Refusal::new(format!("nothing was done: the editor `{name}` {why}"));
    let ended = session.wait_for(async {
        let mut editor = match tokio::process::Command::from(command).kill_on_drop(true).spawn() {
            Ok(editor) => editor,
            Err(error) => return Err(failed(format!("does not start: {error}"))),
        };
        tokio::select! {
            ended = editor.wait() => ended.map_err(|error| failed(format!("was lost: {error}"))),
            () = session.runner.stop.requested() => Err(Refusal::Stopped),
        }
    });
    match ended.map(|status: ExitStatus| status.success()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(failed("has failed".to_owned()).hint("`$EDITOR` names the editor; `$VISUAL` goes before it"))
        }
        Err(refusal) => Err(refusal),
    }
}
