//! `cloudpad maintenance`: has routes answer with a page in place of their services.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use super::{Ended, Refused};
use crate::look::At;
use crate::plan::{self, Until};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::{project, words};

const TEXT: &str = "We are working on it, and will be back soon.";

/// Answer all requests with a page, or no more
#[derive(clap::Args)]
pub(super) struct Args {
    /// Whether the page is shown; it is until it is switched off, whatever is deployed meanwhile
    #[arg(value_enum)]
    state: State,
    /// What the page says
    #[arg(short, long, value_name = "TEXT", conflicts_with = "page")]
    message: Option<String>,
    /// A file with another page, in HTML
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Go ahead without asking, as `off` does
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    On,
    Off,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let page = self.page()?;
        let session = Session::open("maintenance", true, global, term)?;
        let session = session.exclusive("maintenance", &self.lock);
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Hosts)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        let (inventory, scope, observed) = (&looked.inventory, &looked.scope, &looked.observed);
        let plan = plan::maintenance(&session.config, inventory, scope, observed, page.as_deref());
        let mut plan = plan.map_err(|problems| session.refuses(problems.into()))?;
        session.tell(&mut plan, &goal);
        // Nobody is without an answer because a page is taken off.
        let yes = self.yes || self.state == State::Off;
        let on_failure = session.config.deploy.on_failure;
        let code = agreed(&session, ("", &plan), yes, (&looked, &goal), on_failure)?;
        if code == exit::OK && self.state == State::On {
            term.status("requests are answered with the page; `cloudpad maintenance off` ends it");
        }
        Ok(code)
    }

    fn page(&self) -> Result<Option<String>, Refused> {
        if self.state == State::Off {
            if self.message.is_some() || self.page.is_some() {
                return Err(Refusal::new("`maintenance off` shows no page")
                    .hint("leave the page out")
                    .into());
            }
            return Ok(None);
        }
        let Some(file) = &self.page else {
            return Ok(Some(words::page::maintenance(self.message.as_deref().unwrap_or(TEXT))));
        };
        match project::read_if_there(file)? {
            Some(page) => Ok(Some(page)),
            None => Err(Refusal::new(format!("there is no file `{}`", file.display())).into()),
        }
    }
}
