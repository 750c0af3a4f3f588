//! Looks at this machine. I/O: files, environment, the SSH agent's socket.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::Needs;

/// What was seen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Those of the programs that are needed that are not there.
    pub missing: BTreeSet<String>,
    /// Those of the files that cannot be read, and why.
    pub unreadable: BTreeMap<String, String>,
    /// Whether an SSH agent listens.
    pub agent: bool,
    /// The user's own keys, by the names of their files.
    pub keys: Vec<String>,
    /// What is free for the project, in bytes.
    pub free: Option<u64>,
    /// Docker's own config, where there is one.
    pub docker: Option<String>,
}

/// Looks for what is needed by the project in `dir`.
pub fn look(dir: &Path, needs: &Needs) -> Seen {
    let missing = needs.programs.keys().filter(|program| !is_there(dir, program)).cloned().collect();
    let docker = docker_folder().and_then(|folder| fs::read_to_string(folder.join("config.json")).ok());
    let unreadable = needs.files.keys().filter_map(|name| {
        let error = fs::File::open(dir.join(name)).err()?;
        Some((name.clone(), error.to_string()))
    });
    let unreadable = unreadable.collect();
    Seen { missing, unreadable, agent: agent(), keys: keys(), free: free(dir), docker }
}

/// Whether a program can be started: by its path, or one in `PATH`.
pub fn is_there(dir: &Path, program: &str) -> bool {
    let is_program = |file: &Path| {
        fs::metadata(file).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return is_program(&dir.join(program));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| is_program(&dir.join(folder).join(program)))
}

fn agent() -> bool {
    env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| UnixStream::connect(socket).is_ok())
}

/// Those that `ssh` tries by itself.
fn keys() -> Vec<String> {
    let Some(folder) = home().map(|home| home.join(".ssh")) else { return Vec::new() };
    let names = ["id_rsa", "id_ecdsa", "id_ed25519"].map(str::to_owned);
    names.into_iter().filter(|name| folder.join(name).is_file()).collect()
}

fn docker_folder() -> Option<PathBuf> {
    let chosen = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    chosen.or_else(|| Some(home()?.join(".docker")))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn free(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine.txt"), "").unwrap();
        let files = ["mine.txt", "team.txt"].map(|name| (name.to_owned(), String::new())).into();
        let seen = look(dir.path(), &Needs { files, ..Needs::default() });
        assert_eq!(seen.unreadable.into_keys().collect::<Vec<_>>(), ["team.txt"]);
    }

    #[test]
    fn a_program_is_found_by_its_path_and_in_those_of_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tool");
        fs::write(&file, "").unwrap();
        assert!(!is_there(dir.path(), "./tool"), "it is no program");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_there(dir.path(), "./tool") && is_there(dir.path(), file.to_str().unwrap()));
        assert!(is_there(dir.path(), "sh") && !is_there(dir.path(), "tool") && !is_there(dir.path(), "./sh"));
    }
}
