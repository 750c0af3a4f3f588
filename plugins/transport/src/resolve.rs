//! Asks the user's own `ssh` what its configuration says about a host. I/O: starts `ssh -G`.
//!
//! Only OpenSSH itself knows all of its configuration: `Match`, `Include`, tokens, the order in which
//! files count. The crate `ssh2-config` reads a part of it and would silently leave out the rest. Where
//! there is no `ssh`, OpenSSH's defaults hold, unless there is a configuration that we would have to
//! leave unread.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cloudpad_plugin_api::Failure;
use tokio::process::Command;

use crate::Options;
use crate::address::Address;
use crate::target::{Surroundings, Target};

/// `Match exec` in the configuration can run anything.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Finds out how to connect to `address`.
pub(crate) async fn resolve(address: &Address, options: &Options) -> Result<Target, Failure> {
    let around = surroundings()?;
    match ask_ssh(address, options).await {
        Ok(output) => Target::parse(address, &output, &around).map_err(|error| {
            Failure::invalid(format!("the SSH configuration of `{}`: {error}", address.host))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            refuse_unread_config(options, &around)?;
            Ok(Target::defaults(address, &around))
        }
        Err(error) => Err(Failure::invalid(format!(
            "could not read the SSH configuration of `{}` with `ssh -G`: {error}",
            address.host
        ))),
    }
}

async fn ask_ssh(address: &Address, options: &Options) -> std::io::Result<String> {
    let mut command = Command::new("ssh");
    command.arg("-G");
    if let Some(file) = &options.ssh_config {
        command.arg("-F").arg(file);
    }
    if let Some(port) = address.port {
        command.args(["-p", &port.to_string()]);
    }
    if let Some(user) = &address.user {
        command.args(["-l", user]);
    }
    command.args(["--", &address.host]).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIMEOUT, command.output())
        .await
        .map_err(|_| std::io::Error::other(format!("no answer in {} s", TIMEOUT.as_secs())))??;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(std::io::Error::other(if words.is_empty() { output.status.to_string() } else { words }));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn refuse_unread_config(options: &Options, around: &Surroundings) -> Result<(), Failure> {
    let default = around.home.join(".ssh/config");
    let file: &Path = options.ssh_config.as_deref().unwrap_or(&default);
    if !file.exists() {
        return Ok(());
    }
    let message =
        format!("`{}` cannot be read without the program `ssh`, which is not there", file.display());
    Err(Failure::invalid(message).hint("install the OpenSSH client"))
}

fn surroundings() -> Result<Surroundings, Failure> {
    let home = std::env::home_dir()
        .ok_or_else(|| Failure::invalid("this user has no home directory, where SSH keys would be"))?;
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = env("USER").or_else(|| env("LOGNAME")).unwrap_or_else(|| "root".to_owned());
    Ok(Surroundings { home, user, env })
}
