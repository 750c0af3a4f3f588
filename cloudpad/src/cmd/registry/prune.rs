//! `cloudpad registry prune`: removes from the registry what nothing needs any more.

use std::sync::Arc;

use super::seen::{Place, Seen};
use crate::cmd::args::{Global, Lock};
use crate::cmd::consent::agreed;
use crate::cmd::{Ended, environments};
use crate::config::{OnFailure, Problem};
use crate::inventory::Selection;
use crate::look::Looked;
use crate::plan::{Until, prune_registry};
use crate::refusal::Refusal;
use crate::term::Term;

/// Remove images from the registry that no host and no release needs
#[derive(clap::Args)]
pub(super) struct Args {
    /// How many of the newest of each image stay, whoever needs them; else as many as `keep` of `[deploy]`
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    /// Wait while somebody else is at work on the project, instead of giving up
    #[arg(long)]
    wait: bool,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        if global.cached {
            return Err(Refusal::new("`--cached` may not know of hosts that need images")
                .hint("go without: the inventory is asked then")
                .into());
        }
        // What is no host is refused here, and with no way around it.
        let lock = Lock { wait: self.wait, skip_broken_hosts: true };
        let seen = Seen::of("registry prune", Some(&lock), global, term)?;
        let unseen: Vec<Problem> = seen.places().iter().flat_map(unseen).collect();
        let Place { session, looked } = seen.chosen();
        if !unseen.is_empty() {
            return Err(session.refuses(unseen.into()));
        }
        let needs = seen.needs();
        let listed = seen.listed(&needs, None)?;
        let keep = self.keep.unwrap_or(session.config.deploy.keep) as usize;
        let mut plan = prune_registry(&listed, &needs, keep);
        let goal = session.goal(Until::Deploy, Selection::default(), looked);
        for place in seen.places() {
            plan.notes.extend(place.session.departed(&place.looked, &goal));
        }
        session.tell(&mut plan, &goal);
        agreed(session, ("", &plan), self.yes, (looked, &goal), OnFailure::Stop)
    }
}

/// The hosts of which nobody knows what they need.
fn unseen(place: &Place) -> Vec<Problem> {
    let Looked { inventory, observed, .. } = &place.looked;
    let broken = inventory
        .broken()
        .iter()
        .map(|broken| broken.clone().hint("mend it there: nobody knows which images it needs"));
    let unseen = observed.unseen().map(|(host, failure)| {
        let message =
            format!("host `{host}` cannot be looked at, so nobody knows which images it needs: {failure}");
        let hint = "bring it back; where it is gone for ever, `cloudpad hosts rm --keep` takes it out";
        Problem::new(message).hint(failure.hint.clone().unwrap_or_else(|| hint.to_owned()))
    });
    let environment = place.session.config.project.environment.as_deref();
    broken.chain(unseen).map(|problem| environments::told(problem, environment)).collect()
}
