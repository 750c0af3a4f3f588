use cloudpad_plugin_api::stage::secrets::{Found, Get, Secrets};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

register! {
    Provider { name: "@name@", about: "not written yet", handler: Handler::Secrets(&Plugin) },
}

/// The provider.
pub struct Plugin;

impl Secrets for Plugin {
    /// The values of the secrets `names`. One that does not exist is left out. No log line and no argument may show
    /// one.
    fn get(&self, _: &Context, _: &Get) -> Result<Found, Failure> {
        Err(not_written("`secrets.get`")) // Ok(Found { values })
    }
}

fn not_written(what: &str) -> Failure {
    Failure::failed(format!("{what} of provider `@name@`: not written yet"))
        .hint("write it in `src/lib.rs`")
}
