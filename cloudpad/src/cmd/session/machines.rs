//! What commands about the machines themselves need: a look at them, and plans that are theirs alone.

use std::path::Path;
use std::sync::Arc;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;

use super::Session;
use crate::cmd::Refused;
use crate::plan::Plan;
use crate::plan::queue::Mode;
use crate::provision::{self, Seen, Wanted};
use crate::refusal::Refusal;
use crate::report::{Event, Phase};

impl Session {
    /// Looks at machines, be there an engine or not.
    pub(in crate::cmd) fn look_at_machines(
        &self,
        hosts: &[Arc<Host>],
        wanted: Wanted,
    ) -> Result<Vec<Result<Seen, Failure>>, Refused> {
        let seen = self.wait_for_look(provision::look(&self.runner, hosts, wanted));
        if self.runner.stop.is_requested() { Err(Refusal::Stopped.into()) } else { Ok(seen) }
    }

    /// Has a plan that is about the hosts themselves carried out, on each of them as far as it goes; whether all was done.
    pub(in crate::cmd) fn carry_out_everywhere(&self, plan: &Plan) -> bool {
        let phase = self.begin(plan);
        let outcomes = self.wait_for(self.runner.carry_out(phase, plan, Mode::Open));
        outcomes.values().filter(|outcome| outcome.is_ok()).count() == plan.actions.len()
    }

    /// Tells that such a plan begins; that it is left out where what it needs has failed, the report says then.
    pub(in crate::cmd) fn begin(&self, plan: &Plan) -> Phase {
        let (phase, actions) = (Phase::Apply, plan.actions.len());
        self.runner.record.event(Event::Phase { phase, actions, notes: Vec::new() });
        phase
    }

    /// The project's folder, absolute.
    pub(in crate::cmd) fn directory(&self) -> &Path {
        &self.directory
    }

    /// When the run has begun, as releases and the journal call it.
    pub(in crate::cmd) fn time(&self) -> &str {
        &self.time
    }
}
