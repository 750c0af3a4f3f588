//! Which of a project's own plugins the user trusts. I/O: the user's trust file.
//!
//! A project is somebody's text until the user says otherwise: the files in `.cloudpad/plugins` run only once
//! they were looked at. What is recorded is the sum of each file that Cloudpad starts, by the project's
//! directory and outside of it. What such a file loads by itself is its own affair.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folders;
use super::sum::Sum;
use crate::project::file::open;
use crate::project::{read_if_there, write_private};
use crate::refusal::Refusal;

const VERSION: u32 = 1;

/// The user's trust file.
#[derive(Clone, Debug)]
pub struct Store {
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    /// By directory, then by file name.
    projects: BTreeMap<String, BTreeMap<String, Sum>>,
}

/// A plugin of the project, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Surveyed {
    /// Its file's name.
    pub file: String,
    /// Its file's sum.
    #[serde(rename = "sha256")]
    pub sum: Sum,
    /// Whether the user trusts it.
    pub state: State,
}

/// Whether the user trusts a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is as it was when the user trusted it.
    Trusted,
    /// It was trusted, and is another now.
    Changed,
    /// It was never trusted.
    New,
}

impl Store {
    /// The trust file at `file`, which need not be there.
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// The files of the project in `dir` that the user trusts, by name.
    ///
    /// # Errors
    /// When the trust file cannot be read or understood.
    pub fn trusted(&self, dir: &Path) -> Result<BTreeMap<String, Sum>, Refusal> {
        Ok(self.read()?.projects.remove(&key(dir)?).unwrap_or_default())
    }

    /// The plugins of the project in `dir`, by file name.
    ///
    /// # Errors
    /// When one of them cannot be read or could not be run anyway, or the trust file cannot be read.
    pub fn survey(&self, dir: &Path) -> Result<Vec<Surveyed>, Refusal> {
        let trusted = self.trusted(dir)?;
        let mut surveyed = Vec::new();
        for candidate in folders::read_project(dir).candidates() {
            let path = candidate.path.display();
            if let Some(fault) = &candidate.fault {
                return Err(Refusal::new(format!("the plugin `{path}` could not be run: {fault}")));
            }
            let sum = open(&candidate.path).and_then(|mut file| Sum::of(&mut file));
            let sum = sum.map_err(|error| Refusal::new(format!("cannot read `{path}`: {error}")))?;
            let file = candidate.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let state = match trusted.get(&file) {
                Some(known) if *known == sum => State::Trusted,
                Some(_) => State::Changed,
                None => State::New,
            };
            surveyed.push(Surveyed { file, sum, state });
        }
        surveyed.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(surveyed)
    }

    /// Records that the user trusts these files of the project in `dir`, as they were surveyed, and no
    /// others of it.
    ///
    /// # Errors
    /// When the trust file cannot be understood or written.
    pub fn trust(&self, dir: &Path, files: &[Surveyed]) -> Result<(), Refusal> {
        let files = files.iter().map(|file| (file.file.clone(), file.sum)).collect();
        self.change(dir, Some(files))
    }

    /// Trusts nothing of the project in `dir` any more.
    ///
    /// # Errors
    /// When the trust file cannot be understood or written.
    pub fn forget(&self, dir: &Path) -> Result<(), Refusal> {
        self.change(dir, None)
    }

    fn change(&self, dir: &Path, files: Option<BTreeMap<String, Sum>>) -> Result<(), Refusal> {
        let key = key(dir)?;
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let failed = |error| Refusal::new(format!("cannot write `{}`: {error}", self.file.display()));
        // Held until the end, so that two who trust at the same time do not undo each other's work.
        let held = made.and_then(|()| File::open(folder)).map_err(failed)?;
        held.lock().map_err(failed)?;
        let mut content = self.read()?;
        match files {
            Some(files) => content.projects.insert(key, files),
            None => content.projects.remove(&key),
        };
        let text = serde_json::to_string_pretty(&content).map_err(|error| failed(error.into()))?;
        write_private(&self.file, &(text + "\n"))
    }

    fn read(&self) -> Result<Content, Refusal> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Some(text) = read_if_there(&self.file)? else {
            return Ok(Content { version: VERSION, projects: BTreeMap::new() });
        };
        let file = self.file.display();
        let hint = "nothing was changed in it; mend it, or move it away and type `cloudpad trust` again";
        match serde_json::from_str::<Version>(&text) {
            Ok(Version { version }) if version != VERSION => Err(Refusal::new(format!(
                "`{file}` has version {version}, and this Cloudpad understands version {VERSION}"
            ))
            .hint("use the Cloudpad that has written it")),
            _ => serde_json::from_str(&text).map_err(|error| {
                Refusal::new(format!("`{file}` is not a list of trusted plugins: {error}")).hint(hint)
            }),
        }
    }
}

/// What stands for a project: its directory, by whatever way one comes to it.
fn key(dir: &Path) -> Result<String, Refusal> {
    let real = fs::canonicalize(dir)
        .map_err(|error| Refusal::new(format!("cannot look at `{}`: {error}", dir.display())))?;
    match real.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => {
            Err(Refusal::new(format!("the path `{}` is not UTF-8", real.display()))
                .hint("rename the directory"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    struct Room(tempfile::TempDir);

    impl Room {
        fn new() -> Self {
            let room = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(room.dir().join(".cloudpad/plugins")).unwrap();
            room
        }

        fn dir(&self) -> PathBuf {
            self.0.path().join("project")
        }

        fn store(&self) -> Store {
            Store::new(self.0.path().join("config/cloudpad/trust.json"))
        }

        fn plugin(&self, file: &str, text: &str) {
            let path = self.dir().join(".cloudpad/plugins").join(file);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn states(&self) -> Vec<(String, State)> {
            let surveyed = self.store().survey(&self.dir()).unwrap();
            surveyed.into_iter().map(|file| (file.file, file.state)).collect()
        }
    }

    fn message(refusal: Refusal) -> String {
        match refusal {
            Refusal::Message { message, hint } => format!("{message}; {}", hint.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_surveyed_is_trusted_until_it_changes() {
        let (room, a, b) = (Room::new(), "cloudpad-a".to_owned(), "libcloudpad_b.so".to_owned());
        room.plugin(&a, "one");
        room.plugin(&b, "two");
        room.plugin("README", "no plugin");
        assert_eq!(room.states(), [(a.clone(), State::New), (b.clone(), State::New)]);
        let surveyed = room.store().survey(&room.dir()).unwrap();
        room.plugin(&a, "changed while the user was reading");
        room.store().trust(&room.dir(), &surveyed).unwrap();
        assert_eq!(room.states(), [(a.clone(), State::Changed), (b.clone(), State::Trusted)]);
        let trusted = room.store().trusted(&room.dir()).unwrap();
        assert_eq!(trusted.into_iter().collect::<Vec<_>>(), [(a, surveyed[0].sum), (b, surveyed[1].sum)]);
        let mode = fs::metadata(&room.store().file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        room.store().forget(&room.dir()).unwrap();
        assert!(room.states().iter().all(|(_, state)| *state == State::New));
    }

    #[test]
    fn a_project_is_its_directory_however_it_is_reached() {
        let room = Room::new();
        room.plugin("cloudpad-a", "one");
        let link = room.0.path().join("link");
        std::os::unix::fs::symlink(room.dir(), &link).unwrap();
        let store = room.store();
        store.trust(&link, &store.survey(&link).unwrap()).unwrap();
        assert_eq!(room.states(), [("cloudpad-a".to_owned(), State::Trusted)]);
        let other = room.0.path().join("other");
        fs::rename(room.dir(), &other).unwrap();
        assert_eq!(store.survey(&other).unwrap()[0].state, State::New);
    }

    #[test]
    fn a_file_that_is_not_understood_is_not_lost() {
        let room = Room::new();
        let file = room.store().file;
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let cases = [
            ("{", "is not a list of trusted plugins: EOF"),
            (r#"{"version":1,"projects":{},"notes":3}"#, "unknown field `notes`"),
            (r#"{"version":1,"projects":{"/p":{"cloudpad-a":"12"}}}"#, "`12` is no sha256 sum"),
            (r#"{"version":2,"trees":{}}"#, "has version 2, and this Cloudpad understands version 1"),
        ];
        for (text, expected) in cases {
            fs::write(&file, text).unwrap();
            let errors = [
                room.store().trusted(&room.dir()).unwrap_err(),
                room.store().trust(&room.dir(), &[]).unwrap_err(),
            ];
            for error in errors.map(message) {
                assert!(error.contains(expected), "{expected}: {error}");
            }
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }

    #[test]
    fn what_could_not_be_run_cannot_be_trusted() {
        let room = Room::new();
        fs::write(room.dir().join(".cloudpad/plugins/cloudpad-a"), "").unwrap();
        let error = message(room.store().survey(&room.dir()).unwrap_err());
        assert!(error.contains("could not be run: it is not executable"), "{error}");
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let room = Room::new();
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (dir, store) = (room.0.path().join(format!("p{number}")), room.store());
                fs::create_dir(&dir).unwrap();
                scope.spawn(move || store.trust(&dir, &[]).unwrap());
            }
        });
        assert_eq!(room.store().read().unwrap().projects.len(), 16);
    }
}
