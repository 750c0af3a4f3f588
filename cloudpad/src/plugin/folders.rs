//! Reads the folders in which plugins may be, and decides nothing. I/O: folders.
//!
//! Each folder is read once. Only files that have the name of a plugin are looked at, so a folder with a
//! hundred thousand others costs no more than their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::file_name;
use super::find::{Candidate, Carrier, Listing, Passed, Place};
use super::sum::Sum;

/// The folders of this machine in which plugins may be.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// The user's; none where the user has no home.
    pub user: Option<PathBuf>,
    /// The system's, first one first.
    pub system: Vec<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
}

/// The files of the project's folder that the user trusts, by name; or why nobody can tell.
pub type Trusted = Result<BTreeMap<String, Sum>, String>;

/// The project's own plugin folder.
pub fn of_project(project: &Path) -> PathBuf {
    project.join(".cloudpad/plugins")
}

/// What the config names.
pub fn read_config(plugins: &BTreeMap<String, PathBuf>) -> Vec<Candidate> {
    plugins.iter().map(|(name, path)| named(name.clone(), path)).collect()
}

/// The plugin at `path`, wherever that is.
pub fn read_file(path: &Path) -> Candidate {
    let file = path.file_name().unwrap_or_default();
    let name = match file_name::read(file) {
        Some(Ok((name, _))) => name,
        _ => file.to_string_lossy().into_owned(),
    };
    named(name, path)
}

fn named(name: String, path: &Path) -> Candidate {
    let carrier = file_name::carrier(path);
    let fault = fault_of_folder(path).or_else(|| fault(path, carrier));
    Candidate { name, place: Place::Config, carrier, path: path.to_owned(), fault, trusted: None }
}

/// What is in the project's folder, trusted or not.
pub fn read_project(project: &Path) -> Listing {
    let mut listing = Listing::default();
    let mut reader = Reader { listing: &mut listing, seen: BTreeSet::new() };
    let own = reader.folder(Place::Project, &of_project(project));
    listing.folders.push(own);
    listing
}

/// Adds what is in the project's folder and in those of the machine.
pub fn read(project: &Path, trusted: &Trusted, folders: &Folders, listing: &mut Listing) {
    let mut reader = Reader { listing, seen: BTreeSet::new() };
    let own = reader.folder(Place::Project, &of_project(project));
    let own = own.into_iter().map(|candidate| with_trust(candidate, trusted)).collect();
    reader.listing.folders.push(own);
    reader.machine(folders);
}

/// Adds what is in the folders of the machine.
pub fn read_machine(folders: &Folders, listing: &mut Listing) {
    Reader { listing, seen: BTreeSet::new() }.machine(folders);
}

fn with_trust(candidate: Candidate, trusted: &Trusted) -> Candidate {
    let file = candidate.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let (sum, doubt) = match trusted {
        Ok(files) => match files.get(file) {
            Some(sum) => (Some(*sum), None),
            None => {
                (None, Some("you have not trusted it; look at it, then type `cloudpad trust`".to_owned()))
            }
        },
        Err(why) => (None, Some(why.clone())),
    };
    Candidate { fault: candidate.fault.or(doubt), trusted: sum, ..candidate }
}

struct Reader<'a> {
    listing: &'a mut Listing,
    /// Folders that were read, by device and number: `/bin` and `/usr/bin` are often one.
    seen: BTreeSet<(u64, u64)>,
}

impl Reader<'_> {
    fn machine(&mut self, folders: &Folders) {
        self.folders(Place::User, folders.user.iter());
        self.folders(Place::System, folders.system.iter());
        let path = folders.path.clone().unwrap_or_default();
        let entries: Vec<PathBuf> = std::env::split_paths(&path).filter(|entry| self.leads(entry)).collect();
        self.folders(Place::Path, entries.iter());
    }

    /// Whether an entry of `PATH` says by itself where it leads. Others depend on the working directory,
    /// in which anybody's files may be.
    fn leads(&mut self, entry: &Path) -> bool {
        if !entry.is_absolute() {
            let kind = if entry.as_os_str().is_empty() { "an empty" } else { "a relative" };
            let why =
                format!("{kind} entry of PATH means the working directory, where no plugin is looked for");
            self.listing.passed.push(Passed::new(entry, why));
        }
        entry.is_absolute()
    }

    fn folders<'p>(&mut self, place: Place, paths: impl Iterator<Item = &'p PathBuf>) {
        for path in paths {
            let found = self.folder(place, path);
            self.listing.folders.push(found);
        }
    }

    fn folder(&mut self, place: Place, folder: &Path) -> Vec<Candidate> {
        let found = fs::metadata(folder).and_then(|meta| Ok((self.seen(&meta), meta, fs::read_dir(folder)?)));
        let (meta, entries) = match found {
            Ok((true, ..)) => return Vec::new(),
            Ok((false, meta, entries)) => (meta, entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let passed = Passed::new(folder, format!("it cannot be read: {error}"));
                if place == Place::Project {
                    self.listing.unread = Some(passed.clone());
                }
                self.listing.passed.push(passed);
                return Vec::new();
            }
        };
        let open = open_to_all(&meta, folder);
        let mut candidates = Vec::new();
        for entry in entries {
            let name = match entry {
                Ok(entry) => entry.file_name(),
                Err(error) => {
                    self.listing.passed.push(Passed::new(folder, format!("its end cannot be read: {error}")));
                    break;
                }
            };
            let path = folder.join(&name);
            match file_name::read(&name) {
                None => {}
                Some(Err(why)) => self.listing.passed.push(Passed::new(&path, why)),
                Some(Ok((name, carrier))) => {
                    let fault = open.clone().or_else(|| fault(&path, carrier));
                    candidates.push(Candidate { name, place, carrier, path, fault, trusted: None });
                }
            }
        }
        candidates
    }

    fn seen(&mut self, meta: &Metadata) -> bool {
        !self.seen.insert((meta.dev(), meta.ino()))
    }
}

/// Why a file cannot be used, folder aside.
fn fault(path: &Path, carrier: Carrier) -> Option<String> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            return Some("it is a link to something that is not there".to_owned());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("it is not there".to_owned()),
        Err(error) => return Some(format!("it cannot be looked at: {error}")),
    };
    if !meta.is_file() {
        let what = if meta.is_dir() { "a folder" } else { "no regular file" };
        return Some(format!("it is {what}"));
    }
    if let Some(fault) = open_to_all(&meta, path) {
        return Some(fault);
    }
    if carrier == Carrier::Executable {
        if meta.permissions().mode() & 0o111 == 0 {
            return Some(format!("it is not executable; `chmod +x {}` makes it so", path.display()));
        }
        if rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_err() {
            return Some("you may not execute it".to_owned());
        }
    }
    // What a link leads to is as safe as the folder that it is in.
    let real = path.is_symlink().then(|| fs::canonicalize(path).ok()).flatten();
    real.and_then(|real| fault_of_folder(&real))
}

fn fault_of_folder(file: &Path) -> Option<String> {
    let folder = file.parent()?;
    open_to_all(&fs::metadata(folder).ok()?, folder)
}

/// Why nobody can tell whose work it is.
fn open_to_all(meta: &Metadata, path: &Path) -> Option<String> {
    let open = meta.permissions().mode() & 0o002 != 0;
    let path = String::from_utf8_lossy(path.as_os_str().as_bytes());
    let what = if meta.is_dir() { format!("its folder `{path}`") } else { "it".to_owned() };
    open.then(|| format!("everybody may write to {what}; `chmod o-w {path}` ends that"))
}

#[cfg(test)]
#[path = "folders_tests.rs"]
mod tests;
