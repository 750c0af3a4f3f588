//! Why an engine does not start a container, in words that say what to do. I/O.

use bollard::errors::Error;
use bollard::query_parameters::ListContainersOptions;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::Start;

use crate::deploy::{files, seen};

/// Says who holds the port, where that is what kept the container from starting.
pub(super) async fn explain(engine: &Engine, request: &Start, error: &Error) -> Failure {
    let name = &request.container;
    let plain = failure(&format!("could not start container `{name}`"), error);
    if files::are_missing(&plain.message) {
        return files::missing(name, plain);
    }
    let Some(port) = taken_port(&plain.message) else { return plain };
    let holder = holder(engine, port, &request.project)
        .await
        .map_or("another program".to_owned(), |holder| format!("container `{holder}`"));
    Failure::failed(format!(
        "could not start container `{name}`: port {port} of the host is held by {holder}"
    ))
    .cause(plain.message)
    .hint("free the port, or publish another one in Cloudpad.toml")
}

async fn holder(engine: &Engine, port: u16, project: &Project) -> Option<String> {
    let running = engine.docker().await.ok()?.list_containers(None::<ListContainersOptions>).await.ok()?;
    seen::ports(&running, project).into_iter().find(|held| held.published == port).map(|held| held.container)
}

/// The port in the engine's words for one that is taken: `Bind for 0.0.0.0:80 failed: port is already
/// allocated` when a container has it, `listen tcp4 0.0.0.0:80: bind: address already in use` when
/// another program has.
fn taken_port(message: &str) -> Option<u16> {
    let end = ["failed: port is already allocated", ": bind: address already in use"];
    let before = end.iter().find_map(|end| Some(&message[..message.find(end)?]))?;
    before.trim_end().rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::taken_port;

    #[test]
    fn the_taken_port_is_read_from_the_engines_words() {
        let cases = [
            ("driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated", Some(8080)),
            ("x: listen tcp4 0.0.0.0:81: bind: address already in use", Some(81)),
            ("x: listen tcp6 [::]:82: bind: address already in use", Some(82)),
            ("no such network", None),
        ];
        for (message, port) in cases {
            assert_eq!(taken_port(message), port, "{message}");
        }
    }
}
