//! Deploy provider `swarm`: services of a Docker Swarm, through whichever of its managers answers.
//!
//! - `config`: the table `[stages.deploy.config]`. Pure.
//! - `managers`: runs one call on a manager's engine, and on another one where that is lost. I/O.
//! - `names`, `review`, `spec`, `seen`, `drift`, `verdict`, `lasting`: what things are called, what cannot be asked for, both ways
//!   between a service and what an engine says of it, whether that is still so, what has become of it, and times in words. Pure.
//! - `apply`, `observe`, `ready`, `remove`, `record`, `logs`: the verbs. I/O.

mod apply;
mod config;
mod drift;
mod lasting;
mod logs;
mod managers;
mod names;
mod observe;
mod ready;
mod record;
mod remove;
mod review;
mod seen;
mod spec;
mod verdict;

use cloudpad_plugin_api::stage::cluster::{
    Applied, Apply, BecameReady, Cannots, Cluster, Logs, Observation, Observe, Ready, Record, Remove, Review,
};
use cloudpad_plugin_api::stage::deploy::Logged;
use cloudpad_plugin_api::{Context, Failure, FailureKind, Handler, Provider, register};
use managers::on_manager;

/// The provider.
pub struct Swarm;

impl Cluster for Swarm {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        config::Config::of(cx).map(drop)
    }

    fn review(&self, _: &Context, request: &Review) -> Result<Cannots, Failure> {
        Ok(review::review(request))
    }

    fn observe(&self, cx: &Context, request: &Observe) -> Result<Observation, Failure> {
        on_manager(cx, false, async |engine| observe::observe(engine, request).await)
    }

    fn apply(&self, cx: &Context, request: &Apply) -> Result<Applied, Failure> {
        on_manager(cx, true, async |engine| apply::apply(cx, engine, request).await)
    }

    fn ready(&self, cx: &Context, request: &Ready) -> Result<BecameReady, Failure> {
        on_manager(cx, false, async |engine| ready::ready(engine, request).await)
    }

    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        on_manager(cx, true, async |engine| remove::remove(engine, request).await)
    }

    fn record(&self, cx: &Context, request: &Record) -> Result<(), Failure> {
        on_manager(cx, true, async |engine| record::record(engine, request).await)
    }

    fn logs(&self, cx: &Context, request: &Logs) -> Result<Logged, Failure> {
        let logged = on_manager(cx, false, async |engine| logs::logs(cx, engine, request).await);
        // A manager that is lost while it is followed may come back.
        let back = |failure: Failure| match failure.kind {
            FailureKind::Unreachable if request.follow => failure.retryable(),
            _ => failure,
        };
        logged.map_err(back)?
    }
}

register! {
    Provider {
        name: "swarm",
        about: "services of a Docker Swarm, through its managers",
        handler: Handler::Cluster(&Swarm),
    },
}
