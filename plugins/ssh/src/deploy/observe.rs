//! `deploy.observe`: three questions to the engine. I/O.

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{Engine as EngineSeen, Observation, Observe};

use super::seen;
use crate::pool::Connection;

/// Looks at the host. One after the other, since they share a connection, and a second one would cost
/// as much as it saved.
pub(super) async fn observe(host: &Connection, request: &Observe) -> Result<Observation, Failure> {
    let version = host.engine.version().await?;
    let containers = host.containers().await?;
    let images = host.images().await?;
    Ok(Observation {
        engine: EngineSeen { version: version.engine, api: version.api, platform: version.platform },
        containers: seen::containers(&containers, &request.project),
        images: seen::images(&images),
        built: Some(seen::built(&images)),
        ports: seen::ports(&containers, &request.project),
    })
}
