//! Whether a server is the one it should be. I/O: reads `known_hosts` files.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD};
use cloudpad_plugin_api::Failure;
use sha2::{Digest as _, Sha256};
use ssh2::{MethodType, Session};

use crate::dial::unreachable;
use crate::known_hosts::{KnownHosts, Names, Place, Verdict, key_type};
use crate::target::Target;

/// What is known of a server's keys.
pub(crate) struct HostKeys {
    known: KnownHosts,
    names: Names,
    /// Blobs from `RevokedHostKeys`.
    revoked: Vec<Vec<u8>>,
}

impl HostKeys {
    /// Reads all files that `target` names. Those that are not there say nothing; one that is there and
    /// cannot be read might have revoked the key.
    pub(crate) fn read(target: &Target) -> Result<Self, Failure> {
        let mut known = KnownHosts::default();
        for file in &target.known_hosts {
            match std::fs::read(file) {
                Ok(bytes) => known.add(file, &String::from_utf8_lossy(&bytes)),
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(unreadable(file, &error)),
            }
        }
        let names = Names::new(&target.hostname, target.port, target.host_key_alias.as_deref());
        let revoked = target.revoked_host_keys.as_deref().map(read_revoked).transpose()?.unwrap_or_default();
        Ok(Self { known, names, revoked })
    }

    /// Has the server show a key of a type that is known of it, where there is one. Otherwise it would
    /// show the key that libssh2 likes best, and seem to be another server.
    pub(crate) fn prefer_known_types(&self, session: &Session) -> Result<(), ssh2::Error> {
        let supported = session.supported_algs(MethodType::HostKey)?;
        let known: Vec<&str> =
            self.known.types(&self.names).into_iter().flat_map(algorithms).copied().collect();
        let (first, last): (Vec<&str>, Vec<&str>) = supported.iter().partition(|name| known.contains(name));
        session.method_pref(MethodType::HostKey, &[first, last].concat().join(","))
    }

    /// Fails unless the key that the server has shown is known to be its own. `is_host`: it is a host that is listed, and none to
    /// jump through, of which `cloudpad hosts trust` knows nothing.
    pub(crate) fn verify(&self, target: &Target, session: &Session, is_host: bool) -> Result<(), Failure> {
        let Some((key, _)) = session.host_key() else {
            return Err(unreachable(format!("`{}` has shown no host key", target.name)));
        };
        let shown = Shown { target, names: &self.names, key, is_host };
        match self.verdict(target, key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked(place) => Err(shown.revoked(&words(&place))),
            Verdict::Changed(place) => Err(shown.changed(&place.to_string())),
            Verdict::OtherTypes(place) => Err(shown.unknown().cause(format!(
                "a key of another type is known for it, from `{place}`, but it does not offer that one"
            ))),
            Verdict::CertificateOnly(place) => Err(shown.unknown().cause(format!(
                "`{place}` trusts a certificate authority for it, but host certificates are not supported"
            ))),
            Verdict::Unknown => Err(shown.unknown()),
        }
    }
}

impl HostKeys {
    /// What is known of a key that a server has shown.
    pub(crate) fn verdict(&self, target: &Target, key: &[u8]) -> Verdict {
        if self.revoked.iter().any(|revoked| revoked == key) {
            let file = target.revoked_host_keys.clone().unwrap_or_default();
            return Verdict::Revoked(Place { file, line: 0 });
        }
        self.known.verdict(&self.names, key)
    }

    /// The name under which a key is added to what is known.
    pub(crate) fn name(&self) -> &str {
        &self.names.full
    }
}

/// A file and its line, where that is known.
pub(crate) fn words(place: &Place) -> String {
    if place.line == 0 { place.file.display().to_string() } else { place.to_string() }
}

/// What tells a key from others.
pub(crate) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// A key that a server has shown.
struct Shown<'a> {
    target: &'a Target,
    names: &'a Names,
    key: &'a [u8],
    is_host: bool,
}

impl Shown<'_> {
    fn server(&self) -> String {
        let Target { name, hostname, port, .. } = self.target;
        if name == hostname { format!("`{name}:{port}`") } else { format!("`{name}` (`{hostname}:{port}`)") }
    }

    fn key_type(&self) -> &str {
        key_type(self.key).unwrap_or("unknown")
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.key)
    }

    fn unknown(&self) -> Failure {
        let message = format!(
            "the host key of {} is not known: it shows `{}` `{}`",
            self.server(),
            self.key_type(),
            self.fingerprint()
        );
        // The line itself, not `ssh-keyscan`: it accepts this very key, by its right name, also behind
        // a jump host.
        let line = format!("{} {} {}", self.names.full, self.key_type(), BASE64.encode(self.key));
        let trust = if self.is_host { "`cloudpad hosts trust`, or " } else { "" };
        unreachable(message).hint(format!(
            "compare the fingerprint with what `ssh-keygen -lf` says of the key on the host itself, then \
             accept it: {trust}`{}`",
            accept(self.target, &line)
        ))
    }

    fn changed(&self, place: &str) -> Failure {
        let message = format!(
            "the host key of {} has changed: it shows `{}` `{}`, which is not the one in `{place}`",
            self.server(),
            self.key_type(),
            self.fingerprint()
        );
        let trust = if self.is_host { "accept it: `cloudpad hosts trust --replace NAME`; or " } else { "" };
        unreachable(message).hint(format!(
            "somebody may be listening in; if the host was set up anew, compare the fingerprint with its own \
             and {trust}remove the old key: `ssh-keygen -R '{}'`",
            self.names.full
        ))
    }

    fn revoked(&self, place: &str) -> Failure {
        let message = format!(
            "the host key of {} is revoked by `{place}`: it shows `{}` `{}`",
            self.server(),
            self.key_type(),
            self.fingerprint()
        );
        unreachable(message).hint("this key must not be trusted any more; give the host a new one")
    }
}

/// The command that adds `line` to what is known of hosts.
fn accept(target: &Target, line: &str) -> String {
    let file = target.known_hosts.first().map_or(Path::new("known_hosts"), PathBuf::as_path);
    let echo = format!("echo '{line}' >> '{}'", file.display());
    match file.parent().filter(|directory| !directory.exists()) {
        Some(directory) => format!("mkdir -p '{}' && {echo}", directory.display()),
        None => echo,
    }
}

/// Reads a list of public keys. The other format, a binary revocation list, is not supported.
fn read_revoked(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    if bytes.starts_with(b"SSHKRL\n\0") {
        let message = format!("`RevokedHostKeys {}` is a key revocation list", file.display());
        return Err(unreachable(message).hint("only a list of public keys, one a line, is supported"));
    }
    Ok(String::from_utf8_lossy(&bytes).lines().filter_map(crate::identity::public_key).collect())
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    unreachable(format!("could not read `{}`, which may speak of the host's key: {error}", file.display()))
}

/// The signature algorithms that go with a type of key.
fn algorithms(key_type: &str) -> &'static [&'static str] {
    match key_type {
        "ssh-rsa" => &["rsa-sha2-512", "rsa-sha2-256"],
        "ssh-ed25519" => &["ssh-ed25519"],
        "ecdsa-sha2-nistp256" => &["ecdsa-sha2-nistp256"],
        "ecdsa-sha2-nistp384" => &["ecdsa-sha2-nistp384"],
        "ecdsa-sha2-nistp521" => &["ecdsa-sha2-nistp521"],
        _ => &[],
    }
}
