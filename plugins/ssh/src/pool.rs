//! One connection per host, opened once and shared by all calls of the process. I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse as Inspected, ContainerSummary, ImageSummary};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptions};
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::Traffic;
use tokio::sync::Mutex as AsyncMutex;

use crate::config::Config;
use crate::deploy::lock::Held;
use crate::deploy::{Memory, Networks, image_with_files};

/// A host that we are connected to.
pub(crate) struct Connection {
    pub(crate) engine: Engine,
    pub(crate) networks: Networks,
    pub(crate) memory: Memory,
    /// The images of those containers that have secrets in files, by the containers' names, as they were listed last.
    with_files: Mutex<BTreeMap<String, String>>,
    /// Held while the proxy's routes are changed: whether certificates were too, so that some may not be needed any more.
    pub(crate) routing: AsyncMutex<bool>,
    /// The host's images as they were listed last.
    images: Mutex<Option<Arc<[ImageSummary]>>>,
    /// The names of the host's containers as they were listed last.
    containers: Mutex<Option<BTreeSet<String>>>,
    /// The containers that were made to be started next, by their names.
    made: Mutex<BTreeMap<String, Made>>,
    /// The locks that this process has taken there, by name. Those of an earlier connection are lost.
    pub(crate) locks: Locks,
}

/// A container that is to be started next.
pub(crate) struct Made {
    pub(crate) id: String,
    /// Whether it is new; else it was there.
    pub(crate) is_new: bool,
    /// What the engine knows of it; a new one need not be asked about.
    pub(crate) found: Option<Box<Inspected>>,
}

/// The locks of a host, which outlive a connection to it.
pub(crate) type Locks = Arc<AsyncMutex<BTreeMap<String, Held>>>;

impl Connection {
    fn new(engine: Engine, locks: Locks) -> Self {
        Self {
            engine,
            networks: Networks::default(),
            routing: AsyncMutex::default(),
            memory: Memory::default(),
            with_files: Mutex::default(),
            images: Mutex::default(),
            containers: Mutex::default(),
            made: Mutex::default(),
            locks,
        }
    }

    /// The host's containers, running or not. Those of others too: they hold ports.
    pub(crate) async fn containers(&self) -> Result<Vec<ContainerSummary>, Failure> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let listed = self.engine.docker().await?.list_containers(Some(all)).await;
        let listed = listed.map_err(|error| failure("could not list the containers", &error))?;
        let mut with_files = self.with_files.lock().unwrap_or_else(PoisonError::into_inner);
        with_files.extend(listed.iter().filter_map(image_with_files));
        drop(with_files);
        self.networks.note(&listed);
        let names = listed.iter().flat_map(|seen| seen.names.iter().flatten());
        let names = names.map(|name| name.trim_start_matches('/').to_owned()).collect();
        *self.containers.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
        Ok(listed)
    }

    /// Whether no container had this name when they were listed last. One may have it now: good enough to
    /// decide what to ask, and not to rely on.
    pub(crate) fn had_no_container(&self, name: &str) -> bool {
        let names = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        names.as_ref().is_some_and(|names| !names.contains(name))
    }

    /// Adds to the list that a container has got this name.
    pub(crate) fn note_container(&self, name: &str) {
        let mut names = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = names.as_mut() {
            names.insert(name.to_owned());
        }
    }

    /// Notes that a container was made to be started next.
    pub(crate) fn note_made(&self, name: &str, made: Made) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), made);
    }

    /// What was made to be started next under that name, once.
    pub(crate) fn take_made(&self, name: &str) -> Option<Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// Lists the containers, unless that was done before.
    pub(crate) async fn know_containers(&self) -> Result<(), Failure> {
        let known = self.containers.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if known { Ok(()) } else { self.containers().await.map(drop) }
    }

    /// Notes that a container with this name, of this image, has secrets in files.
    pub(crate) fn note_files(&self, name: &str, image: &str) {
        let mut with_files = self.with_files.lock().unwrap_or_else(PoisonError::into_inner);
        with_files.insert(name.to_owned(), image.to_owned());
    }

    /// The image of a container that has secrets in files, which is then taken to have none any more.
    pub(crate) fn take_files(&self, name: &str) -> Option<String> {
        self.with_files.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// The host's images.
    pub(crate) async fn images(&self) -> Result<Arc<[ImageSummary]>, Failure> {
        let mut tries = 0;
        let listed: Arc<[_]> = loop {
            match self.engine.docker().await?.list_images(None::<ListImagesOptions>).await {
                Ok(listed) => break listed.into(),
                Err(error) if tries < LIST_TRIES && is_overtaken(&error) => tries += 1,
                Err(error) => return Err(failure("could not list the images", &error)),
            }
        };
        *self.images.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed.clone());
        Ok(listed)
    }

    /// The images as they were listed last. They may have changed: good enough to decide what to ask,
    /// and not to rely on.
    pub(crate) fn images_then(&self) -> Option<Arc<[ImageSummary]>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds to the list that the host has got an image of this name.
    pub(crate) fn note_image(&self, reference: &str) {
        let new = ImageSummary { repo_tags: vec![reference.to_owned()], ..Default::default() };
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        *images = images.take().map(|known| known.iter().cloned().chain([new]).collect());
    }
}

/// How often the images are listed anew, where images that are being removed keep it from being done.
const LIST_TRIES: u32 = 10;

/// Whether an engine with containerd's store could not list its images because one of them was removed meanwhile: it
/// reads them one after the other, and does not expect that.
fn is_overtaken(error: &Error) -> bool {
    let said = error.to_string();
    said.contains("content digest") && said.contains("not found")
}

/// A connection, and whether it was there before this call.
pub(crate) struct Lease {
    pub(crate) connection: Arc<Connection>,
    pub(crate) reused: bool,
}

// Two hosts may be one machine under two names: the address decides, not the name. Different options
// could lead to different machines.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    address: String,
    config: String,
}

/// What there is for one host.
#[derive(Default)]
struct Slot {
    /// Held while connecting, so that whoever comes second waits for the first one's connection.
    connection: AsyncMutex<Option<Arc<Connection>>>,
    locks: Locks,
}

/// The lock is held for a moment.
static SLOTS: LazyLock<Mutex<HashMap<Key, Arc<Slot>>>> = LazyLock::new(Mutex::default);

fn key(host: &Host, config: &Config) -> Key {
    Key { address: host.address.clone(), config: format!("{config:?}") }
}

fn slot(host: &Host, config: &Config) -> Arc<Slot> {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.entry(key(host, config)).or_default().clone()
}

/// The connection to `host`, opened if it is not.
pub(crate) async fn lease(host: &Host, config: &Config, cancel: &Cancel) -> Result<Lease, Failure> {
    let slot = slot(host, config);
    let mut open = slot.connection.lock().await;
    if let Some(connection) = &*open {
        return Ok(Lease { connection: connection.clone(), reused: true });
    }
    let engine = connect(host, config, cancel).await?;
    let connection = Arc::new(Connection::new(engine, slot.locks.clone()));
    *open = Some(connection.clone());
    Ok(Lease { connection, reused: false })
}

async fn connect(host: &Host, config: &Config, cancel: &Cancel) -> Result<Engine, Failure> {
    if is_own_engine(host, config) {
        return Engine::local().await;
    }
    let transport = cloudpad_transport::connect(host, &config.options(), cancel).await?;
    Ok(Engine::over(transport, config.endpoint()))
}

/// Forgets a connection that turned out to be dead, so that the next call opens a new one.
pub(crate) async fn forget(host: &Host, config: &Config, dead: &Arc<Connection>) {
    let slot = slot(host, config);
    let mut slot = slot.connection.lock().await;
    if slot.as_ref().is_some_and(|held| Arc::ptr_eq(held, dead)) {
        *slot = None;
    }
}

/// What has been asked of a host so far, for those who measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests to its engine.
    pub requests: u64,
    /// What went through its connection.
    pub traffic: Traffic,
}

/// What the open connection to `host` has cost so far; none where there is no connection.
pub fn spent(host: &Host, config: &Config) -> Option<Spent> {
    let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = slots.get(&key(host, config))?.connection.try_lock().ok()?;
    let engine = &slot.as_ref()?.engine;
    Some(Spent { requests: engine.requests(), traffic: engine.transport().traffic() })
}

/// Whether `host` means the engine by which this machine builds.
pub(crate) fn is_own_engine(host: &Host, config: &Config) -> bool {
    host.is_local() && config.socket.is_none()
}
