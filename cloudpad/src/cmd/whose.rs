//! What commands begin with that start and stop services as they are on the hosts: whose, and a plan that one agrees to.

use std::sync::Arc;

use clap_complete::ArgValueCandidates;

use super::args::{Global, Lock, SelectHosts};
use super::consent::agreed;
use super::session::Session;
use super::{Ended, Refused, complete};
use crate::config::{OnFailure, Problem};
use crate::instances::{Target, not_mistyped};
use crate::inventory::Selection;
use crate::look::{At, Looked};
use crate::plan::{Asked, Goal, Plan, Until};
use crate::term::Term;

/// Those that are named, or all: it has to be said.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// Services, or single instances, such as `web` or `web.2`
    #[arg(value_name = "SERVICE[.N]", add = ArgValueCandidates::new(complete::services))]
    targets: Vec<Target>,
    /// Every service
    #[arg(long)]
    all: bool,
}

/// Which services and instances are meant.
#[derive(clap::Args)]
pub(super) struct Whose {
    #[command(flatten)]
    named: Named,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: SelectHosts,
}

impl Whose {
    /// Opens the project for `command`, which has it to itself.
    pub(super) fn open(
        &self,
        command: &'static str,
        global: &Global,
        term: &Arc<Term>,
    ) -> Result<Session, Refused> {
        let session = Session::open(command, true, global, term)?;
        for target in &self.named.targets {
            not_mistyped(&session.config, &target.service)?;
        }
        Ok(session.exclusive(command, &self.lock))
    }

    /// Looks at the hosts on which they may be.
    pub(super) fn look(&self, session: &Session, at: At) -> Result<(Looked, Goal), Refused> {
        let services = self.named.targets.iter().map(|target| target.service.clone()).collect();
        let selection = Selection { services, ..self.select.selection() };
        let looked = session.look(&selection, at)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        Ok((looked, goal))
    }

    /// Decides what is to be done, and tells it to those who listen.
    pub(super) fn plan(
        &self,
        session: &Session,
        (looked, goal): (&Looked, &Goal),
        decide: impl FnOnce(&Asked<'_>) -> Result<Plan, Vec<Problem>>,
    ) -> Result<Plan, Refused> {
        let Looked { inventory, observed, .. } = looked;
        let asked =
            Asked { config: &session.config, inventory, observed, goal, targets: &self.named.targets };
        let mut plan = decide(&asked).map_err(|problems| session.refuses(problems.into()))?;
        session.decided(&mut plan, looked, goal);
        Ok(plan)
    }

    /// Shows a plan, asks whether to go ahead, and has it carried out.
    pub(super) fn carry_out(
        &self,
        session: &Session,
        plan: &Plan,
        basis: (&Looked, &Goal),
        on_failure: OnFailure,
    ) -> Ended {
        agreed(session, ("", plan), self.yes, basis, on_failure)
    }
}
