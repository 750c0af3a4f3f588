//! A file for an editor that nobody else sees: in memory where that is possible, and gone with the value. I/O: files,
//! environment.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use rustix::process::Pid;

use crate::refusal::Refusal;

/// A file in a folder of its own, in which an editor may leave its copies: that is removed too.
pub struct Scratch {
    folder: PathBuf,
    file: PathBuf,
    in_memory: bool,
}

impl Scratch {
    /// A file of this name with this text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(name: &str, text: &str) -> Result<Self, Refusal> {
        let (place, in_memory) = place();
        let failed =
            |error| Refusal::new(format!("cannot make a private file in `{}`: {error}", place.display()));
        let folder = make(&place).map_err(failed)?;
        let scratch = Self { file: folder.join(name), folder, in_memory };
        let mut options = File::options();
        let file = options.write(true).create_new(true).mode(0o600).open(&scratch.file);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(scratch)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Whether nothing of it is ever written to a disk, but for swapping.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// What is in it now.
    ///
    /// # Errors
    /// When it is gone, or no text.
    pub fn read(&self) -> Result<String, Refusal> {
        fs::read_to_string(&self.file)
            .map_err(|error| Refusal::new(format!("what was edited cannot be read: {error}")))
    }

    /// The user's editor, and the command that opens the file in it.
    pub fn editor(&self) -> (String, Command) {
        let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| env::var(name).ok());
        let editor =
            named.into_iter().find(|editor| !editor.trim().is_empty()).unwrap_or_else(|| "vi".into());
        let mut command = Command::new("sh");
        // It may have arguments, as in `code --wait`.
        command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&self.file);
        (editor, command)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder for the file, and whether it is in memory: the user's own, or one for all.
fn place() -> (PathBuf, bool) {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let folders = own.into_iter().chain([PathBuf::from("/dev/shm")]);
    let found = folders.into_iter().find(|folder| folder.is_dir());
    found.map_or_else(|| (env::temp_dir(), false), |folder| (folder, true))
}

/// A new folder that only the user may look into. Whoever asks for it removes it.
///
/// # Errors
/// When none can be made.
pub fn private_folder() -> io::Result<PathBuf> {
    make(&place().0)
}

/// What a folder's name begins with; the process that made it follows.
const NAMED: &str = "cloudpad-";

/// The user's folders whose process is no more.
fn left_behind(place: &Path) -> Vec<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let is_dead = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(NAMED)?.split('-').next()?.parse::<i32>().ok());
        let is_gone = process.and_then(Pid::from_raw).is_some_and(|process| {
            rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
        });
        is_gone && entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == user)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries.filter(is_dead).map(|entry| entry.path()).collect()
}

/// A new folder that only the user may look into. Those of the user's programs that were killed go, with what is in them.
fn make(place: &Path) -> io::Result<PathBuf> {
    left_behind(place).iter().for_each(|folder| drop(fs::remove_dir_all(folder)));
    let mut last = None;
    for number in 0..100_u32 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let folder = place.join(format!("{NAMED}{}-{now}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_has_left_goes_and_what_is_in_use_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = place.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("secrets"), "TOKEN=s3cr3t").unwrap();
            folder
        };
        // No process has so high a number.
        let killed = folder(&format!("{NAMED}{}-1-0", i32::MAX));
        let others =
            [format!("{NAMED}1-1-0"), format!("{NAMED}x-1-0"), "else".to_owned()].map(|name| folder(&name));
        let made = make(place.path()).unwrap();
        assert!(!killed.exists() && made.is_dir() && others.iter().all(|folder| folder.is_dir()));
        let again = make(place.path()).unwrap();
        assert!(made.is_dir() && again.is_dir());
    }
}
