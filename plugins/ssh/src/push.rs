//! Push provider `ssh`. (next)
use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{Context, Failure, PushScope};
/// Sends images.
pub struct Pusher;
impl Push for Pusher {
    fn scope(&self) -> PushScope {
        PushScope::Host
    }
    fn run(&self, _: &Context, _: &Run) -> Result<Pushed, Failure> {
        Err(Failure::unsupported("push.run"))
    }
}
