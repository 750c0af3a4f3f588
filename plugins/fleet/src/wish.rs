//! What a service is to be, as fleet remembers it, and the units that this comes to. Pure.

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Order, Scale, Service};
use serde::{Deserialize, Serialize};

use crate::judge::Target;
use crate::names::Instance;
use crate::place::Place;
use crate::rollout::Goal;
use crate::service::{Cannot, Template, Wanted, template};
use crate::wire::Machine;

/// What a service is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The identity that it was applied with.
    pub id: String,
    /// The release that has applied it.
    pub release: String,
    /// From where machines have its image.
    pub image: String,
    /// Whether no two instances may be on one machine.
    #[serde(default)]
    pub spread: bool,
    /// What it is to be.
    pub service: Service,
    /// What it was to be before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Wish>>,
    /// Why it was given up, or what came after it and was given up, so that it is back.
    #[serde(default, skip_serializing_if = "GivenUp::is_no")]
    pub given_up: GivenUp,
}

/// Whether a rollout has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// It has not.
    #[default]
    No,
    /// That to this wish has, and stopped there; why.
    Stopped(String),
    /// That to another has, and this is what was there before; why.
    Back(String),
}

impl GivenUp {
    fn is_no(&self) -> bool {
        *self == GivenUp::No
    }
}

/// The units that a wish comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Units {
    /// Their text.
    pub template: Template,
    /// What is to be.
    pub goal: Goal,
}

impl Wish {
    /// Its units; those that run count once they have run for `settle` milliseconds, and for what it says itself.
    ///
    /// # Errors
    /// All that cannot be.
    pub fn units(&self, project: &Project, settle: u64) -> Result<Units, Vec<Cannot>> {
        let (service, update) = (&self.service, &self.service.update);
        let place = self.place();
        let (count, is_everywhere) = match service.scale {
            Scale::Replicas(count) => (count, false),
            Scale::PerNode(count) => (count, true),
        };
        let template = template(&Wanted {
            project,
            service: &service.name,
            spec: &service.spec,
            image: &self.image,
            place: &place,
            is_everywhere,
            is_spread: self.spread,
        })?;
        let target = |number| {
            let digest = template.digest.clone();
            let instance = Instance { service: service.name.clone(), digest, number };
            let (unit, hash, place) = (instance.unit(project), template.hash.clone(), place.clone());
            Target { unit, number, hash, place, is_everywhere }
        };
        let goal = Goal {
            targets: (1..=count).map(target).collect(),
            is_start_first: update.order == Order::StartFirst,
            batch: usize::try_from(update.batch).unwrap_or(usize::MAX),
            settle: update.settle_ms.max(settle),
            within: update.ready_within_ms,
        };
        Ok(Units { template, goal })
    }

    /// Where it may run.
    pub fn place(&self) -> Place {
        Place { roles: self.service.place.roles.clone(), nodes: self.service.place.nodes.clone() }
    }

    /// How many instances there are to be on these machines.
    pub fn count(&self, machines: &[Machine]) -> u32 {
        let place = self.place();
        let fitting = machines.iter().filter(|machine| place.has(machine)).count();
        match self.service.scale {
            Scale::Replicas(count) => count,
            Scale::PerNode(count) => count.saturating_mul(u32::try_from(fitting).unwrap_or(u32::MAX)),
        }
    }

    /// What is to be there again when another one is given up: this, or where this was given up, what was before it.
    pub fn to_go_back_to(self) -> Option<Box<Wish>> {
        match self.given_up {
            GivenUp::Stopped(_) => self.before,
            _ => Some(Box::new(Wish { before: None, given_up: GivenUp::No, ..self })),
        }
    }
}
