//! `cloudpad scale`: more or fewer instances of what is deployed, until the next deploy.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Lock, SelectHosts};
use super::consent::agreed;
use super::session::Session;
use crate::instances::{Size, not_mistyped, one_size_each};
use crate::inventory::Selection;
use crate::look::At;
use crate::plan::{self, Asked, Until};
use crate::term::Term;

/// Run more or fewer instances of a service, until the next deploy
#[derive(clap::Args)]
pub(super) struct Args {
    /// How many of a service: in all or on each host, as it is deployed
    #[arg(value_name = "SERVICE=N", required = true)]
    sizes: Vec<Size>,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        one_size_each(&self.sizes)?;
        let session = Session::open("scale", true, global, term)?;
        for size in &self.sizes {
            not_mistyped(&session.config, &size.service)?;
        }
        let session = session.exclusive("scale", &self.lock);
        let services = self.sizes.iter().map(|size| size.service.clone()).collect();
        let selection = Selection { services, ..self.select.selection() };
        let mut looked = session.look(&selection, At::PastAround)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        if let Some(seen) = &looked.observed.cluster {
            let plan = plan::scale_in(&session.config, seen, &goal, &self.sizes);
            let mut plan = plan.map_err(|problems| session.refuses(problems.into()))?;
            session.look_at_secrets(plan::secrets_of(&plan))?;
            session.decided(&mut plan, &looked, &goal);
            let on_failure = session.config.deploy.on_failure;
            return agreed(&session, ("", &plan), self.yes, (&looked, &goal), on_failure);
        }
        let plan = |looked: &crate::look::Looked| {
            let (config, inventory, observed) = (&session.config, &looked.inventory, &looked.observed);
            let asked = Asked { config, inventory, observed, goal: &goal, targets: &[] };
            plan::scale(&asked, &self.sizes).map_err(|problems| session.refuses(problems.into()))
        };
        // What is made depends on the values of its secrets, and which those are on what is made.
        let first = plan(&looked)?;
        looked.observed.secrets = session.look_at_secrets(plan::secrets(&first, &looked.observed))?;
        let mut plan = plan(&looked)?;
        session.decided(&mut plan, &looked, &goal);
        let on_failure = session.config.deploy.on_failure;
        agreed(&session, ("", &plan), self.yes, (&looked, &goal), on_failure)
    }
}
