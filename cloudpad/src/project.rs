//! The project on disk: finds and reads `Cloudpad.toml`, owns `.cloudpad/`, tells the time. I/O: files, environment, clock.

pub mod file;
mod origin;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use serde::de::DeserializeOwned;

use crate::refusal::Refusal;
pub use origin::origin;

/// The config's file name.
pub const FILE: &str = "Cloudpad.toml";

/// A directory with a `Cloudpad.toml`.
#[derive(Clone, Debug)]
pub struct Project {
    /// The directory, absolute.
    pub dir: PathBuf,
    /// What the file says, as typed.
    pub text: String,
}

impl Project {
    /// Finds the project of the working directory: its own `Cloudpad.toml`, or that of the nearest parent.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn find() -> Result<Self, Refusal> {
        let here = working_directory()?;
        Self::above(&here)?.ok_or_else(|| {
            Refusal::new(format!("no `{FILE}` in `{}` or any directory above it", here.display()))
                .hint("`cloudpad init` writes one")
        })
    }

    /// As [`find`](Self::find), where there need not be one.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn look() -> Result<Option<Self>, Refusal> {
        Self::above(&working_directory()?)
    }

    fn above(here: &Path) -> Result<Option<Self>, Refusal> {
        let Some(dir) = here.ancestors().find(|dir| dir.join(FILE).is_file()) else { return Ok(None) };
        if dir.to_str().is_none() {
            // Requests name the project's files, and are JSON wherever they are written down.
            return Err(Refusal::new(format!("the path `{}` is not UTF-8", dir.display()))
                .hint("rename the directory"));
        }
        let file = dir.join(FILE);
        let text = file::read_text(&file)
            .map_err(|error| Refusal::new(format!("cannot read `{}`: {error}", file.display())))?;
        Ok(Some(Self { dir: dir.to_owned(), text }))
    }

    /// The file's name as a user would type it from the working directory.
    pub fn display_name(&self) -> String {
        let inside = env::current_dir().is_ok_and(|here| here == self.dir);
        if inside { FILE.to_owned() } else { self.dir.join(FILE).display().to_string() }
    }

    /// The directory for what Cloudpad keeps between runs. It is made when it is missing, and tells
    /// git to leave it alone, but for the project's own plugins.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn state_dir(&self) -> Result<PathBuf, Refusal> {
        let dir = self.state_path();
        make_ignored(&dir).map_err(|error| {
            Refusal::new(format!("cannot make the directory `{}`: {error}", dir.display()))
        })?;
        Ok(dir)
    }

    /// The same directory, be it there or not.
    pub fn state_path(&self) -> PathBuf {
        self.dir.join(".cloudpad")
    }
}

/// The working directory, absolute.
///
/// # Errors
/// When it has been removed, or may not be read.
pub fn working_directory() -> Result<PathBuf, Refusal> {
    env::current_dir().map_err(|error| Refusal::new(format!("cannot tell the working directory: {error}")))
}

/// Where the user's own files of Cloudpad are; none where there is no home.
pub fn data_folder() -> Option<PathBuf> {
    folder_of_user("XDG_DATA_HOME", ".local/share")
}

/// Where the user's own settings of Cloudpad are; none where there is no home.
pub fn config_folder() -> Option<PathBuf> {
    folder_of_user("XDG_CONFIG_HOME", ".config")
}

fn folder_of_user(name: &str, below: &str) -> Option<PathBuf> {
    // A relative path is to be ignored, says the XDG Base Directory Specification.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute(name).or_else(|| Some(absolute("HOME")?.join(below)));
    folder.map(|folder| folder.join("cloudpad"))
}

fn make_ignored(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let ignore = dir.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    // What a full disk has left of it would stay so.
    fs::write(&ignore, "/*\n!/plugins/\n").inspect_err(|_| drop(fs::remove_file(&ignore)))
}

/// Writes `text` to `file`, whole or not at all, for nobody else to read: a plan holds the values of
/// environment variables. A link stays a link; a device or a pipe, which is no file that could be
/// replaced, is written to.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(file: &Path, text: &str) -> Result<(), Refusal> {
    // Its own partial file: others may write the same, as whoever lists hosts does, and must not mix with it.
    write_whole(file, text, (0o600, false), &format!(".{}.partial", std::process::id()))
}

/// As [`write_private`], for everybody to read: a file that is committed. One that is there keeps its permissions, and its owner
/// where the user may give it to them.
///
/// # Errors
/// When it cannot be written.
pub fn write_shared(file: &Path, text: &str) -> Result<(), Refusal> {
    write_whole(file, text, (0o666, true), PARTIAL)
}

/// Finds out whether [`write_shared`] could write `file`, before there is something to write.
///
/// # Errors
/// When it could not.
pub fn check_shared(file: &Path) -> Result<(), Refusal> {
    let partial = beside(&fs::canonicalize(file).unwrap_or_else(|_| file.to_owned()), PARTIAL);
    let made = File::options().write(true).create(true).truncate(true).open(&partial);
    made.and_then(|_| fs::remove_file(&partial))
        .map_err(|error| Refusal::new(format!("cannot write `{}`: {error}", file.display())))
}

/// What ends the name of a file that is not whole yet.
const PARTIAL: &str = ".partial";

/// `keeps`: whether a file that is there keeps the permissions it has. `partial`: what ends the name of what is written
/// first, and then takes the place of `file`.
fn write_whole(file: &Path, text: &str, (mode, keeps): (u32, bool), partial: &str) -> Result<(), Refusal> {
    let write = match fs::canonicalize(file) {
        Ok(there) if !there.is_file() => fs::write(&there, text),
        Ok(there) => {
            let now = fs::metadata(&there).ok().filter(|_| keeps);
            replace(&there, text, (mode, now), partial)
        }
        Err(_) => replace(file, text, (mode, None), partial),
    };
    write.map_err(|error| Refusal::new(format!("cannot write `{}`: {error}", file.display())))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn replace(
    file: &Path,
    text: &str,
    (mode, kept): (u32, Option<fs::Metadata>),
    partial: &str,
) -> io::Result<()> {
    let partial = beside(file, partial);
    let mut new = File::options().write(true).create(true).truncate(true).mode(mode).open(&partial)?;
    if let Some(kept) = kept {
        // Only root may, and nobody else has to where the file is theirs.
        let _ = fchown(&new, Some(kept.uid()), Some(kept.gid()));
        new.set_permissions(kept.permissions())?;
    }
    new.write_all(text.as_bytes())?;
    fs::rename(&partial, file)
}

/// Removes a file.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(file: &Path) -> Result<(), Refusal> {
    fs::remove_file(file)
        .map_err(|error| Refusal::new(format!("cannot remove `{}`: {error}", file.display())))
}

/// Whether a file is somewhere below a directory, whatever links lead there.
pub fn is_inside(file: &Path, dir: &Path) -> bool {
    fs::canonicalize(file).is_ok_and(|file| fs::canonicalize(dir).is_ok_and(|dir| file.starts_with(dir)))
}

/// Makes a directory that is not there yet.
///
/// # Errors
/// When there is something of that name, or it cannot be made.
pub fn make_new(dir: &Path) -> Result<(), Refusal> {
    fs::create_dir(dir).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Refusal::new(format!("`{}` is there already, and is not overwritten", dir.display()))
                .hint("remove it, or take another name")
        }
        _ => Refusal::new(format!("cannot make the directory `{}`: {error}", dir.display())),
    })
}

/// Writes a file that is not there yet, and makes the directories that it lacks.
///
/// # Errors
/// When there is something of that name, or it cannot be written.
pub fn write_new(file: &Path, text: &str) -> Result<(), Refusal> {
    write_new_with(file, text, 0o666)
}

/// As [`write_new`], for a file that can be run.
///
/// # Errors
/// As [`write_new`].
pub fn write_new_program(file: &Path, text: &str) -> Result<(), Refusal> {
    write_new_with(file, text, 0o777)
}

/// `mode` is what is left of it after the user's own mask.
fn write_new_with(file: &Path, text: &str, mode: u32) -> Result<(), Refusal> {
    let above = file.parent().map_or(Ok(()), fs::create_dir_all);
    above
        .and_then(|()| File::options().write(true).create_new(true).mode(mode).open(file))
        .and_then(|mut new| new.write_all(text.as_bytes()))
        .map_err(|error| Refusal::new(format!("cannot write `{}`: {error}", file.display())))
}

/// Reads a file, where there is one.
///
/// # Errors
/// When there is something that cannot be read, or is no text.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Refusal> {
    match file::read_text(path) {
        Ok(text) => Ok(Some(text)),
        // A link that leads nowhere is there.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Ok(None),
        Err(error) => Err(Refusal::new(format!("cannot read `{}`: {error}", path.display()))),
    }
}

/// What is in a directory; nothing where that cannot be read.
pub fn files_in(dir: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

/// Reads a value from a JSON file that has to be `what`.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Refusal> {
    let text = file::read_text(path)
        .map_err(|error| Refusal::new(format!("cannot read `{}`: {error}", path.display())))?;
    serde_json::from_str(&text)
        .map_err(|error| Refusal::new(format!("`{}` is not {what}: {error}", path.display())))
}

/// An environment variable, where it is set and is UTF-8.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Who is at work, such as `alice@laptop`: for others, and no proof of anything.
pub fn operator() -> String {
    let user = variable("USER").or_else(|| variable("LOGNAME")).filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        user_of(&users, uid).unwrap_or_else(|| format!("uid {uid}"))
    });
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_plain = |c: &char| !c.is_control();
    format!("{user}@{machine}").chars().filter(is_plain).collect()
}

/// The name that a text in the form of passwd(5) has for a user.
fn user_of(users: &str, uid: u32) -> Option<String> {
    let names = users.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let own: u32 = fields.nth(1)?.parse().ok()?;
        (own == uid && !name.is_empty()).then(|| name.to_owned())
    });
    names.into_iter().next()
}

/// The time in nanoseconds since 1970.
pub fn nanoseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The UTC time to the second, such as `20260131T235959Z`, which sorts by time.
pub fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    utc(seconds)
}

/// `seconds` since 1970 as a UTC time in ISO 8601's basic form.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The Gregorian date of a day counted from 1970-01-01, by Howard Hinnant's `civil_from_days`: years
/// begin in March there, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{make_ignored, user_of, utc, write_private, write_shared};

    #[test]
    fn a_user_without_a_variable_has_the_name_that_the_machine_knows() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\n\n:x:7::\nodd\nanna:x:1000:1000:A,,,:/home/anna:/bin/sh\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("anna")), (7, None), (9, None)] {
            assert_eq!(user_of(users, uid).as_deref(), name);
        }
    }

    #[test]
    fn git_sees_the_projects_plugins_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join(".cloudpad");
        make_ignored(&own).unwrap();
        for file in ["plugins/cloudpad-aws", "plugins/lib/aws.py", "journal/run.jsonl", "plan.json"] {
            std::fs::create_dir_all(own.join(file).parent().unwrap()).unwrap();
            std::fs::write(own.join(file), "").unwrap();
        }
        let git = |args: &[&str]| {
            let output = std::process::Command::new("git").arg("-C").arg(dir.path()).args(args).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        git(&["init", "--quiet"]);
        let seen = git(&["status", "--porcelain", "--untracked-files=all"]);
        assert_eq!(seen, "?? .cloudpad/plugins/cloudpad-aws\n?? .cloudpad/plugins/lib/aws.py\n");
    }

    #[test]
    fn only_files_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        let mode = |file: &std::path::Path| {
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions()) & 0o777
        };
        std::fs::write(&file, "zero").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for text in ["one", "two"] {
            write_private(&link, text).unwrap();
            assert!(link.is_symlink(), "a link stays one");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(mode(&file), 0o600, "nobody else may read it");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left over");
        let others = dir.path().join("file.partial");
        std::fs::write(&others, "hal").unwrap();
        write_private(&file, "three").unwrap();
        assert_eq!(std::fs::read_to_string(&others).unwrap(), "hal", "another one's is not touched");
        std::fs::remove_file(others).unwrap();

        write_shared(&link, "three").unwrap();
        assert_eq!(mode(&file), 0o600, "it was not for others");
        std::fs::remove_file(&file).unwrap();
        write_shared(&file, "new").unwrap();
        assert_ne!(mode(&file) & 0o400, 0);

        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(write_private(&socket, "three").is_err());
        let kind = std::fs::metadata(&socket).unwrap().file_type();
        assert!(std::os::unix::fs::FileTypeExt::is_socket(&kind), "what is no file is not replaced");
    }

    #[test]
    fn times_are_gregorian_utc() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (4_102_444_800, "21000101T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(utc(seconds), expected);
        }
    }
}
