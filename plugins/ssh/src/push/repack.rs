//! From an engine's export of an image to the archive that is sent, as a stream and without the layers
//! that the host has. Reads and writes only what it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use tar::{Archive, Builder, Entry, Header};

use super::identity::{self, digest};
use super::layout::{self, Blob, Image};

/// No configuration and no list is longer than this.
const SMALL_FILE: u64 = 16 << 20;

/// What is exported, and what of it is sent.
pub(super) struct Wanted<'a> {
    /// The names under which the image is loaded.
    pub(super) names: &'a [String],
    /// Where blobs are put in the archive: a folder that no other archive has.
    pub(super) folder: &'a str,
    /// The image's layers from the bottom up, by their diff ids.
    pub(super) diff_ids: &'a [String],
    /// The layers to send.
    pub(super) lacking: &'a BTreeSet<String>,
    /// The diff ids of layers by the digests of their blobs, where these differ.
    pub(super) blobs: &'a BTreeMap<String, String>,
}

/// What a file of an export is.
enum Part {
    /// A blob of an OCI layout, by its digest.
    Blob(String),
    /// What describes the layer in the directory with this id.
    LayerJson(String),
    /// The layer in the directory with this id.
    Layer(String),
    /// The image's configuration, by its digest.
    Config(String),
    /// The list of images by name, of engines before 25; it is written anew.
    Anything,
}

/// Copies the image that `wanted` describes from `export` to `output`.
///
/// # Errors
/// `InvalidData` when the export is not of a known form; else what reading and writing bring.
pub(super) fn repack(export: impl Read, output: impl Write, wanted: &Wanted<'_>) -> io::Result<()> {
    let mut archive = Archive::new(export);
    let mut packing = Packing::new(Builder::new(output), wanted);
    for entry in archive.entries()? {
        packing.take(entry?)?;
    }
    packing.finish()
}

/// The digests of an image's layers from the bottom up, as its export lists them; none where the list
/// is not of that form.
pub(super) fn layer_blobs(export: impl Read) -> io::Result<Option<Vec<String>>> {
    let mut archive = Archive::new(export);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.as_os_str() == "manifest.json" {
            return Ok(listed(&small(&mut entry)?));
        }
    }
    Ok(None)
}

fn listed(manifest: &[u8]) -> Option<Vec<String>> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    let layers = manifest.get(0)?.get("Layers")?.as_array()?.iter();
    layers.map(|path| Some(format!("sha256:{}", path.as_str()?.strip_prefix("blobs/sha256/")?))).collect()
}

struct Packing<'a, W: Write> {
    output: Builder<W>,
    wanted: &'a Wanted<'a>,
    chain_ids: Vec<String>,
    /// The layer in each directory, of engines before 25.
    directories: BTreeMap<String, usize>,
    /// The sizes of the layers, by diff id.
    sizes: BTreeMap<String, u64>,
    config: Option<Blob>,
    /// Whether the export is an OCI layout, whose lists can be sent as they are.
    is_layout: bool,
}

impl<'a, W: Write> Packing<'a, W> {
    fn new(output: Builder<W>, wanted: &'a Wanted<'a>) -> Self {
        Self {
            output,
            wanted,
            chain_ids: identity::chain_ids(wanted.diff_ids),
            directories: BTreeMap::new(),
            sizes: BTreeMap::new(),
            config: None,
            is_layout: false,
        }
    }

    fn take(&mut self, mut entry: Entry<'_, impl Read>) -> io::Result<()> {
        let path = entry.path()?.to_string_lossy().into_owned();
        if !entry.header().entry_type().is_file() {
            // Directories are made by whoever unpacks; a link is a layer that is there twice.
            return Ok(());
        }
        match part(&path) {
            Part::Blob(digest) => self.blob(&digest, entry),
            Part::LayerJson(id) => self.layer_json(id, &small(&mut entry)?),
            Part::Layer(id) => self.layer(&id, entry),
            Part::Config(digest) => self.config(digest, &small(&mut entry)?),
            Part::Anything => self.anything(&path, entry),
        }
    }

    /// A layer that the host has is left out; everything else in a layout is small.
    fn blob(&mut self, digest: &str, entry: Entry<'_, impl Read>) -> io::Result<()> {
        self.is_layout = true;
        let diff_id = self.wanted.blobs.get(digest).map_or(digest, String::as_str);
        let is_layer = self.wanted.diff_ids.iter().any(|id| id == diff_id);
        if is_layer && !self.wanted.lacking.contains(diff_id) {
            return Ok(());
        }
        append(&mut self.output, &layout::path(self.wanted.folder, digest), entry.size(), entry)
    }

    fn layer_json(&mut self, id: String, json: &[u8]) -> io::Result<()> {
        let layer = identity::layer(&id, json, &self.chain_ids).ok_or_else(unknown)?;
        self.directories.insert(id, layer);
        Ok(())
    }

    fn layer(&mut self, id: &str, entry: Entry<'_, impl Read>) -> io::Result<()> {
        let layer = *self.directories.get(id).ok_or_else(unknown)?;
        let diff_id = &self.wanted.diff_ids[layer];
        let size = entry.size();
        let first = self.sizes.insert(diff_id.clone(), size).is_none();
        if !first || !self.wanted.lacking.contains(diff_id) {
            return Ok(());
        }
        append(&mut self.output, &layout::path(self.wanted.folder, diff_id), size, entry)
    }

    fn config(&mut self, named: String, bytes: &[u8]) -> io::Result<()> {
        if digest(bytes) != named {
            return Err(unknown());
        }
        let size = bytes.len() as u64;
        append(&mut self.output, &layout::path(self.wanted.folder, &named), size, bytes)?;
        self.config = Some(Blob { digest: named, size });
        Ok(())
    }

    /// Lists of a layout are sent on; those of older engines come before it is known which form the export
    /// has, or speak of directories that are not sent.
    fn anything(&mut self, path: &str, mut entry: Entry<'_, impl Read>) -> io::Result<()> {
        match path {
            _ if !self.is_layout => Ok(()),
            "manifest.json" => {
                let list = layout::moved(&small(&mut entry)?, self.wanted.folder).ok_or_else(unknown)?;
                append(&mut self.output, path, list.len() as u64, &*list)
            }
            _ => append(&mut self.output, path, entry.size(), entry),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        if !self.is_layout {
            let config = self.config.take().ok_or_else(unknown)?;
            let sized = |id: &String| Some(Blob { digest: id.clone(), size: *self.sizes.get(id)? });
            let layers: Option<Vec<_>> = self.wanted.diff_ids.iter().map(sized).collect();
            let layers = layers.ok_or_else(unknown)?;
            let Wanted { names, folder, .. } = *self.wanted;
            let image = Image { names, folder, config, layers };
            for (path, bytes) in layout::files(&image) {
                append(&mut self.output, &path, bytes.len() as u64, &*bytes)?;
            }
        }
        self.output.into_inner()?.flush()
    }
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the engine's export of the image has an unknown form")
}

/// What `path` is in an export: `blobs/sha256/HEX` since engine 25, before that `ID/json`,
/// `ID/layer.tar` and `HEX.json`.
fn part(path: &str) -> Part {
    if let Some(hex) = path.strip_prefix("blobs/sha256/") {
        return Part::Blob(format!("sha256:{hex}"));
    }
    let is_id = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match path.split_once('/') {
        Some((id, "json")) if is_id(id) => Part::LayerJson(id.to_owned()),
        Some((id, "layer.tar")) if is_id(id) => Part::Layer(id.to_owned()),
        None => match path.strip_suffix(".json") {
            Some(hex) if is_id(hex) => Part::Config(format!("sha256:{hex}")),
            _ => Part::Anything,
        },
        _ => Part::Anything,
    }
}

fn small(entry: &mut Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(SMALL_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds a file. Nothing about it depends on when or where it was made.
fn append(output: &mut Builder<impl Write>, path: &str, size: u64, content: impl Read) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    output.append_data(&mut header, path, content)
}
