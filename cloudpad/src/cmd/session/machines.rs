//! What commands about the machines themselves need: a look at them, and plans that are theirs alone.

use std::path::Path;
use std::sync::Arc;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;

use super::Session;
use crate::cmd::Refused;
use crate::plan::Plan;
use crate::plan::queue::Mode;
use crate::provision::{self, Seen};
use crate::refusal::Refusal;
use crate::report::{Event, Phase};

impl Session {
    /// Looks at machines, be there an engine or not; `ports` are those of which to tell who listens there.
    pub(in crate::cmd) fn look_at_machines(
        &self,
        hosts: &[Arc<Host>],
        ports: &[u16],
    ) -> Result<Vec<Result<Seen, Failure>>, Refused> {
        let seen = self.wait_for_look(provision::look(&self.runner, hosts, ports));
        if self.runner.stop.is_requested() { Err(Refusal::Stopped.into()) } else { Ok(seen) }
    }

    /// Has a plan that is about the hosts themselves carried out, on each of them as far as it goes, and ends the run.
    pub(in crate::cmd) fn carry_out_everywhere(&self, plan: &Plan) -> u8 {
        let (phase, actions) = (Phase::Apply, plan.actions.len());
        self.runner.record.event(Event::Phase { phase, actions, notes: Vec::new() });
        self.wait_for(self.runner.carry_out(phase, plan, Mode::Open));
        self.finish()
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
