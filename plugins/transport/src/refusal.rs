//! Why a server would not open a stream, in words for the user. I/O: may ask the server.

use std::time::Duration;

use cloudpad_plugin_api::{Failure, FailureKind};
use tokio::io::AsyncReadExt as _;

use crate::dial::unreachable;
use crate::opening::{Stderr, Way};
use crate::ssh::Ssh;

/// How long the host may take to look at a path.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// What is at a path of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Socket {
    Absent,
    NotOurs,
    Ours,
    /// The host does not tell.
    Unclear,
}

/// Why the unix socket `path` could not be opened. OpenSSH gives one and the same reason whether it does
/// not forward sockets, there is no such socket, or the user may not use it; so the host is asked.
pub(crate) async fn unix(ssh: &Ssh, path: &str, reason: &str) -> Failure {
    let seen = tokio::time::timeout(LOOK_TIMEOUT, look(ssh, path)).await.unwrap_or(Socket::Unclear);
    unix_failure(ssh.login(), path, reason, seen)
}

fn unix_failure(login: &str, path: &str, reason: &str, seen: Socket) -> Failure {
    let user = login.split_once('@').map_or(login, |(user, _)| user);
    match seen {
        Socket::Absent => unreachable(format!("there is no socket `{path}` on `{login}`"))
            .hint("is the engine installed and running? `systemctl enable --now docker`"),
        // Groups are those that the user had at the login: with a new one there may be more.
        Socket::NotOurs => unreachable(format!("`{user}` may not use the socket `{path}` on `{login}`"))
            .retryable()
            .hint(format!(
                "for an engine's socket, add the user to its group on the host: `usermod -aG docker {user}`"
            )),
        Socket::Ours | Socket::Unclear => {
            let message = format!("the SSH server does not forward the socket `{path}` on `{login}`");
            Failure::new(FailureKind::Unsupported, message)
                .cause(reason)
                .hint("allow it in the host's sshd_config: `AllowStreamLocalForwarding yes`")
        }
    }
}

/// Looks at `path` with the shell's own tests. A path that would need quoting is not looked at.
async fn look(ssh: &Ssh, path: &str) -> Socket {
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return Socket::Unclear;
    }
    let command = format!("test -S {path} || echo absent; test -w {path} && echo ours || echo other");
    let Ok(stream) = ssh.open(Way::Exec(command, Stderr::Told)).await else { return Socket::Unclear };
    let mut words = String::new();
    match stream.take(1000).read_to_string(&mut words).await {
        Ok(_) => understand(&words),
        Err(_) => Socket::Unclear,
    }
}

fn understand(words: &str) -> Socket {
    match words.trim() {
        "ours" => Socket::Ours,
        "other" => Socket::NotOurs,
        "absent\nother" => Socket::Absent,
        _ => Socket::Unclear,
    }
}

/// Why the server made no TCP connection for us.
pub(crate) fn tcp(login: &str, host: &str, port: u16, reason: &str) -> Failure {
    let message = format!("could not connect from `{login}` to `{host}:{port}`");
    if reason.contains("prohibited") {
        return Failure::new(FailureKind::Unsupported, message)
            .cause("the SSH server does not forward TCP")
            .hint("allow it in the host's sshd_config: `AllowTcpForwarding yes`");
    }
    unreachable(message).cause(reason)
}

/// Why the server did not start a command.
pub(crate) fn exec(login: &str, command: &str, reason: &str) -> Failure {
    unreachable(format!("could not start `{command}` on `{login}`")).cause(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_is_understood() {
        for (words, expected) in [
            ("ours\n", Socket::Ours),
            ("other\n", Socket::NotOurs),
            ("absent\nother\n", Socket::Absent),
            ("", Socket::Unclear),
            ("This account is not available.\n", Socket::Unclear),
        ] {
            assert_eq!(understand(words), expected, "{words:?}");
        }
    }

    #[test]
    fn only_a_server_that_does_not_forward_is_worth_another_way() {
        for (seen, expected) in [
            (Socket::Absent, FailureKind::Unreachable),
            (Socket::NotOurs, FailureKind::Unreachable),
            (Socket::Ours, FailureKind::Unsupported),
            (Socket::Unclear, FailureKind::Unsupported),
        ] {
            assert_eq!(unix_failure("u@h", "/s", "no", seen).kind, expected, "{seen:?}");
        }
        let failure = unix_failure("u@h", "/s", "no", Socket::NotOurs);
        assert!(failure.retryable, "with another login");
        let hint = failure.hint.unwrap();
        assert!(hint.contains("usermod -aG docker u"), "{hint}");
    }
}
