//! How a unit finds out that its container serves: a script that systemd runs beside it, so that the unit is `active` only
//! once it does. Pure.
//!
//! It needs `docker`, `sh` and `timeout` on the machine, and for HTTP and TCP `bash`, which can open connections; the image needs
//! nothing. It goes on until the container serves or has ended, and leaves it to whoever waits when that is too long.

use cloudpad_plugin_api::model::{Check, Health};

use crate::quote::Word;

/// Tries again and again for as long as the main process is there. `$0` is the container.
const LOOP: &str =
    r#"while kill -0 "$MAINPID" 2>/dev/null; do TRY >/dev/null 2>&1 && exit 0; sleep INTERVAL; done; exit 1"#;
const HEALTHY: &str = r#"[ "$(docker inspect -f '{{.State.Health.Status}}' "$0")" = healthy ]"#;
const RUN: &str = r#"timeout TIMEOUT docker exec "$0" "$@""#;
const IN_BASH: &str = r#"timeout TIMEOUT bash -c 'OPEN' "$0" "$@""#;
/// Opens the container's port `$1`. With the host's network a container has no address, and is where we are.
const OPEN: &str = concat!(
    r#"a=$(docker inspect -f "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}" "$0") || exit 1; "#,
    r#"a=${a%% *}; exec 3<>"/dev/tcp/${a:-127.0.0.1}/$1""#
);
/// Asks for `$2` there, and wants 2xx or 3xx.
const GET: &str = concat!(
    r#"; printf "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n" "$2" "${a:-127.0.0.1}:$1" >&3"#,
    r#" && read -r _ s _ <&3 && [[ $s == [23]?? ]]"#
);

/// The command; none where there is nothing to ask.
pub fn command(container: &Word, health: Option<&Health>) -> Option<Vec<Word>> {
    let health = health?;
    let (attempt, arguments) = match &health.check {
        Check::Command { command } => (RUN.to_owned(), command.clone()),
        Check::Image => (HEALTHY.to_owned(), Vec::new()),
        Check::Tcp { port } => (IN_BASH.replace("OPEN", OPEN), vec![port.to_string()]),
        Check::Http { port, path } => {
            (IN_BASH.replace("OPEN", &format!("{OPEN}{GET}")), vec![port.to_string(), path.clone()])
        }
    };
    let attempt = attempt.replace("TIMEOUT", &seconds(health.timeout_ms));
    let script = LOOP.replace("TRY", &attempt).replace("INTERVAL", &seconds(health.interval_ms));
    let words = ["/bin/sh".into(), "-c".into(), Word::Plain(script), container.clone()];
    Some(words.into_iter().chain(arguments.into_iter().map(Word::Plain)).collect())
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
