//! The user's own `ssh`, on the same way as ours. Pure.

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;

use crate::address::Address;
use crate::{Options, words};

/// The program and its arguments that give a shell on `host`, or run `command` there: one word is a line for the shell
/// there, several are a program and its arguments. `terminal`: whether the user sits at one.
///
/// # Errors
/// `invalid` when the address makes no sense, or stands for this machine.
pub fn login(
    host: &Host,
    options: &Options,
    command: &[String],
    terminal: bool,
) -> Result<Vec<String>, Failure> {
    if host.is_local() {
        let message = format!("`{}` is this machine: there is nothing to log in to", host.name);
        return Err(Failure::invalid(message).on(&host.name));
    }
    let address = Address::parse(&host.address).map_err(|error| {
        Failure::invalid(format!("the address `{}`: {error}", host.address)).on(&host.name)
    })?;
    let mut words = vec!["ssh".to_owned()];
    if let Some(file) = &options.ssh_config {
        words.extend(["-F".to_owned(), file.display().to_string()]);
    }
    if let Some(port) = address.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &address.user {
        words.extend(["-l".to_owned(), user.clone()]);
    }
    // Without a command there is one anyway.
    if terminal && !command.is_empty() {
        words.push("-t".to_owned());
    }
    words.extend(["--".to_owned(), address.host]);
    if !command.is_empty() {
        words.push(words::line(command));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(address: &str, command: &[&str], terminal: bool) -> String {
        let options = Options { ssh_config: Some("/c".into()), connect_timeout: None, unlisted: false };
        let command: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
        login(&Host::new("h", address), &options, &command, terminal).unwrap().join(" ")
    }

    #[test]
    fn it_is_the_command_that_one_would_type() {
        assert_eq!(words("h1", &[], true), "ssh -F /c -- h1");
        assert_eq!(
            words("me@[::1]:2222", &["df -h | sort"], true),
            "ssh -F /c -p 2222 -l me -t -- ::1 df -h | sort"
        );
        assert_eq!(words("h1", &["echo", "a b"], false), "ssh -F /c -- h1 echo 'a b'");
        assert!(login(&Host::new("h", "local"), &Options::default(), &[], true).is_err());
    }
}
