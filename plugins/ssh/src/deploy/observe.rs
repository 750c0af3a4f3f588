//! `deploy.observe`: three questions to the engine, and a fourth where releases are asked for; meanwhile containers are asked whether
//! they serve. I/O.

use bollard::models::ContainerSummary;
use cloudpad_engine::Version;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Engine as EngineSeen, Observation, Observe, ProxySeen};
use cloudpad_plugin_api::{Context, Failure, FailureKind};

use super::{checkup, record, route, seen, unlisted};
use crate::pool::Connection;

/// `tcpmux`, which nobody runs.
const SILENT_PORT: u16 = 1;

/// Looks at the host. One after the other, since they share a connection, and a second one would cost
/// as much as it saved.
pub(super) async fn observe(
    cx: &Context,
    host: &Connection,
    request: &Observe,
) -> Result<Observation, Failure> {
    let (seen, no_connections) = tokio::join!(ask_engine(cx, host, request), no_connections(host, request));
    Ok(Observation { no_connections, ..seen? })
}

/// Why no connection can be made through the host, where that matters. Nobody listens at the port that is tried, so
/// one that lets us connect says that, and one that does not, that it does not: a way there and back, while the
/// engine is asked.
async fn no_connections(host: &Connection, request: &Observe) -> Option<Failure> {
    if !request.connects {
        return None;
    }
    let refused = host.engine.transport().tcp("127.0.0.1", SILENT_PORT).await.err()?;
    (refused.kind == FailureKind::Unsupported).then(|| Failure {
        message: "its SSH server does not forward TCP connections".to_owned(),
        causes: Vec::new(),
        ..refused
    })
}

async fn ask_engine(cx: &Context, host: &Connection, request: &Observe) -> Result<Observation, Failure> {
    let version = host.engine.version().await?;
    let containers = host.containers().await?;
    let mut told = seen::containers(&containers, &request.project);
    let asked = checkup::checkup(&host.engine, request.checks, (&containers, &mut told));
    let (seen, ()) = tokio::join!(ask_further(cx, host, request, version, &containers), asked);
    let mut seen = Observation { containers: told, ..seen? };
    unlisted::add(&host.engine, &mut seen).await?;
    Ok(seen)
}

/// The proxy, as `containers` tell of it. While somebody changes it, what it does and what is written down differ for a moment, which
/// is nobody's concern: so one that is not as it should be is looked at again when nobody does.
async fn proxy(
    cx: &Context,
    host: &Connection,
    containers: &[ContainerSummary],
    project: &Project,
) -> Result<ProxySeen, Failure> {
    let seen = proxy_at_once(host, containers, project).await?;
    if seen.settled || route::which(containers).is_empty() {
        return Ok(seen);
    }
    let again = async || proxy_at_once(host, &host.containers().await?, project).await;
    // Where nobody can be kept from changing it, what was seen is all that is known.
    Ok(route::undisturbed(cx, host, again).await.and_then(Result::ok).unwrap_or(seen))
}

/// The same, whoever changes it meanwhile. Other projects make it anew, and the last to leave takes it away, which may be just
/// before its files are read: so those are read again as long as it is another one by then.
async fn proxy_at_once(
    host: &Connection,
    containers: &[ContainerSummary],
    project: &Project,
) -> Result<ProxySeen, Failure> {
    let mut seen = route::seen(&host.engine, containers, project).await;
    let mut before = route::which(containers);
    while seen.is_err() {
        let now = host.containers().await?;
        if route::which(&now) == before {
            break;
        }
        seen = route::seen(&host.engine, &now, project).await;
        before = route::which(&now);
    }
    seen
}

async fn ask_further(
    cx: &Context,
    host: &Connection,
    request: &Observe,
    version: Version,
    containers: &[ContainerSummary],
) -> Result<Observation, Failure> {
    let images = host.images().await?;
    let remembered = match request.releases {
        true => Some(record::remembered(&host.engine, &request.project).await?),
        false => None,
    };
    let (volumes, remembered) = remembered.map(|all| (all.volumes, (all.releases, all.elsewhere))).unzip();
    let (releases, mut elsewhere) = remembered.unzip();
    if let Some(elsewhere) = &mut elsewhere {
        elsewhere.extend(seen::images_elsewhere(containers, &request.project));
    }
    Ok(Observation {
        engine: EngineSeen { version: version.engine, api: version.api, platform: version.platform },
        containers: Vec::new(),
        one_offs: seen::one_offs(containers, &request.project),
        images: seen::images(&images),
        built: Some(seen::built(&images)),
        ports: seen::ports(containers, &request.project),
        no_connections: None,
        proxy: Some(Box::new(proxy(cx, host, containers, &request.project).await?)),
        releases,
        needed_elsewhere: elsewhere.into_iter().flatten().collect(),
        volumes,
        creates: true,
        digests: seen::digests(&images),
        resolves: true,
    })
}
