use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, PushScope, register};

register! {
    Provider { name: "@name@", about: "not written yet", handler: Handler::Push(&Plugin) },
}

/// The provider.
pub struct Plugin;

impl Push for Plugin {
    /// Each image is pushed to each host. With `Shared` it is pushed once, and each host pulls it.
    fn scope(&self) -> PushScope {
        PushScope::Host
    }

    /// Brings the image `reference` of this machine to `host`. What is there already is not sent again.
    fn run(&self, _: &Context, _: &Run) -> Result<Pushed, Failure> {
        Err(not_written("`push.run`")) // Ok(Pushed { reference: asked.reference.clone(), sent: Some(0) })
    }
}

fn not_written(what: &str) -> Failure {
    Failure::failed(format!("{what} of provider `@name@`: not written yet"))
        .hint("write it in `src/lib.rs`")
}
