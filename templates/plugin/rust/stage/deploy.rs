use cloudpad_plugin_api::stage::deploy::{
    BecameReady, Deploy, Exec, Executed, Logged, Logs, Observation, Observe, Pull, Pulled, Ran,
    Ready, Record, Remove, Run, SetRoute, Start, Started, Stop,
};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

register! {
    Provider { name: "@name@", about: "not written yet", handler: Handler::Deploy(&Plugin) },
}

/// The provider.
pub struct Plugin;

impl Deploy for Plugin {
    /// All containers of `project` on `host`, running or not. Here: a host with nothing on it.
    fn observe(&self, _: &Context, _: &Observe) -> Result<Observation, Failure> {
        Ok(Observation::default())
    }

    /// Lets `host` pull `image`, and tags it `tag` there.
    fn pull(&self, _: &Context, _: &Pull) -> Result<Pulled, Failure> {
        Err(not_written("`deploy.pull`"))
    }

    /// Makes and starts the container that `spec` describes. One of that name and spec is started as it is.
    fn start(&self, _: &Context, _: &Start) -> Result<Started, Failure> {
        Err(not_written("`deploy.start`"))
    }

    /// Waits until `container` serves; fails with its last log lines as causes when it does not.
    fn ready(&self, _: &Context, _: &Ready) -> Result<BecameReady, Failure> {
        Err(not_written("`deploy.ready`"))
    }

    /// Stops `container`, and keeps it.
    fn stop(&self, _: &Context, _: &Stop) -> Result<(), Failure> {
        Err(not_written("`deploy.stop`"))
    }

    /// Removes stopped `containers`, and `images` that nothing uses. What runs is left, and is `stale`.
    fn remove(&self, _: &Context, _: &Remove) -> Result<(), Failure> {
        Err(not_written("`deploy.remove`"))
    }

    /// Runs the one-off container that `spec` describes to its end; each line that it prints is an event.
    fn run(&self, _: &Context, _: &Run) -> Result<Ran, Failure> {
        Err(not_written("`deploy.run`"))
    }

    /// Runs `command` in `container`, its streams over the unix socket `stream`; without one, each line is an event.
    fn exec(&self, _: &Context, _: &Exec) -> Result<Executed, Failure> {
        Err(not_written("`deploy.exec`"))
    }

    /// Has the host's proxy lead requests to the containers in `add`, and no more to those in `remove`.
    fn route(&self, _: &Context, _: &SetRoute) -> Result<(), Failure> {
        Err(not_written("`deploy.route`"))
    }

    /// Remembers `release` on `host` for `deploy.observe` to tell, and forgets those of `forget`.
    fn record(&self, _: &Context, _: &Record) -> Result<(), Failure> {
        Err(not_written("`deploy.record`"))
    }

    /// Tells what containers have printed, each line as an event whose source is the instance, such as `web.1`.
    fn logs(&self, _: &Context, _: &Logs) -> Result<Logged, Failure> {
        Err(not_written("`deploy.logs`"))
    }
}

fn not_written(what: &str) -> Failure {
    Failure::failed(format!("{what} of provider `@name@`: not written yet"))
        .hint("write it in `src/lib.rs`")
}
