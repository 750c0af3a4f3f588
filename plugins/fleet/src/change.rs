//! Changes of a service: to another wish, until that is so, back, and away. I/O: by way of `client`.

use std::time::Duration;

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Ready, Remove};
use cloudpad_plugin_api::{Failure, FailureKind, Outcome};

use crate::client::Client;
use crate::drive::{End, Rollout, look};
use crate::judge::Look;
use crate::names;
use crate::note;
use crate::observe;
use crate::rollout::{Fault, Goal};
use crate::service::Cannot;
use crate::unit::{Desired, UnitOption};
use crate::wire::Machine;
use crate::wish::{GivenUp, Units, Wish};

/// How long it may take to stop all of a service; each unit is given up long before.
const STOPPING: Duration = Duration::from_secs(3600);

/// Has fleet remember something in a unit that never runs.
///
/// # Errors
/// `unreachable`, `failed` when fleet refuses.
pub async fn remember(client: &Client, name: &str, options: &[UnitOption]) -> Result<(), Failure> {
    client.put(name, Desired::Inactive, options).await
}

/// Makes `wish` what its service is to be, where that was `replaces`, and begins with it. Tells whether anything is other than before.
///
/// # Errors
/// `invalid` for what fleet cannot run; `stale`; `unreachable`, `failed` when fleet refuses.
pub async fn apply(
    client: &Client,
    project: &Project,
    wish: Wish,
    replaces: Option<&str>,
) -> Result<bool, Failure> {
    let service = wish.service.name.clone();
    let units = units(project, &wish, 0)?;
    let found = look(client).await?;
    let (revision, now) = observe::wish(project, &service, &found.units);
    if let Some(now) = now.as_ref().filter(|now| now.id == wish.id && now.image == wish.image) {
        if now.given_up == GivenUp::No {
            return rollout(project, &service, &units).begin(client).await.map(|()| false);
        }
    } else if revision.as_deref() != replaces {
        return Err(stale(&service));
    }
    let before = now.and_then(Wish::to_go_back_to).filter(|before| before.id != wish.id);
    set_wish(client, project, &Wish { before, ..wish }).await?;
    rollout(project, &service, &units).begin(client).await.map_err(partly)?;
    Ok(true)
}

/// Waits until a service is as it is to be, and tells how many instances it has; goes back where that is not to be. `last` tells
/// what a unit has printed last on a machine.
///
/// # Errors
/// `stale`; `failed` when it does not come to that; `unreachable`.
pub async fn ready(
    client: &Client,
    request: &Ready,
    last: impl AsyncFn(&Machine, &str) -> Vec<String>,
) -> Result<u32, Failure> {
    let (project, service) = (&request.project, &request.service);
    let found = look(client).await?;
    let wish = observe::wish(project, service, &found.units).1.filter(|wish| wish.id == request.id);
    let Some(wish) = wish else { return Err(stale(service)) };
    let units = units(project, &wish, request.settle_ms)?;
    let within = Duration::from_millis(request.timeout_ms);
    let fault = match rollout(project, service, &units).finish(client, within).await.map_err(partly)? {
        End::Done => return Ok(wish.count(&found.machines)),
        End::Failed(fault) => fault,
        End::Late => {
            let why = format!("the rollout is not done within {} s", within.as_secs());
            let unit = units.goal.targets.first().map(|target| target.unit.clone()).unwrap_or_default();
            Fault { unit, why, is_unplaced: false }
        }
    };
    let found = look(client).await?;
    let machine = machine_of(&fault.unit, &found);
    let failure = failed(project, &wish, &fault, machine);
    let failure = match machine {
        Some(machine) => last(machine, &fault.unit).await.into_iter().fold(failure, Failure::cause),
        None => failure,
    };
    match wish.before.clone().filter(|_| wish.service.update.rollback) {
        Some(before) => Err(back(client, project, *before, failure).await),
        None => {
            let stopped = Wish { given_up: GivenUp::Stopped(failure.message.clone()), ..wish };
            set_wish(client, project, &stopped).await?;
            Err(failure)
        }
    }
}

/// Goes back to what was before, and tells in `failure` how that went.
async fn back(client: &Client, project: &Project, before: Wish, failure: Failure) -> Failure {
    let (service, within) = (before.service.name.clone(), STOPPING);
    let wish = Wish { given_up: GivenUp::Back(failure.message.clone()), ..before };
    let gone_back = async {
        let units = units(project, &wish, 0)?;
        set_wish(client, project, &wish).await?;
        rollout(project, &service, &units).finish(client, within).await
    };
    match gone_back.await {
        Ok(End::Done) => failure.cause("what was there before is there again"),
        Ok(End::Failed(fault)) => {
            failure.cause(format!("nor does what was there before: `{}`: {}", fault.unit, fault.why))
        }
        Ok(End::Late) => failure.cause("what was there before is not there again in time"),
        Err(other) => failure.cause(format!("could not go back to what was there before: {other}")),
    }
}

/// Takes services away: their units are stopped, and destroyed once they are, and last what they were to be.
///
/// # Errors
/// `stale`; `failed` when something does not stop; `unreachable`.
pub async fn remove(client: &Client, request: &Remove) -> Result<(), Failure> {
    let project = &request.project;
    let found = look(client).await?;
    for service in &request.services {
        let revision = observe::wish(project, &service.name, &found.units).0;
        if revision.is_some_and(|revision| revision != service.revision) {
            return Err(stale(&service.name));
        }
    }
    for service in &request.services {
        let goal = Goal { targets: Vec::new(), is_start_first: true, batch: 1, settle: 0, within: 0 };
        let gone = Rollout { project, service: &service.name, options: &[], goal };
        match gone.finish(client, STOPPING).await.map_err(partly)? {
            End::Done => client.destroy(&names::wish(project, &service.name)).await.map_err(partly)?,
            End::Failed(Fault { unit, why, .. }) => return Err(not_gone(&service.name, &unit, &why)),
            End::Late => return Err(not_gone(&service.name, "its units", "the time is over")),
        }
    }
    Ok(())
}

async fn set_wish(client: &Client, project: &Project, wish: &Wish) -> Result<(), Failure> {
    let service = &wish.service.name;
    let description = format!("what {service} of {} is to be, for Cloudpad", project.prefix());
    remember(client, &names::wish(project, service), &note::options(&description, wish)?).await
}

fn rollout<'a>(project: &'a Project, service: &'a str, units: &'a Units) -> Rollout<'a> {
    Rollout { project, service, options: &units.template.options, goal: units.goal.clone() }
}

fn units(project: &Project, wish: &Wish, settle: u64) -> Result<Units, Failure> {
    let service = &wish.service.name;
    let refused = |cannots: Vec<Cannot>| {
        let failure = Failure::invalid(format!("fleet cannot run service `{service}`"));
        let failure = cannots.iter().fold(failure, |failure, cannot| failure.cause(&cannot.message));
        cannots.iter().find_map(|cannot| cannot.hint).into_iter().fold(failure, Failure::hint)
    };
    wish.units(project, settle).map_err(refused)
}

fn stale(service: &str) -> Failure {
    Failure::stale(format!("service `{service}` in fleet is not the one that was seen")).hint("look again")
}

/// Something of it is done.
fn partly(failure: Failure) -> Failure {
    let outcome = if failure.outcome == Outcome::None { Outcome::Partial } else { failure.outcome };
    failure.outcome(outcome)
}

/// Where a unit is to be, where that is one machine.
fn machine_of<'a>(unit: &str, look: &'a Look) -> Option<&'a Machine> {
    let unit = look.units.iter().find(|known| known.name == unit)?;
    look.machines.iter().find(|machine| Some(&machine.id) == unit.machine.as_ref())
}

fn failed(project: &Project, wish: &Wish, fault: &Fault, machine: Option<&Machine>) -> Failure {
    let on = machine.map(|machine| format!(" on `{}`", observe::name(machine))).unwrap_or_default();
    let instance = names::Instance::of(project, &fault.unit).map_or(0, |instance| instance.number);
    let message = format!("`{}.{instance}` does not come up in fleet{on}: {}", wish.service.name, fault.why);
    let failure = Failure::new(FailureKind::Failed, message).outcome(Outcome::Partial);
    match fault.is_unplaced {
        true => {
            let spread = if wish.spread { ", and none with another instance of it" } else { "" };
            failure.hint(format!("check `X-Fleet`: unit `{}` wants {}{spread}", fault.unit, wish.place()))
        }
        false => failure.hint(format!("there, `journalctl --unit '{}'` tells why", fault.unit)),
    }
}

fn not_gone(service: &str, unit: &str, why: &str) -> Failure {
    Failure::failed(format!("service `{service}` cannot be taken off fleet: `{unit}`: {why}"))
        .outcome(Outcome::Partial)
}
