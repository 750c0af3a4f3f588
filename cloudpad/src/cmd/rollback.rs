//! `cloudpad rollback`: brings back what ran at an earlier release.

use std::sync::Arc;

use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use super::{Ended, Refused};
use crate::look::{At, Looked};
use crate::observed::suffix_of;
use crate::plan::{self, Goal, Until};
use crate::refusal::Refusal;
use crate::releases::Past;
use crate::term::Term;

/// Go back to what ran at an earlier release
#[derive(clap::Args)]
pub(super) struct Args {
    /// The release to go back to, as `releases` lists it; its beginning or its revision is enough [default: the one before]
    release: Option<String>,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("rollback", true, global, term)?.exclusive("rollback", &self.lock);
        let (looked, goal) = self.goal(&session)?;
        let plan = session.plan(&looked, &goal)?;
        let preface = format!("  back to release {}\n", restored(&goal));
        let on_failure = session.config.deploy.on_failure;
        agreed(&session, (&preface, &plan), self.yes, (&looked, &goal), on_failure)
    }

    /// What is to be brought back, and all that was looked at for it.
    fn goal(&self, session: &Session) -> Result<(Looked, Goal), Refused> {
        let selection = self.select.selection();
        let mut looked = session.look(&selection, At::Past)?;
        let past = Past {
            config: &session.config,
            inventory: &looked.inventory,
            scope: &looked.scope,
            observed: &looked.observed,
        };
        if let Some(host) = past.forgetful().first() {
            let message = format!("there is nothing to go back to: `{host}` does not remember releases");
            let hint = "its provider of stage `deploy` does not; deploy the earlier source again";
            return Err(Refusal::new(message).hint(hint).into());
        }
        let release = match &self.release {
            Some(release) => past.named(release)?,
            None => past.before()?,
        };
        let goal = session.goal(Until::Deploy, selection, &looked);
        let goal = Goal { release: goal.release + suffix_of(&release), restore: Some(release), ..goal };
        let obstacles = plan::obstacles(&session.config, &looked.inventory, &looked.observed, &goal);
        if !obstacles.is_empty() {
            return Err(session.refuses(obstacles.into()));
        }
        session.look_back(&mut looked, &goal)?;
        Ok((looked, goal))
    }
}

fn restored(goal: &Goal) -> &str {
    goal.restore.as_deref().unwrap_or_default()
}
