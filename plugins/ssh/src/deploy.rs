//! Deploy provider `ssh`: hands each request to the file that serves it.

mod archive;
mod asking;
mod attached;
mod checkup;
mod clear;
mod clock;
mod command;
mod container;
mod duration;
mod events;
mod exec;
mod files;
mod host;
mod keys;
mod labels;
mod lines;
pub(crate) mod lock;
mod logs;
mod memory;
mod networks;
mod observe;
mod owner;
mod printed;
mod probe;
mod proof;
mod pull;
mod ready;
mod record;
mod remove;
mod resolve;
mod results;
mod route;
mod run;
mod seen;
mod spec;
mod start;
mod stats;
mod status;
mod stop;
mod unlisted;
mod uptime;
mod verdict;

use cloudpad_plugin_api::stage::deploy::{
    BecameReady, Clear, Command, Deploy, Digests, Events, Exec, Executed, Exited, HostKey, Keys, Lock,
    Locked, Logged, Login, Logs, Look, Machine, Measure, Measured, Observation, Observe, Pull, Pulled, Ran,
    Ready, Record, Remove, Resolve, Run, SetRoute, Start, Started, Stop, Terminal, Trust, Unlock,
};
use cloudpad_plugin_api::{Context, Failure};

use crate::call::{Call, on_connection, on_host};
use crate::config::Config;
pub(crate) use files::image_with_files;
pub(crate) use host::disk_of;
pub(crate) use memory::Memory;
pub(crate) use networks::Networks;

/// Runs containers on hosts that have an SSH server and a Docker engine.
pub struct Deployer;

impl Deploy for Deployer {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>().map(drop)
    }

    fn observe(&self, cx: &Context, request: &Observe) -> Result<Observation, Failure> {
        on_host(cx, &request.host, Call::Look, async |host| observe::observe(cx, &host, request).await)
    }

    fn pull(&self, cx: &Context, request: &Pull) -> Result<Pulled, Failure> {
        on_host(cx, &request.host, Call::Change, async |host| pull::pull(cx, &host.engine, request).await)
    }

    fn start(&self, cx: &Context, request: &Start) -> Result<Started, Failure> {
        on_host(cx, &request.host, Call::Change, async |host| start::start(cx, &host, request).await)
    }

    fn create(&self, cx: &Context, request: &Start) -> Result<Started, Failure> {
        on_host(cx, &request.host, Call::Change, async |host| start::create(cx, &host, request).await)
    }

    fn ready(&self, cx: &Context, request: &Ready) -> Result<BecameReady, Failure> {
        on_host(cx, &request.host, Call::Wait, async |host| ready::ready(&host, request).await)
    }

    fn route(&self, cx: &Context, request: &SetRoute) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Change, async |host| route::route(cx, &host, request).await)
    }

    fn stop(&self, cx: &Context, request: &Stop) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Change, async |host| stop::stop(cx, &host.engine, request).await)
    }

    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Change, async |host| remove::remove(cx, &host, request).await)
    }

    fn clear(&self, cx: &Context, request: &Clear) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Change, async |host| clear::clear(cx, &host, request).await)
    }

    fn resolve(&self, cx: &Context, request: &Resolve) -> Result<Digests, Failure> {
        on_host(cx, &request.host, Call::Look, async |host| resolve::resolve(&host.engine, request).await)
    }

    fn lock(&self, cx: &Context, request: &Lock) -> Result<Locked, Failure> {
        on_host(cx, &request.host, Call::Look, async |host| lock::lock(&host, request).await)
    }

    fn unlock(&self, cx: &Context, request: &Unlock) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Look, async |host| {
            lock::unlock(&host, request).await;
            Ok(())
        })
    }

    fn run(&self, cx: &Context, request: &Run) -> Result<Ran, Failure> {
        let so_far = run::SoFar::default();
        on_host(cx, &request.host, Call::Run, async |host| run::run(cx, &host, request, &so_far).await)
    }

    fn exec(&self, cx: &Context, request: &Exec) -> Result<Executed, Failure> {
        on_host(cx, &request.host, Call::Change, async |host| exec::exec(cx, &host.engine, request).await)
    }

    fn command(&self, cx: &Context, request: &Command) -> Result<Exited, Failure> {
        on_connection(cx, &request.host, async |host| command::command(cx, &host, request).await)
    }

    fn host(&self, cx: &Context, request: &Look) -> Result<Machine, Failure> {
        on_host(cx, &request.host, Call::Look, async |host| host::look(&host).await)
    }

    fn login(&self, cx: &Context, request: &Login) -> Result<Terminal, Failure> {
        let options = Config::of(cx)?.options();
        let command = cloudpad_transport::login(&request.host, &options, &request.command, request.terminal)?;
        Ok(Terminal { command })
    }

    fn keys(&self, cx: &Context, request: &Keys) -> Result<HostKey, Failure> {
        keys::shown(cx, request)
    }

    fn trust(&self, cx: &Context, request: &Trust) -> Result<(), Failure> {
        keys::trust(cx, request)
    }

    fn record(&self, cx: &Context, request: &Record) -> Result<(), Failure> {
        on_host(cx, &request.host, Call::Change, async |host| {
            record::record(&host.engine, request).await?;
            route::tidy(cx, &host).await;
            Ok(())
        })
    }

    fn logs(&self, cx: &Context, request: &Logs) -> Result<Logged, Failure> {
        let call = if request.follow { Call::Follow } else { Call::Wait };
        on_host(cx, &request.host, call, async |host| logs::logs(cx, &host, request).await)
    }

    fn events(&self, cx: &Context, request: &Events) -> Result<(), Failure> {
        let untold = events::Untold::default();
        on_host(cx, &request.host, Call::Wait, async |host| events::events(cx, &host, request, &untold).await)
    }

    fn stats(&self, cx: &Context, request: &Measure) -> Result<Measured, Failure> {
        on_host(cx, &request.host, Call::Look, async |host| stats::stats(&host, request).await)
    }
}
