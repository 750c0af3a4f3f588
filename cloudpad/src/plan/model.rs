//! The plan as a value. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::model::{Instance, label};
use cloudpad_plugin_api::{PushScope, Request};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// How far to go.
    pub until: Until,
    /// Which part of the project is meant.
    pub select: crate::inventory::Selection,
    /// The release that new containers belong to. It is made by the caller, since a plan has no clock.
    pub release: String,
    /// Who asks, and from where, for hosts to remember.
    #[serde(default)]
    pub origin: Origin,
    /// The release to go back to; none where it is the config that says what is to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
    /// What the push provider has said of itself.
    pub push_scope: PushScope,
    /// Where sources are kept between runs, absolute.
    pub cache: std::path::PathBuf,
}

/// Who asks for something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Such as `anna@laptop`.
    pub by: String,
    /// A directory, or a run of a CI service.
    pub from: String,
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Build the selected services' images, whether or not a host needs them.
    Build,
    /// And push them: to every host that will need them, or to the registry.
    Push,
    /// And roll them out: only what is not as it should be.
    Deploy,
}

/// A graph of actions. Actions stand in an order in which they could be carried out one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What will be different, for people.
    pub changes: Vec<Change>,
    /// What is sent, each numbered by its place in this list.
    pub actions: Vec<Action>,
    /// What the user should know, such as a host that is left out.
    pub notes: Vec<Note>,
    /// Local commands that run before it and after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<super::Hook>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether something that was asked for is left out.
    pub fn is_incomplete(&self) -> bool {
        self.notes.iter().any(|note| note.incomplete)
    }

    /// Requests that do not wait for each other, and change nothing that a plan is about.
    pub fn of_requests(requests: Vec<Request>) -> Self {
        let actions = (0..).zip(requests).map(|(id, request)| Action {
            id,
            needs: Vec::new(),
            host: request.host().map(|host| host.name.as_str().into()),
            service: None,
            continues: false,
            key: String::new(),
            request,
        });
        Self { actions: actions.collect(), ..Self::default() }
    }
}

/// A request that has not been sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Its number: its index in [`Plan::actions`].
    pub id: u32,
    /// Actions that have to be done first. Each has a smaller number.
    pub needs: Vec<u32>,
    /// The host it is about, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Arc<str>>,
    /// The service it is for, where it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Arc<str>>,
    /// Whether it goes on with what an action that it needs has begun on the same instance. An interrupt
    /// lets it be done all the same, so that no instance is left stopped or unproven.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
    /// The same for the same work.
    pub key: String,
    /// What is asked. The provider is that of the request's stage.
    #[serde(flatten)]
    pub request: Request,
}

impl Action {
    /// Whether it makes, starts or stops an instance, or leads requests to it.
    pub fn is_of_rollout(&self) -> bool {
        matches!(
            self.request,
            Request::DeployCreate(_)
                | Request::DeployStart(_)
                | Request::DeployRoute(_)
                | Request::DeployStop(_)
                | Request::ClusterApply(_)
        )
    }

    /// Whether it changes what runs, a job that comes before all else among it.
    pub(super) fn changes_what_runs(&self) -> bool {
        let is_job = matches!(self.request, Request::DeployRun(_));
        self.is_of_rollout() || is_job && !self.is_cleanup()
    }
}

impl Plan {
    /// Whether each action's number is its place, and larger than those that it needs. A plan that was made here
    /// is like that; one that was read from a file may be anything.
    pub fn is_in_order(&self) -> bool {
        (0..)
            .zip(&self.actions)
            .all(|(place, action)| action.id == place && action.needs.iter().all(|&need| need < place))
    }
}

impl Action {
    /// Whether it only follows a rollout that is done, such as a job, or notes or tidies up: when it fails, nothing has to be brought back.
    pub fn is_cleanup(&self) -> bool {
        match &self.request {
            Request::DeployRecord(_) | Request::DeployRemove(_) | Request::DeployClear(_) => true,
            Request::ClusterRecord(_) | Request::ClusterRemove(_) => true,
            Request::PushRemove(_) | Request::InventoryPublish(_) => true,
            Request::DeployRun(run) => run.labels.get(label::JOB_WHEN).is_some_and(|when| when == "after"),
            _ => false,
        }
    }
}

/// Something that will be different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens to it.
    pub kind: ChangeKind,
    /// The host.
    pub host: String,
    /// The instance; in a cluster, number 0 stands for all of the service.
    pub instance: Instance,
    /// Why: what differs between what runs and what should, such as `image`, `env.DEBUG` or `ports`.
    pub why: Arc<[String]>,
}

/// What happens to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Create,
    /// A new container takes the place of the old one, which keeps serving until then.
    ReplaceStartFirst,
    /// The old container is stopped, then a new one started.
    ReplaceStopFirst,
    /// Its container is there and as it should be, but does not run.
    Start,
    /// It is not wanted any more.
    Remove,
    /// Its container ends, and stays where it is.
    Stop,
    /// Its container ends, and is started again.
    Restart,
    /// Its instances stay, and how many there are, where they may run or how they make way for others is another.
    Adjust,
    /// It is as it should be, and waited for, since nobody knows yet whether it serves.
    Await,
}

/// Something the user should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Whether something that was asked for is left out.
    pub incomplete: bool,
    /// Lower case, no full stop.
    pub message: String,
}
