//! Secrets as files in a host's memory: the engine puts them there, and mounts them into containers. I/O.
//!
//! They are in [`DIR`], which is memory, and not in the container's own layer, which is on disk. A container that is
//! started again, by us or by its engine, finds them there; when the host is started again they are gone, and the
//! engine does not start the container without them. Whoever we log in as need not be able to write there: the
//! engine does it, by way of a container that is made for it and never started.

use bollard::models::{ContainerCreateBody, ContainerSummary, HostConfig, MountPoint};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    RemoveContainerOptions, UploadToContainerOptionsBuilder,
};
use bollard::{Docker, body_full};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::{ContainerSpec, Project, SecretRef};
use cloudpad_plugin_api::{Context, Failure, Level};
use futures_util::TryStreamExt;

use super::owner::{self, Owner};
use super::{archive, labels, proof};
use crate::pool::Connection;

/// Where the files are on a host. Root alone may look into the folders in it, one for each container.
pub(super) const DIR: &str = "/run/cloudpad/secrets";

/// Where the container that is never started has that folder.
const INSIDE: &str = "/cloudpad-secrets";

const PUT: &str = "could not put secrets into the host's memory";

/// Permission bits of a file that is said nothing else of.
const MODE: u32 = 0o400;

/// The secrets that a container finds in files, in the order of their numbers: paths and secrets.
pub(super) fn of(spec: &ContainerSpec) -> impl Iterator<Item = (&String, &SecretRef)> {
    spec.secrets.iter().filter(|(target, _)| is_file(target))
}

/// Whether a secret is to be found in a file, and not in a variable.
pub(super) fn is_file(target: &str) -> bool {
    target.starts_with('/')
}

/// Whether there are any.
pub(super) fn are_needed(spec: &ContainerSpec) -> bool {
    of(spec).next().is_some()
}

/// Whether these are an engine's words for files that are not there, such as `invalid mount config for type "bind":
/// bind source path does not exist: /run/cloudpad/secrets/web-1/0`.
pub(super) fn are_missing(message: &str) -> bool {
    message.contains("mount") && message.contains(DIR)
}

/// The failure of a start that found none.
pub(super) fn missing(name: &str, engine: Failure) -> Failure {
    Failure::failed(format!(
        "could not start container `{name}`: the files with its secrets are gone from the host's memory"
    ))
    .cause(engine.message)
    .hint("their values are others by now: deploy a release that is made with those of today")
}

/// The image of a container that has such files, and its name; none for one that has none.
pub(crate) fn image_with_files(seen: &ContainerSummary) -> Option<(String, String)> {
    let name = seen.names.as_ref()?.first()?.trim_start_matches('/');
    let mounts = seen.mounts.as_ref()?;
    let ours = |mount: &MountPoint| mount.source.as_ref().is_some_and(|from| from.starts_with(DIR));
    let own = proof::own_name(name).unwrap_or(name);
    mounts.iter().any(ours).then(|| Some((own.to_owned(), seen.image_id.clone()?)))?
}

/// Where on the host the file of this number is.
pub(super) fn path(container: &str, number: usize) -> String {
    format!("{DIR}/{container}/{number}")
}

/// Puts the files of a container there, in place of any that are there.
pub(super) async fn put(
    cx: &Context,
    host: &Connection,
    (container, spec): (&str, &ContainerSpec),
    project: &Project,
) -> Result<(), Failure> {
    if !are_needed(spec) {
        return Ok(());
    }
    host.memory.check(cx, host.engine.transport().as_ref()).await?;
    host.note_files(container, &spec.image);
    let way = Way::open(&host.engine, container, &spec.image, project).await?;
    let put = async { way.put(archive::folder(container, &files(cx, spec, &way).await?)).await };
    let put = put.await;
    way.close().await;
    put
}

/// What the archive is to hold.
async fn files(cx: &Context, spec: &ContainerSpec, way: &Way) -> Result<Vec<archive::File>, Failure> {
    let mut user = None;
    let mut files = Vec::new();
    for (_, secret) in of(spec) {
        let owner = match (secret.uid, secret.gid, user) {
            (Some(uid), Some(gid), _) => Owner { uid, gid },
            (_, _, Some(user)) => user,
            _ => *user.insert(way.user().await?),
        };
        files.push(archive::File {
            bytes: cx.secret(&secret.name)?.clone(),
            mode: secret.mode.unwrap_or(MODE),
            owner: Owner { uid: secret.uid.unwrap_or(owner.uid), gid: secret.gid.unwrap_or(owner.gid) },
        });
    }
    Ok(files)
}

/// Takes the files of a container that is gone out of the host's memory. What is left is an empty file of the
/// container's name. A failure leaves them there until the host is started again, and is told.
pub(super) async fn forget(cx: &Context, host: &Connection, container: &str, project: &Project) {
    let Some(image) = host.take_files(container) else { return };
    let forgotten = async {
        let way = Way::open(&host.engine, container, &image, project).await?;
        let put = way.put(archive::nothing(container)).await;
        way.close().await;
        put
    };
    if let Err(failure) = forgotten.await {
        let message = format!("secrets of the removed container `{container}` stay in memory at `{DIR}`");
        cx.log(Level::Warn, format!("{message}: {failure}"));
    }
}

/// A way into the folder: a container that has it, and is never started.
struct Way {
    docker: Docker,
    name: String,
}

impl Way {
    async fn open(engine: &Engine, container: &str, image: &str, project: &Project) -> Result<Self, Failure> {
        let way = Self { docker: engine.docker().await?, name: format!("{container}.files") };
        let made = match way.make(image, project).await {
            // From an earlier time that was broken off.
            Err(error) if status(&error) == Some(409) => {
                way.close().await;
                way.make(image, project).await
            }
            made => made,
        };
        made.map_err(|error| failure(PUT, &error))?;
        Ok(way)
    }

    async fn make(&self, image: &str, project: &Project) -> Result<(), bollard::errors::Error> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // An image need not have any.
            cmd: Some(vec!["-".to_owned()]),
            labels: Some(labels::of_project(project)),
            host_config: Some(HostConfig {
                // Unlike with a mount of the newer kind, the engine makes the folder.
                binds: Some(vec![format!("{DIR}:{INSIDE}")]),
                network_mode: Some("none".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&self.name).build();
        self.docker.create_container(Some(options), body).await.map(drop)
    }

    async fn put(&self, archive: Vec<u8>) -> Result<(), Failure> {
        let options = UploadToContainerOptionsBuilder::new().path(INSIDE).build();
        let put = self.docker.upload_to_container(&self.name, Some(options), body_full(archive.into())).await;
        put.map_err(|error| failure(PUT, &error))
    }

    /// Who runs in containers of the image.
    async fn user(&self) -> Result<Owner, Failure> {
        let failed = |error| failure("could not find out as whom the image runs", &error);
        let found = self.docker.inspect_container(&self.name, None::<InspectContainerOptions>).await;
        let user = found.map_err(failed)?.config.and_then(|config| config.user).unwrap_or_default();
        if let Some(owner) = owner::by_number(&user) {
            return Ok(owner);
        }
        let (passwd, group) = tokio::try_join!(self.read("/etc/passwd"), self.read("/etc/group"))?;
        owner::by_name(&user, &passwd, &group)
    }

    /// A file of the image; empty where there is none.
    async fn read(&self, path: &str) -> Result<String, Failure> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let pieces = self.docker.download_from_container(&self.name, Some(options));
        match pieces.try_collect::<Vec<_>>().await {
            Ok(pieces) => Ok(archive::only_file(&pieces.concat())),
            Err(error) if status(&error) == Some(404) => Ok(String::new()),
            Err(error) => Err(failure(&format!("could not read `{path}` of the image"), &error)),
        }
    }

    /// It has no state, and where it stays, the next one takes its place.
    async fn close(&self) {
        let _ = self.docker.remove_container(&self.name, None::<RemoveContainerOptions>).await;
    }
}
