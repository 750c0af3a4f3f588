//! Who lets members and clients into a cluster: an authority of its own, on the operator's machine. I/O: files, `openssl`.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure};

use crate::project;
use crate::refusal::Refusal;

/// Days for which certificates are good, since nobody renews them: ten years.
const DAYS: &str = "3650";

/// What certificates are for, as `openssl` reads it; the names of a member come behind it.
const PROFILES: &str = "[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[member]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = ";

/// An authority, in a folder that is for nobody else to read.
pub struct Authority {
    folder: PathBuf,
    cx: Context,
}

impl Authority {
    /// That in a folder, be it there already or not.
    pub fn of(folder: PathBuf, cx: Context) -> Self {
        Self { folder, cx }
    }

    /// Where one of its files is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its certificate in PEM; none where there is none yet.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn certificate(&self) -> Result<Option<String>, Refusal> {
        let file = self.file("ca.crt");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Refusal::new(format!("cannot read `{}`: {error}", file.display()))),
        }
    }

    /// Makes what is not there: its key and certificate, and those of a client.
    ///
    /// # Errors
    /// There is no `openssl`, a file cannot be written, or a key is not here whose certificate is.
    pub fn make(&self) -> Result<(), Refusal> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| Refusal::new(format!("cannot make `{}`: {error}", self.folder.display())))?;
        self.describe("DNS:localhost").map_err(refused)?;
        self.openssl("version", "").map_err(refused)?;
        for (name, of) in [("ca", "authority"), ("client", "client")] {
            let (key, certificate) = (self.file(&format!("{name}.key")), self.file(&format!("{name}.crt")));
            if !key.exists() && certificate.exists() {
                let (key, certificate) = (key.display(), certificate.display());
                return Err(Refusal::new(format!("there is `{certificate}`, and not its key, `{key}`"))
                    .hint("get it from whoever has set the cluster up: members are let in by it"));
            }
            if !key.exists() {
                let made = self.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "");
                project::write_private(&key, &made.map_err(refused)?)?;
            }
            if !certificate.exists() {
                let made = match of {
                    "authority" => self.own(),
                    _ => self.request(name).and_then(|request| self.certify(&request, of)),
                };
                project::write_private(&certificate, &made.map_err(refused)?)?;
            }
        }
        Ok(())
    }

    /// The certificate in PEM for a member's request, and for the names by which it is called.
    ///
    /// # Errors
    /// What `openssl` says.
    pub fn sign(&self, request: &str, names: &str) -> Result<String, Failure> {
        self.describe(names)?;
        self.certify(request, "member")
    }

    fn describe(&self, names: &str) -> Result<(), Failure> {
        let file = self.file("profiles.cnf");
        std::fs::write(&file, format!("{PROFILES}{names}\n"))
            .map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", file.display())))
    }

    fn own(&self) -> Result<String, Failure> {
        let words = "req -new -x509 -key ca.key -subj /CN=etcd-authority -config profiles.cnf -extensions authority -days";
        self.openssl(&format!("{words} {DAYS}"), "")
    }

    fn request(&self, name: &str) -> Result<String, Failure> {
        self.openssl(&format!("req -new -key {name}.key -subj /CN=cloudpad -config profiles.cnf"), "")
    }

    fn certify(&self, request: &str, profile: &str) -> Result<String, Failure> {
        let words = "x509 -req -in /dev/stdin -sha256 -CA ca.crt -CAkey ca.key -CAcreateserial -extfile profiles.cnf -days";
        self.openssl(&format!("{words} {DAYS} -extensions {profile}"), request)
    }

    /// What `openssl` prints to that: no key is among its words.
    fn openssl(&self, words: &str, input: &str) -> Result<String, Failure> {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(&self.folder);
        let tool =
            Tool::new(command).input(input).hint("install `openssl` on this machine: it signs certificates");
        let printed = tool.output(&self.cx)?;
        String::from_utf8(printed).map_err(|_| Failure::failed("`openssl` has not printed text"))
    }
}

fn refused(failure: Failure) -> Refusal {
    Refusal::Failures(vec![failure])
}
