//! Pushes one image, with nothing of Cloudpad but this provider.
//!
//! `registry_push REGISTRY NAMESPACE IMAGE` prints the reply, or the failure, as JSON.

use std::sync::Arc;

use cloudpad_plugin_api::stage::push::{Push, Run};
use cloudpad_plugin_api::{Cancel, Context, Failure};
use cloudpad_registry::Registry;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let mut next = |what: &str| args.next().ok_or_else(|| Failure::invalid(format!("no {what} was given")));
    let config = serde_json::json!({ "registry": next("registry")?, "namespace": next("namespace")? });
    let request = Run { reference: next("image")?, host: None, similar: Vec::new() };
    let cx = Context::new(config, Arc::new(|_| ()), Cancel::new());
    #[expect(clippy::print_stdout, reason = "a program's answer")]
    match Registry.run(&cx, &request) {
        Ok(pushed) => println!("{}", serde_json::json!({ "pushed": pushed })),
        Err(failure) => println!("{}", serde_json::json!({ "failure": failure })),
    }
    Ok(())
}
