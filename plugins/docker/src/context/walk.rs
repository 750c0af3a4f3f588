//! Lists what a context holds, parents before children and names in byte order. Reads the file system.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use cloudpad_plugin_api::Failure;

use super::Context;
use crate::ignore::{Ignore, Matches};
use crate::unreadable;

/// Cloudpad's own folder: its journals change with each run, and are nobody's source code.
const OWN_FOLDER: &str = ".cloudpad";

/// Something in a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is, relative to the context, with `/`.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Its permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// By what a change of its content can be seen without reading it.
    pub stamp: Stamp,
}

/// What an entry is. Sockets are passed over, as Docker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with content.
    File,
    /// A directory.
    Directory,
    /// A symbolic link and what it says; it is never followed.
    Symlink(String),
    /// A named pipe.
    Fifo,
}

/// What the file system says of a file without its content. Nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// In bytes.
    pub size: u64,
    /// When its content was last changed, which anybody can set.
    pub mtime: i64,
    /// When anything of it was last changed, which nobody can set.
    pub ctime: i64,
    /// Which file of the file system it is.
    pub inode: u64,
}

impl Stamp {
    /// What `metadata` says.
    pub fn of(metadata: &Metadata) -> Self {
        let nanos = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.len(),
            mtime: nanos(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanos(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

impl Context {
    /// Everything that is not left out.
    ///
    /// # Errors
    /// `failed`, naming what cannot be read or cannot be sent.
    pub fn walk(&self) -> Result<Vec<Entry>, Failure> {
        let mut walk = Walk { ignore: &self.ignore, found: Vec::new(), pending: Vec::new() };
        walk.directory(&self.root, "", &Matches::default(), false)?;
        Ok(walk.found)
    }
}

struct Walk<'a> {
    ignore: &'a Ignore,
    found: Vec<Entry>,
    /// Directories on the way here that are left out, unless something in them is not.
    pending: Vec<Entry>,
}

impl Walk<'_> {
    fn directory(
        &mut self,
        dir: &Path,
        prefix: &str,
        matches: &Matches,
        is_out: bool,
    ) -> Result<(), Failure> {
        let names = match names(dir) {
            Ok(names) => names,
            // Nobody needs to be able to read what is left out, or is gone by now.
            Err(error) if is_out && error.kind() == ErrorKind::PermissionDenied => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !prefix.is_empty() => return Ok(()),
            Err(error) => return Err(unreadable(dir, &error)),
        };
        for name in names {
            let full = dir.join(&name);
            let path = format!("{prefix}{}", name.to_string_lossy());
            if path == OWN_FOLDER {
                continue;
            }
            let (is_out, matches) = self.ignore.leaves_out(&path, matches);
            match std::fs::symlink_metadata(&full) {
                Ok(metadata) => self.entry(&full, path, &metadata, &matches, is_out)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&full, &error)),
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        full: &Path,
        path: String,
        metadata: &Metadata,
        matches: &Matches,
        is_out: bool,
    ) -> Result<(), Failure> {
        if is_out && !(metadata.is_dir() && self.ignore.may_bring_back_below(&path)) {
            return Ok(());
        }
        let Some(entry) = entry(full, path, metadata)? else { return Ok(()) };
        if !metadata.is_dir() {
            self.keep(entry);
            return Ok(());
        }
        let prefix = format!("{}/", entry.path);
        if is_out {
            self.pending.push(entry);
        } else {
            self.keep(entry);
        }
        self.directory(full, &prefix, matches, is_out)?;
        if is_out {
            // Still there, if nothing below it was kept.
            self.pending.pop_if(|pending| prefix.strip_suffix('/') == Some(pending.path.as_str()));
        }
        Ok(())
    }

    fn keep(&mut self, entry: Entry) {
        self.found.append(&mut self.pending);
        self.found.push(entry);
    }
}

fn names(dir: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|e| e.file_name())).collect::<Result<Vec<_>, _>>()?;
    names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    Ok(names)
}

/// What is at `full`; none for a socket.
fn entry(full: &Path, path: String, metadata: &Metadata) -> Result<Option<Entry>, Failure> {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_file() => Kind::File,
        () if kind.is_dir() => Kind::Directory,
        () if kind.is_symlink() => Kind::Symlink(link_target(full)?),
        () if kind.is_fifo() => Kind::Fifo,
        () if kind.is_socket() => return Ok(None),
        () => return Err(unsendable(full, "it is a device")),
    };
    if full.file_name().is_some_and(|name| name.to_str().is_none()) {
        return Err(unsendable(full, "its name is not UTF-8"));
    }
    Ok(Some(Entry { path, kind, mode: metadata.mode() & 0o7777, stamp: Stamp::of(metadata) }))
}

fn link_target(full: &Path) -> Result<String, Failure> {
    let target = std::fs::read_link(full).map_err(|error| unreadable(full, &error))?;
    target.into_os_string().into_string().map_err(|_| unsendable(full, "what the link says is not UTF-8"))
}

fn unsendable(path: &Path, why: &str) -> Failure {
    Failure::failed(format!("`{}` cannot be sent to the build: {why}", path.display()))
        .hint("list it in `.dockerignore`")
}
