//! A context as a tar archive, written while it is sent: for the classic builder. Reads files.
//!
//! Entries are sorted and belong to root. Their times are the files' own: servers of static files make
//! them into `Last-Modified` and `ETag`, and with one time for all, a browser would keep an old file
//! for a new one of the same size. Neither builder looks at them to tell whether a step is cached.

use std::fs::File;
use std::io::{self, Read, Write};

use cloudpad_plugin_api::Failure;

use super::walk::{Entry, Kind};
use super::{Context, IGNORE_FILE};
use crate::unreadable;

impl Context {
    /// The Dockerfile's name in the archive.
    pub fn archived_dockerfile(&self) -> String {
        match self.dockerfile_dir.join(&self.dockerfile_name).strip_prefix(&self.root) {
            Ok(relative) => relative.to_string_lossy().into_owned(),
            Err(_) => format!(".cloudpad-{}", self.dockerfile_name),
        }
    }

    /// Writes the archive of `entries` to `out`.
    ///
    /// The builder needs the Dockerfile even when it is left out. It then takes it away before `COPY`
    /// can see it, if a `.dockerignore` in the archive says so; where the context's own is left out or
    /// does not say so, one is made that does.
    ///
    /// # Errors
    /// The failure that names a file that cannot be read; none of its own when `out` is closed.
    pub fn archive(&self, entries: &[Entry], out: impl Write) -> Result<(), Failure> {
        let mut archive = tar::Builder::new(out);
        for entry in entries {
            self.append(&mut archive, entry)?;
        }
        let has = |name: &str| entries.iter().any(|entry| entry.path == name);
        let dockerfile = self.archived_dockerfile();
        let hidden: Vec<&str> = [IGNORE_FILE, &dockerfile].into_iter().filter(|name| !has(name)).collect();
        if hidden.contains(&dockerfile.as_str()) {
            bytes(&mut archive, &dockerfile, &self.dockerfile).or_else(closed)?;
        }
        if hidden.contains(&IGNORE_FILE) {
            bytes(&mut archive, IGNORE_FILE, hidden.join("\n").as_bytes()).or_else(closed)?;
        }
        archive.finish().or_else(closed)
    }

    fn append(&self, archive: &mut tar::Builder<impl Write>, entry: &Entry) -> Result<(), Failure> {
        let mut header = header(entry);
        match &entry.kind {
            Kind::File => {
                let path = self.root.join(&entry.path);
                let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
                let mut content = Exactly { file, left: entry.stamp.size, failed: None };
                let result = archive.append_data(&mut header, &entry.path, &mut content);
                match content.failed {
                    Some(error) => Err(unreadable(&path, &error)),
                    None => result.or_else(closed),
                }
            }
            Kind::Symlink(target) => archive.append_link(&mut header, &entry.path, target).or_else(closed),
            Kind::Directory | Kind::Fifo => {
                archive.append_data(&mut header, &entry.path, io::empty()).or_else(closed)
            }
        }
    }
}

/// Whoever reads the archive and stops says why itself.
fn closed(_: io::Error) -> Result<(), Failure> {
    Ok(())
}

fn bytes(archive: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}

fn header(entry: &Entry) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    let (kind, size) = match entry.kind {
        Kind::File => (tar::EntryType::Regular, entry.stamp.size),
        Kind::Directory => (tar::EntryType::Directory, 0),
        Kind::Symlink(_) => (tar::EntryType::Symlink, 0),
        Kind::Fifo => (tar::EntryType::Fifo, 0),
    };
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(entry.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(entry.stamp.mtime / 1_000_000_000).unwrap_or(0));
    header
}

/// A file's first `left` bytes, no fewer: the header has said how many there are.
struct Exactly {
    file: File,
    left: u64,
    failed: Option<io::Error>,
}

impl Read for &mut Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let result = match self.file.read(&mut buffer[..most]) {
            Ok(0) => Err(io::Error::other("it became shorter while it was sent")),
            other => other,
        };
        match result {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) => {
                self.failed = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }
}
