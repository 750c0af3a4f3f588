//! Proves to a server who we are: with the SSH agent's keys, then with key files. I/O.

use std::path::{Path, PathBuf};

use cloudpad_plugin_api::Failure;
use ssh2::{Agent, ErrorCode, PublicKey};

use crate::dial::unreachable;
use crate::identity::{private_key, public_key};
use crate::known_hosts::key_type;
use crate::target::Target;
use crate::wire::Wire;

/// A key file of the configuration that is there.
struct KeyFile {
    path: PathBuf,
    /// None where only the public half is there.
    private: bool,
    encrypted: bool,
    public: Option<Vec<u8>>,
}

/// Logs in as the target's user.
///
/// The order is OpenSSH's: keys of the configuration that the agent holds, the agent's other keys unless
/// `IdentitiesOnly` is set, then key files.
pub(crate) async fn authenticate(wire: &Wire, target: &Target) -> Result<(), Failure> {
    let files: Vec<KeyFile> = target.identity_files.iter().filter_map(|path| KeyFile::read(path)).collect();
    let mut tried = Vec::new();
    let mut held = Vec::new();
    match open_agent(wire, target) {
        Ok(Some((agent, keys))) => {
            let keys = in_order(keys, &files, target.identities_only);
            for key in &keys {
                tried.push(format!("tried `{}` from the agent", name(key)));
                if accepted(
                    wire,
                    target,
                    &mut tried,
                    wire.drive(|_| agent.userauth(&target.user, key)).await,
                )? {
                    return Ok(());
                }
            }
            held = keys.into_iter().map(|key| key.blob().to_vec()).collect();
        }
        Ok(None) => tried.push("there is no agent".to_owned()),
        Err(error) => tried.push(format!("the agent does not answer: {}", error.message())),
    }
    for file in files.iter().filter(|file| file.private) {
        let path = file.path.display();
        if file.public.as_ref().is_some_and(|public| held.contains(public)) {
            continue;
        }
        if file.encrypted {
            tried.push(format!("`{path}` is encrypted, and the agent does not hold it"));
            continue;
        }
        tried.push(format!("tried `{path}`"));
        let login =
            wire.drive(|session| session.userauth_pubkey_file(&target.user, None, &file.path, None)).await;
        if accepted(wire, target, &mut tried, login)? {
            return Ok(());
        }
    }
    Err(denied(wire, target, &files, tried).await)
}

impl KeyFile {
    /// None when there is no such file, which is normal: most of the names are OpenSSH's defaults.
    fn read(path: &Path) -> Option<Self> {
        let beside = || {
            let mut name = path.as_os_str().to_owned();
            name.push(".pub");
            public_key(&std::fs::read_to_string(name).ok()?)
        };
        let Ok(bytes) = std::fs::read(path) else {
            let public = Some(beside()?);
            return Some(Self { path: path.to_owned(), private: false, encrypted: false, public });
        };
        let text = String::from_utf8_lossy(&bytes);
        let (key, half) = (private_key(&text), public_key(&text));
        Some(Self {
            path: path.to_owned(),
            // What is neither is tried, too, for libssh2 to say what is wrong with it.
            private: half.is_none(),
            encrypted: key.as_ref().is_some_and(|key| key.encrypted),
            public: half.or_else(|| key.and_then(|key| key.public)).or_else(beside),
        })
    }
}

type Held = (Agent, Vec<PublicKey>);

/// The agent and its keys. The socket to the agent blocks; whoever waits for us has a time limit.
fn open_agent(wire: &Wire, target: &Target) -> Result<Option<Held>, ssh2::Error> {
    let Some(socket) = &target.agent else { return Ok(None) };
    let mut agent = wire.session.agent()?;
    agent.set_identity_path(socket)?;
    agent.connect()?;
    agent.list_identities()?;
    let keys = agent.identities()?;
    Ok(Some((agent, keys)))
}

fn in_order(keys: Vec<PublicKey>, files: &[KeyFile], only_those: bool) -> Vec<PublicKey> {
    let place = |key: &PublicKey| files.iter().position(|file| file.public.as_deref() == Some(key.blob()));
    let mut ordered: Vec<_> = keys.into_iter().map(|key| (place(&key).unwrap_or(usize::MAX), key)).collect();
    ordered.retain(|(place, _)| !only_those || *place != usize::MAX);
    ordered.sort_by_key(|(place, _)| *place);
    ordered.into_iter().map(|(_, key)| key).collect()
}

/// Whether the server took the key; an error when it is of no use to try another one.
fn accepted(
    wire: &Wire,
    target: &Target,
    tried: &mut [String],
    login: Result<(), ssh2::Error>,
) -> Result<bool, Failure> {
    use libssh2_sys as raw;
    let Err(error) = login else { return Ok(wire.session.authenticated()) };
    match error.code() {
        ErrorCode::Session(
            raw::LIBSSH2_ERROR_SOCKET_RECV
            | raw::LIBSSH2_ERROR_SOCKET_SEND
            | raw::LIBSSH2_ERROR_SOCKET_DISCONNECT
            | raw::LIBSSH2_ERROR_TIMEOUT,
        ) => Err(broken_off(target, tried, &error)),
        ErrorCode::Session(
            raw::LIBSSH2_ERROR_AUTHENTICATION_FAILED | raw::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
        ) => Ok(false),
        _ => {
            if let Some(last) = tried.last_mut() {
                *last += &format!(", which cannot be used: {}", error.message());
            }
            Ok(false)
        }
    }
}

/// A key of an agent, for people.
fn name(key: &PublicKey) -> &str {
    match key.comment() {
        "" => key_type(key.blob()).unwrap_or("a key"),
        comment => comment,
    }
}

fn broken_off(target: &Target, tried: &[String], error: &ssh2::Error) -> Failure {
    let message = format!(
        "`{}` ended the connection while `{}` was logging in: {}",
        target.name,
        target.user,
        error.message()
    );
    let failure = tried.iter().fold(unreachable(message), Failure::cause);
    if tried.len() < 4 {
        return failure;
    }
    failure.hint("servers allow few tries; set `IdentitiesOnly yes` and `IdentityFile` for this host")
}

async fn denied(wire: &Wire, target: &Target, files: &[KeyFile], tried: Vec<String>) -> Failure {
    let Target { name, user, .. } = target;
    let methods = match wire.drive(|session| session.auth_methods(user).map(str::to_owned)).await {
        Ok(methods) => methods,
        // A server that has had enough says no more.
        Err(error) => return broken_off(target, &tried, &error),
    };
    let failure = unreachable(format!("`{name}` did not let `{user}` in"));
    let failure = tried.into_iter().fold(failure, Failure::cause);
    let failure = match methods.split(',').any(|method| method == "publickey") {
        true => failure,
        false => failure.cause(format!("it accepts only: {methods}; only keys are supported, not passwords")),
    };
    match files.iter().find(|file| file.encrypted) {
        Some(file) => failure.hint(format!("add the key to the agent: `ssh-add {}`", file.path.display())),
        None if files.is_empty() => {
            failure.hint("make a key with `ssh-keygen -t ed25519`, and have the host accept it")
        }
        None => {
            failure.hint(format!("add one of the public keys to `~{user}/.ssh/authorized_keys` on the host"))
        }
    }
}
