//! The encrypted file: read, and written without ever being half there. I/O: files, the program `age`.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::Command;

use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure, Secret};
use sha2::{Digest as _, Sha256};

use super::keys::{Identity, name_recipients};
use super::{Config, document};

pub(super) struct Store<'a> {
    cx: &'a Context,
    config: Config,
    path: PathBuf,
}

/// What the file holds.
pub(super) struct Kept {
    pub(super) text: Secret,
    /// What tells the file from what it may be later.
    pub(super) mark: String,
}

impl<'a> Store<'a> {
    pub(super) fn of(cx: &'a Context) -> Result<Self, Failure> {
        let config: Config = cx.config()?;
        Ok(Self { cx, path: cx.path(&config.file), config })
    }

    /// What is kept; none where there is no file yet.
    pub(super) fn read(&self) -> Result<Option<Kept>, Failure> {
        let Some(mark) = self.mark()? else { return Ok(None) };
        let text = self.decrypt(&self.path)?;
        Ok(Some(Kept { text, mark }))
    }

    /// Writes the text, where what is kept is still what has this mark. It is written beside the old one and takes its
    /// place once it can be read again.
    pub(super) fn write(&self, text: &Secret, mark: &str) -> Result<(), Failure> {
        let name = self.config.file.display();
        let sealed = self.encrypt(text)?;
        let beside = self.path.with_extension(format!("age.{}", std::process::id()));
        let result = self.put(&sealed, &beside).and_then(|()| {
            let back = self.decrypt(&beside).map_err(|failure| {
                let message = format!("`{name}` was not changed: you could not read it again");
                Failure::failed(message)
                    .cause(failure.message)
                    .hint("add your own public key to `recipients`")
            })?;
            if back != *text {
                return Err(Failure::failed(format!(
                    "`{name}` was not changed: `age` gave back another text"
                )));
            }
            if self.mark()?.unwrap_or_default() != mark {
                let message = format!("`{name}` was not changed: somebody else has changed it meanwhile");
                return Err(Failure::stale(message).hint("begin again, with what is there now"));
            }
            let failed = |error| Failure::failed(format!("`{name}` cannot be written: {error}"));
            fs::rename(&beside, &self.path).map_err(failed)
        });
        if result.is_err() {
            let _ = fs::remove_file(&beside);
        }
        result
    }

    fn put(&self, sealed: &[u8], beside: &PathBuf) -> Result<(), Failure> {
        let put = || {
            let mut file = File::create(beside)?;
            file.write_all(sealed)?;
            file.sync_all()
        };
        put().map_err(|error| Failure::failed(format!("`{}` cannot be written: {error}", beside.display())))
    }

    /// The digest of the file; none where there is none.
    fn mark(&self) -> Result<Option<String>, Failure> {
        match fs::read(&self.path) {
            Ok(bytes) => {
                let digest = Sha256::digest(&bytes);
                Ok(Some(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let name = self.config.file.display();
                Err(Failure::failed(format!("`{name}` cannot be read: {error}")))
            }
        }
    }

    fn decrypt(&self, path: &PathBuf) -> Result<Secret, Failure> {
        let name = self.config.file.display();
        let opened = |failure: Failure| Failure {
            message: format!("`{name}` cannot be decrypted: {}", failure.message),
            ..failure
        };
        let identity = Identity::of_user().map_err(opened)?;
        let mut command = Command::new("age");
        command.arg("--decrypt");
        let input = identity.name(&mut command);
        command.arg("--").arg(path);
        let text = tool(command).input(input).output(self.cx).map_err(|failure| {
            let failure = opened(failure);
            if failure.hint.is_some() { failure } else { failure.hint(identity.tried()) }
        })?;
        let text = String::from_utf8(text).map_err(|_| self.broken("it is no UTF-8 text"))?;
        Ok(Secret::from(text))
    }

    fn encrypt(&self, text: &Secret) -> Result<Vec<u8>, Failure> {
        document::read(text.expose()).map_err(|why| self.broken(&why))?;
        let mut command = Command::new("age");
        // Text, so that a version control system shows it as such.
        command.args(["--encrypt", "--armor"]);
        name_recipients(self.cx, &self.config.recipients, &mut command)?;
        tool(command).input(text.expose()).output(self.cx)
    }

    /// The failure of a file in which something is wrong.
    pub(super) fn broken(&self, why: &str) -> Failure {
        let name = self.config.file.display();
        Failure::failed(format!("what is in `{name}` is not understood: {why}"))
            .hint("`cloudpad secrets edit` opens it in an editor")
    }
}

fn tool(command: Command) -> Tool {
    Tool::new(command).hint(
        "the secrets provider `age` needs the program `age`, <https://age-encryption.org>; package `age`",
    )
}
