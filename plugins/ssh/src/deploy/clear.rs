//! `deploy.clear`: what is left of a project when its containers are gone. I/O.

use std::sync::Arc;

use bollard::query_parameters::RemoveVolumeOptions;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::Clear;
use cloudpad_plugin_api::{Context, Failure};

use super::{networks, route};
use crate::pool::Connection;

pub(super) async fn clear(cx: &Context, host: &Arc<Connection>, request: &Clear) -> Result<(), Failure> {
    for name in request.networks.iter().chain(&request.volumes) {
        refuse_others(name, &request.project)?;
    }
    // The proxy may be in one of the networks.
    route::retire(cx, host).await?;
    for network in &request.networks {
        networks::remove(&host.engine, network).await?;
    }
    for volume in &request.volumes {
        remove_volume(&host.engine, volume).await?;
    }
    Ok(())
}

/// Nothing tells whose a volume is but its name.
fn refuse_others(name: &str, project: &Project) -> Result<(), Failure> {
    match name.strip_prefix(&project.own("")) {
        Some(own) if !own.is_empty() && !own.starts_with('.') => Ok(()),
        _ => Err(Failure::invalid(format!("`{name}` is not one of `{}`", project.prefix()))),
    }
}

async fn remove_volume(engine: &Engine, name: &str) -> Result<(), Failure> {
    match engine.docker().await?.remove_volume(name, None::<RemoveVolumeOptions>).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(failure(&format!("could not remove volume `{name}`"), &error)
            .hint("a container that uses it has to be removed first")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_removed() {
        let shop = Project { name: "shop".into(), environment: None };
        assert!(refuse_others("shop.data", &shop).is_ok());
        for other in ["shop", "shop.", "shop..20260131T235959Z", "shop-b.data", "/srv/data", "bridge"] {
            assert!(refuse_others(other, &shop).is_err(), "{other}");
        }
    }
}
