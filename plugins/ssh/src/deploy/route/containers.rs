//! The containers of the proxy on a host: found, made, started, put away, and in which networks they are. I/O.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryStateEnum as State, EndpointSettings, HostConfig,
    HostConfigLogConfig, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest, PortBinding,
    RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectNetworkOptions, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::Proxy;

use super::proxy::{FOLDER, Kind, Part, SECRETS};
use super::store;

/// The label that says which part of a proxy a container is, and the one that says what it was made as, as JSON. They
/// belong to no project.
pub(super) const PART: &str = "cloudpad.proxy";
const MADE: &str = "cloudpad.proxy.made";
/// The network of the proxy, in which nothing else is.
pub(super) const NETWORK: &str = "cloudpad-proxy";
/// The volumes: what is to be routed, and certificates.
const VOLUMES: [(&str, &str); 2] = [("cloudpad-proxy", FOLDER), ("cloudpad-certificates", SECRETS)];
/// Seconds that the requests which a part is answering have when it is made anew.
const STOP: i32 = 10;

/// How engines say that something else has a port.
const PORT_HELD: [&str; 3] =
    ["port is already allocated", "address already in use", "Ports are not available"];

/// A part of the proxy as it was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) is_running: bool,
    pub(super) made: Option<Proxy>,
    /// Its networks, with its address in each.
    pub(super) networks: HashMap<String, String>,
}

/// The part among all containers of a host.
pub(super) fn find(part: &Part, all: &[ContainerSummary]) -> Option<Found> {
    named(part.container, part, all)
}

/// The one that the part was before, where it waits for the new one to prove itself.
pub(super) fn find_kept(part: &Part, all: &[ContainerSummary]) -> Option<Found> {
    named(&kept_name(part), part, all)
}

/// The name of a part's old container meanwhile.
pub(super) fn kept_name(part: &Part) -> String {
    format!("{}-before", part.container)
}

fn named(name: &str, part: &Part, all: &[ContainerSummary]) -> Option<Found> {
    let is_it = |seen: &&ContainerSummary| {
        let is_part =
            seen.labels.as_ref().and_then(|labels| labels.get(PART)).is_some_and(|of| of == part.container);
        is_part && seen.names.iter().flatten().any(|has| has.trim_start_matches('/') == name)
    };
    let seen = all.iter().find(is_it)?;
    let networks = seen.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let address = |endpoint: &EndpointSettings| endpoint.ip_address.clone().unwrap_or_default();
    Some(Found {
        id: seen.id.clone()?,
        is_running: seen.state == Some(State::RUNNING),
        made: seen.labels.as_ref()?.get(MADE).and_then(|made| serde_json::from_str(made).ok()),
        networks: networks.into_iter().flatten().map(|(name, at)| (name.clone(), address(at))).collect(),
    })
}

impl Found {
    /// Its address in the proxy's own network.
    pub(super) fn address(&self) -> Option<&str> {
        self.networks.get(NETWORK).map(String::as_str).filter(|address| !address.is_empty())
    }
}

fn failed<'a>(what: &'a str, part: &'a Part) -> impl Fn(bollard::errors::Error) -> Failure + 'a {
    move |error| failure(&format!("could not {what} the proxy's container `{}`", part.container), &error)
}

/// Stops a container of a part.
pub(super) async fn stop(engine: &Engine, part: &Part, id: &str) -> Result<(), Failure> {
    let options = StopContainerOptionsBuilder::new().t(STOP).build();
    engine.patient().await?.stop_container(id, Some(options)).await.map_err(failed("stop", part))
}

/// Removes a container of a part.
pub(super) async fn remove(engine: &Engine, part: &Part, id: &str) -> Result<(), Failure> {
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    engine.patient().await?.remove_container(id, Some(force)).await.map_err(failed("remove", part))
}

/// Removes the volume of what was to be routed, which is nobody's any more. One that somebody else uses stays.
pub(super) async fn clear(engine: &Engine) -> Result<(), Failure> {
    let [(volume, _), _] = VOLUMES;
    let removed = engine.docker().await?.remove_volume(volume, None::<RemoveVolumeOptions>).await;
    match removed {
        Err(error) if !matches!(status(&error), Some(404 | 409)) => {
            Err(failure(&format!("could not remove volume `{volume}`"), &error))
        }
        _ => Ok(()),
    }
}

/// Gives a container another name.
pub(super) async fn rename(engine: &Engine, id: &str, name: &str) -> Result<(), Failure> {
    let options = RenameContainerOptionsBuilder::new().name(name).build();
    let renamed = engine.docker().await?.rename_container(id, options).await;
    renamed
        .map_err(|error| failure(&format!("could not rename a container of the proxy to `{name}`"), &error))
}

/// Has the container that a part was before take the place of the new one again.
pub(super) async fn put_back(engine: &Engine, part: &Part, old: &str) -> Result<(), Failure> {
    match remove(engine, part, part.container).await {
        Err(failure) if !failure.to_string().contains("No such container") => return Err(failure),
        _ => {}
    }
    rename(engine, old, part.container).await?;
    let started = engine.patient().await?.start_container(old, None::<StartContainerOptions>).await;
    started.map_err(failed("start", part))
}

/// Makes a part, which does not run yet.
pub(super) async fn make(engine: &Engine, part: &Part, proxy: &Proxy) -> Result<(), Failure> {
    ensure_network(engine).await?;
    let name = part.container;
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    match engine.docker().await?.create_container(Some(options), body(part, proxy)?).await {
        Ok(_) => Ok(()),
        Err(error) if status(&error) == Some(409) => {
            let message = format!("the name `{name}` is taken by a container that is not the proxy's");
            Err(Failure::stale(message).hint("rename or remove that container"))
        }
        Err(error) if status(&error) == Some(404) => {
            let message = format!("the image of the proxy, `{}`, is not on the host", proxy.image);
            Err(Failure::failed(message).cause(error))
        }
        Err(error) => Err(failure(&format!("could not make the proxy's container `{name}`"), &error)),
    }
}

/// Starts it, with what is to be routed by now.
pub(super) async fn begin(engine: &Engine, kind: &dyn Kind, part: &Part) -> Result<(), Failure> {
    let stored = store::read(engine, part.container).await?;
    let config = kind.config(part, &stored.pieces, None);
    let first = (part.first.to_owned(), config.to_string().into_bytes());
    store::write(engine, part.container, FOLDER, &[first]).await?;
    let started =
        engine.patient().await?.start_container(part.container, None::<StartContainerOptions>).await;
    started.map_err(|error| {
        let is_port = PORT_HELD.iter().any(|words| error.to_string().contains(words));
        let failure = failed("start", part)(error);
        match is_port {
            true => failure.hint("its ports are `http_port` and `https_port` of `[proxy]`"),
            false => failure,
        }
    })
}

fn body(part: &Part, proxy: &Proxy) -> Result<ContainerCreateBody, Failure> {
    let made = serde_json::to_string(proxy)
        .map_err(|error| Failure::invalid("the proxy cannot be written down").cause(error))?;
    let ports = [(80, proxy.http_port), (443, proxy.https_port)].map(|(inside, outside)| {
        let binding = PortBinding { host_ip: None, host_port: Some(outside.to_string()) };
        (format!("{inside}/tcp"), Some(vec![binding]))
    });
    let ports: HashMap<_, _> = if part.is_front { ports.into() } else { HashMap::new() };
    Ok(ContainerCreateBody {
        image: Some(proxy.image.clone()),
        cmd: Some(part.command.iter().map(|word| (*word).to_owned()).collect()),
        env: Some(part.env.iter().map(|variable| (*variable).to_owned()).collect()),
        labels: Some(
            [(PART, part.container.to_owned()), (MADE, made)].map(|(k, v)| (k.to_owned(), v)).into(),
        ),
        exposed_ports: Some(ports.keys().cloned().collect()),
        host_config: Some(HostConfig {
            port_bindings: Some(ports),
            binds: Some(VOLUMES.map(|(volume, at)| format!("{volume}:{at}")).to_vec()),
            network_mode: Some(NETWORK.to_owned()),
            // The one that does not grow without end.
            log_config: Some(HostConfigLogConfig { typ: Some("local".to_owned()), config: None }),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::ALWAYS),
                maximum_retry_count: None,
            }),
            ..Default::default()
        }),
        ..Default::default()
    })
}

async fn ensure_network(engine: &Engine) -> Result<(), Failure> {
    let docker = engine.docker().await?;
    if docker.inspect_network(NETWORK, None::<InspectNetworkOptions>).await.is_ok() {
        return Ok(());
    }
    let labels = HashMap::from([(PART.to_owned(), NETWORK.to_owned())]);
    let request =
        NetworkCreateRequest { name: NETWORK.to_owned(), labels: Some(labels), ..Default::default() };
    match docker.create_network(request).await {
        Ok(_) => Ok(()),
        Err(error) if status(&error) == Some(409) => Ok(()),
        Err(error) => Err(failure(&format!("could not make the network `{NETWORK}`"), &error)),
    }
}

/// Lets a part join a network of a project.
pub(super) async fn join(engine: &Engine, part: &Found, network: &str) -> Result<(), Failure> {
    if part.networks.contains_key(network) {
        return Ok(());
    }
    let request = NetworkConnectRequest { container: part.id.clone(), endpoint_config: None };
    match engine.docker().await?.connect_network(network, request).await {
        Err(error) if !error.to_string().contains("already exists") => {
            Err(failure(&format!("could not connect the proxy to the network `{network}`"), &error))
        }
        _ => Ok(()),
    }
}

/// Lets a part leave the networks of projects that it has nothing to do with any more, so that they can be removed. What cannot
/// be left harms nothing.
pub(super) async fn leave(engine: &Engine, part: &Found, needed: &BTreeSet<&str>) -> Result<(), Failure> {
    let others = part.networks.keys().filter(|name| *name != NETWORK && !needed.contains(name.as_str()));
    for network in others {
        let request = NetworkDisconnectRequest { container: part.id.clone(), force: Some(false) };
        let _ = engine.docker().await?.disconnect_network(network, request).await;
    }
    Ok(())
}
