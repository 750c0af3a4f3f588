//! Looks at the key that a server shows, and adds it to what is known. I/O: `known_hosts` files.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};

use crate::connect::Call;
use crate::host_key::{HostKeys, fingerprint, words};
use crate::known_hosts::{Verdict, key_type, with_key};
use crate::target::Target;
use crate::{Options, ssh};

/// A key that a server has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// The server's address and port.
    pub server: String,
    /// Such as `ssh-ed25519`.
    pub key_type: String,
    /// As `ssh-keygen -l` writes it.
    pub fingerprint: String,
    /// What is known of it.
    pub state: KeyState,
    /// The file and its line from which that is known; empty where nothing is.
    pub place: String,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is the host's.
    Known,
    /// Nothing, or only of keys of other types.
    Unknown,
    /// The host has another key of its type.
    Changed,
    /// It must not be trusted.
    Revoked,
}

/// The key that `host` shows. Nobody logs in. To be called in a tokio runtime with timers and I/O.
///
/// # Errors
/// As [`connect`](crate::connect); `unsupported` for this machine, which has none.
pub async fn shown_key(host: &Host, options: &Options, cancel: &Cancel) -> Result<ShownKey, Failure> {
    let (target, keys, key) = show(host, options, cancel).await?;
    Ok(shown(&target, &keys, &key))
}

fn shown(target: &Target, keys: &HostKeys, key: &[u8]) -> ShownKey {
    let (state, place) = match keys.verdict(target, key) {
        Verdict::Known => (KeyState::Known, String::new()),
        Verdict::Unknown => (KeyState::Unknown, String::new()),
        Verdict::OtherTypes(place) | Verdict::CertificateOnly(place) => (KeyState::Unknown, words(&place)),
        Verdict::Changed(place) => (KeyState::Changed, words(&place)),
        Verdict::Revoked(place) => (KeyState::Revoked, words(&place)),
    };
    ShownKey {
        server: format!("{}:{}", target.hostname, target.port),
        key_type: key_type(key).unwrap_or("unknown").to_owned(),
        fingerprint: fingerprint(key),
        state,
        place,
    }
}

/// Adds the key with this fingerprint to the first `known_hosts` file that [`connect`](crate::connect) reads.
/// `replace`: in place of another that is known for the host.
///
/// # Errors
/// As [`shown_key`]; `stale` when the host shows another key; `invalid` when another is known and not to be replaced,
/// or this one is revoked; `failed` when the file cannot be written.
pub async fn trust_key(
    host: &Host,
    options: &Options,
    (meant, replace): (&str, bool),
    cancel: &Cancel,
) -> Result<(), Failure> {
    let (target, keys, key) = show(host, options, cancel).await?;
    let shown = shown(&target, &keys, &key);
    if shown.fingerprint != meant {
        let message = format!("`{}` shows another key now: `{}`", target.name, shown.fingerprint);
        return Err(Failure::stale(message).on(&host.name));
    }
    match shown.state {
        KeyState::Known => return Ok(()),
        KeyState::Revoked => {
            let message = format!("the key of `{}` is revoked by `{}`", target.name, shown.place);
            return Err(Failure::invalid(message).on(&host.name));
        }
        KeyState::Changed if !replace => {
            let message = format!("another key is known for `{}`, from `{}`", target.name, shown.place);
            return Err(Failure::invalid(message).on(&host.name));
        }
        KeyState::Unknown | KeyState::Changed => {}
    }
    let Some(file) = target.known_hosts.first() else {
        let message = format!("the SSH configuration of `{}` names no `UserKnownHostsFile`", target.name);
        return Err(Failure::failed(message).on(&host.name));
    };
    add(file, keys.name(), &key).map_err(|failure| failure.on(&host.name))
}

async fn show(
    host: &Host,
    options: &Options,
    cancel: &Cancel,
) -> Result<(Target, HostKeys, Vec<u8>), Failure> {
    if host.is_local() {
        return Err(Failure::unsupported("the key of this machine").on(&host.name));
    }
    let call = Call { address: ssh::address(host)?, options: options.clone(), jumps: None, depth: 0 };
    tokio::select! {
        shown = call.show_key() => shown.map_err(|failure| failure.on(&host.name)),
        () = crate::cancelled(cancel) => Err(Failure::cancelled().on(&host.name)),
    }
}

/// Writes the file beside itself and puts that in its place: whoever reads it sees the old or the new one.
fn add(file: &Path, name: &str, key: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("cannot write `{}`: {error}", file.display()));
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let text = with_key(&text, name, key).map_err(|line| {
        Failure::failed(format!(
            "`{}:{line}` speaks of other hosts too, and is left as it is",
            file.display()
        ))
        .hint("change that line yourself")
    })?;
    // Where it is a link, what it leads to is written.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let beside = file.with_extension(format!("cloudpad-{}", std::process::id()));
    let write = || {
        let mut new = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        if let Ok(old) = fs::metadata(&file) {
            new.set_permissions(old.permissions())?;
        }
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, &file)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
