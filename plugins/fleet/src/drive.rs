//! Carries a rollout out: looks, does what is next, looks again. I/O: by way of `client`.

use std::time::Duration;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;

use crate::client::Client;
use crate::judge::Look;
use crate::names;
use crate::rollout::{Act, Fault, Goal, Old, Step, Watch, next};
use crate::unit::{Desired, UnitOption};
use crate::wire::Unit;

/// How long it is waited between two looks: fleet samples states as often.
const PAUSE: Duration = Duration::from_secs(1);

/// What is to be rolled out.
pub struct Rollout<'a> {
    /// Whose service.
    pub project: &'a Project,
    /// The service.
    pub service: &'a str,
    /// The options of all its units.
    pub options: &'a [UnitOption],
    /// What is to be.
    pub goal: Goal,
}

/// How a rollout has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All is as it is to be.
    Done,
    /// It does not come to that.
    Failed(Fault),
    /// The time is over.
    Late,
}

/// All of a fleet.
///
/// # Errors
/// `unreachable` when it does not answer.
pub async fn look(client: &Client) -> Result<Look, Failure> {
    // States last, so that a unit's are not older than its declaration.
    let (machines, units) = (client.machines().await?, client.units().await?);
    Ok(Look { machines, units, rows: client.states(None).await? })
}

/// The service's units that are no targets.
pub fn olds<'a>(project: &Project, service: &str, goal: &Goal, units: &'a [Unit]) -> Vec<Old<'a>> {
    let is_target = |unit: &Unit| goal.targets.iter().any(|target| target.unit == unit.name);
    let old = |unit: &'a Unit| {
        let instance = names::Instance::of(project, &unit.name)?;
        (instance.service == service && !is_target(unit)).then_some(Old { number: instance.number, unit })
    };
    units.iter().filter_map(old).collect()
}

impl Rollout<'_> {
    /// Does what can be done now, and does not wait for what becomes of it.
    ///
    /// # Errors
    /// `unreachable`, `failed` when fleet refuses.
    pub async fn begin(&self, client: &Client) -> Result<(), Failure> {
        let found = look(client).await?;
        let olds = olds(self.project, self.service, &self.goal, &found.units);
        let now = millis(client.clock().now());
        match next(&self.goal, &olds, &found, &mut Watch::default(), now) {
            Step::Do(acts) => self.act(client, &acts).await,
            // What has failed already is for whoever waits.
            Step::Done | Step::Failed(_) => Ok(()),
        }
    }

    /// Goes on until all is as it is to be, or does not come to that.
    ///
    /// # Errors
    /// `unreachable`, `failed` when fleet refuses.
    pub async fn finish(&self, client: &Client, within: Duration) -> Result<End, Failure> {
        let begun = client.clock().now();
        let mut watch = Watch::default();
        loop {
            let found = look(client).await?;
            let olds = olds(self.project, self.service, &self.goal, &found.units);
            let now = client.clock().now();
            match next(&self.goal, &olds, &found, &mut watch, millis(now)) {
                Step::Done => return Ok(End::Done),
                Step::Failed(fault) => return Ok(End::Failed(fault)),
                Step::Do(_) if now - begun >= within => return Ok(End::Late),
                Step::Do(acts) if acts.is_empty() => client.clock().pause(PAUSE).await,
                Step::Do(acts) => self.act(client, &acts).await?,
            }
        }
    }

    async fn act(&self, client: &Client, acts: &[Act]) -> Result<(), Failure> {
        for act in acts {
            match act {
                Act::Launch(unit) => client.put(unit, Desired::Launched, self.options).await,
                Act::Stop(unit) => client.set(unit, Desired::Loaded).await,
                Act::Destroy(unit) => client.destroy(unit).await,
            }?;
        }
        Ok(())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
