//! Whether a container has served since a deploy started it, which its name tells. I/O.
//!
//! The engine merely says that a container runs. Where it is Cloudpad that asks whether it serves, a
//! container is started under a provisional name and gets its own once it has served. So everybody who
//! looks at the host can tell one that was left unproven by a deploy that was broken off.

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder};
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Health;

use super::container;
use crate::pool::Connection;

/// No instance's name ends in this: there is no dot behind its number.
const SUFFIX: &str = ".unproven";

/// Whether only Cloudpad can tell that a container with this health check serves.
pub(super) fn is_needed(health: Option<&Health>) -> bool {
    health.is_some_and(Health::needs_connection)
}

/// The name of a container until it has served.
pub(super) fn provisional(name: &str) -> String {
    format!("{name}{SUFFIX}")
}

/// A container's own name, where `name` is its provisional one.
pub(super) fn own_name(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
}

/// Gives a container that has served its own name. Where somebody else has made the very same one
/// meanwhile, it is removed, and the answer is no: then the other is the one to be asked.
pub(super) async fn prove(host: &Connection, served: &Inspected, name: &str) -> Result<bool, Failure> {
    let (docker, id) = (host.engine.docker().await?, id(served));
    if !has_name(served, name)
        && let Err(error) = rename(&docker, id, name).await
    {
        match container::inspect(&host.engine, id).await? {
            // Somebody else was faster.
            Some(now) if has_name(&now, name) => {}
            Some(_) if status(&error) == Some(409) => {
                let force = RemoveContainerOptionsBuilder::new().force(true).build();
                let removed = docker.remove_container(id, Some(force)).await;
                removed.map_err(|error| failure(&format!("could not remove container `{name}`"), &error))?;
                return Ok(false);
            }
            _ => return Err(not_renamed(name, &error)),
        }
    }
    host.note_container(name);
    Ok(true)
}

/// Takes its name from a container that is about to be started again: what served once may not any more.
pub(super) async fn doubt(docker: &Docker, stopped: &Inspected, name: &str) -> Result<(), Failure> {
    if !has_name(stopped, name) {
        return Ok(());
    }
    let renamed = rename(docker, id(stopped), &provisional(name)).await;
    renamed.map_err(|error| not_renamed(name, &error))
}

async fn rename(docker: &Docker, id: &str, to: &str) -> Result<(), Error> {
    docker.rename_container(id, RenameContainerOptionsBuilder::new().name(to).build()).await
}

fn not_renamed(name: &str, error: &Error) -> Failure {
    failure(&format!("could not rename container `{name}`"), error)
}

fn id(found: &Inspected) -> &str {
    found.id.as_deref().unwrap_or_default()
}

fn has_name(found: &Inspected, name: &str) -> bool {
    found.name.as_deref().is_some_and(|found| found.trim_start_matches('/') == name)
}
