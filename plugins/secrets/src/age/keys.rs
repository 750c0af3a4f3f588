//! Which keys open an encrypted file, and for which it is encrypted. I/O: environment, and a look whether files are there.

use std::path::PathBuf;
use std::process::Command;

use cloudpad_plugin_api::{Context, Failure};

/// A key, or the path of a file with keys, that goes before all others: for machines that have no home, such as CI.
pub(super) const VARIABLE: &str = "CLOUDPAD_AGE_IDENTITY";

/// Keys that open the file.
pub(super) enum Identity {
    /// The text of one, for the standard input of `age`.
    Text(String),
    Files(Vec<PathBuf>),
}

impl Identity {
    /// That of the user.
    pub(super) fn of_user() -> Result<Self, Failure> {
        match std::env::var(VARIABLE) {
            Ok(text) if text.starts_with("AGE-") || text.contains('\n') => return Ok(Self::Text(text)),
            Ok(path) if !path.is_empty() => return Ok(Self::Files(vec![path.into()])),
            _ => {}
        }
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let config = std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        let files = [config.join("cloudpad/age.txt"), home.join(".ssh/id_ed25519"), home.join(".ssh/id_rsa")];
        let files: Vec<_> = files.into_iter().filter(|file| file.is_file()).collect();
        if files.is_empty() {
            return Err(Failure::failed("you have no key that could open it").hint(format!(
                "`age-keygen -o ~/.config/cloudpad/age.txt` makes one, which somebody who has one already adds to \
                 `recipients`; `{VARIABLE}` names another file, or is a key itself"
            )));
        }
        Ok(Self::Files(files))
    }

    /// Which keys were tried, and what to do where none of them fits.
    pub(super) fn tried(&self) -> String {
        let tried = match self {
            Self::Text(_) => format!("the key in `{VARIABLE}`"),
            Self::Files(files) => {
                let files: Vec<_> = files.iter().map(|file| format!("`{}`", file.display())).collect();
                files.join(", ")
            }
        };
        format!(
            "it was tried with {tried}; somebody who can open it adds your public key to `recipients` and encrypts it \
             anew by `cloudpad secrets edit`, or `{VARIABLE}` names another key"
        )
    }

    /// Names the keys to `age`, and says what it gets on standard input.
    pub(super) fn name(&self, command: &mut Command) -> Vec<u8> {
        match self {
            Self::Text(text) => {
                command.args(["--identity", "-"]);
                format!("{}\n", text.trim_end()).into_bytes()
            }
            Self::Files(files) => {
                for file in files {
                    command.arg("--identity").arg(file);
                }
                Vec::new()
            }
        }
    }
}

/// Names those for whom it is to be encrypted to `age`: keys as they are, and files with keys.
pub(super) fn name_recipients(
    cx: &Context,
    recipients: &[String],
    command: &mut Command,
) -> Result<(), Failure> {
    if recipients.is_empty() {
        return Err(Failure::invalid("nobody is named for whom the secrets are to be encrypted").hint(
            "`config = { recipients = [\"age1…\"] }` in `[stages.secrets]`: your public key, which \
             `age-keygen -y ~/.config/cloudpad/age.txt` prints, and those of all who deploy",
        ));
    }
    for recipient in recipients {
        if recipient.starts_with("age1") || recipient.starts_with("ssh-") {
            command.args(["--recipient", recipient]);
        } else {
            command.arg("--recipients-file").arg(cx.path(recipient));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_fitting_key_is_told_which_were_tried() {
        let files = Identity::Files(vec!["/home/a/age.txt".into(), "/home/a/.ssh/id_rsa".into()]);
        assert!(files.tried().starts_with("it was tried with `/home/a/age.txt`, `/home/a/.ssh/id_rsa`; "));
        let text = Identity::Text("AGE-SECRET-KEY-1X".to_owned()).tried();
        assert!(text.contains("the key in `CLOUDPAD_AGE_IDENTITY`") && !text.contains("KEY-1X"), "{text}");
    }
}
