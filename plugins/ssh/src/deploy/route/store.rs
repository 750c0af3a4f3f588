//! The files of the proxy on a host, read and written through the engine: that works for whoever may use the engine. I/O.

use std::collections::BTreeMap;
use std::io::Read;

use bollard::query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder};
use bytes::Bytes;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use futures_util::TryStreamExt;
use serde_json::Value;

use super::piece::{self, Piece};
use super::proxy::{FOLDER, Kind, Part};

/// What is on a host.
pub(super) struct Stored {
    pub(super) pieces: Vec<Piece>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Stored {
    /// The configuration of a part that is in effect, or was when it ran last.
    pub(super) fn in_effect(&self, part: &Part) -> Option<Value> {
        serde_json::from_slice(self.files.get(part.in_effect)?).ok()
    }

    /// What a part would have to be given so that it does what all pieces say, these being `pieces`; none where it does.
    pub(super) fn lacking(&self, kind: &dyn Kind, part: &Part, pieces: &[Piece]) -> Option<Value> {
        let in_effect = self.in_effect(part);
        let wanted = kind.config(part, pieces, in_effect.as_ref());
        (in_effect.as_ref() != Some(&wanted)).then_some(wanted)
    }
}

/// Reads the proxy's folder, through one of its containers.
pub(super) async fn read(engine: &Engine, container: &str) -> Result<Stored, Failure> {
    let files = fetch(engine, container, FOLDER).await?;
    Ok(Stored { pieces: piece::pieces(&files)?, files })
}

/// The files of a folder of the container, by their path in it.
pub(super) async fn fetch(
    engine: &Engine,
    container: &str,
    folder: &str,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let options = DownloadFromContainerOptionsBuilder::new().path(folder).build();
    let archive: Vec<Bytes> = engine
        .docker()
        .await?
        .download_from_container(container, Some(options))
        .try_collect()
        .await
        .map_err(|error| failure("could not read the files of the proxy", &error))?;
    unpack(&archive.concat())
        .map_err(|error| Failure::failed("could not read the files of the proxy").cause(error).retryable())
}

/// The files of an archive of a folder, by their path in it.
fn unpack(archive: &[u8]) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.to_string_lossy().into_owned();
        // The first part is the folder itself.
        let Some((_, path)) = path.split_once('/') else { continue };
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        files.insert(path.to_owned(), text);
    }
    Ok(files)
}

/// Writes files into a folder of the container, which only root can read there.
pub(super) async fn write(
    engine: &Engine,
    container: &str,
    folder: &str,
    files: &[(String, Vec<u8>)],
) -> Result<(), Failure> {
    let archive =
        pack(files).map_err(|error| Failure::failed("could not pack the files of the proxy").cause(error))?;
    let options = UploadToContainerOptionsBuilder::new().path(folder).build();
    let body = bollard::body_full(archive.into());
    let written = engine.docker().await?.upload_to_container(container, Some(options), body).await;
    written.map_err(|error| failure("could not write the files of the proxy", &error))
}

fn pack(files: &[(String, Vec<u8>)]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, path, text.as_slice())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let files = [("x/routes/a.json".to_owned(), b"1".to_vec()), ("x/b".to_owned(), Vec::new())];
        let unpacked = unpack(&pack(&files).unwrap()).unwrap();
        let expected = [("routes/a.json".to_owned(), b"1".to_vec()), ("b".to_owned(), Vec::new())];
        assert_eq!(unpacked, expected.into());
        assert!(unpack(&pack(&files).unwrap()[..700]).is_err(), "half an archive is none");
    }
}
