//! What a container does, from what an engine's list of containers says of each. Pure.
//!
//! Beside a word for programs the list has a text for people, such as `Up 3 seconds (health: starting)`. Health, exit codes and
//! times stand only there in all engines, and asking for each container by itself would be a request more for each. How the text is
//! made: <https://github.com/moby/moby/blob/master/daemon/container/state.go>, `State.String`.

use bollard::models::ContainerSummaryStateEnum as Engine;
use cloudpad_plugin_api::stage::deploy::{State, Status};

/// What it does.
pub(super) fn state(state: Option<Engine>, text: &str) -> State {
    match state {
        Some(Engine::RUNNING) if text.ends_with("(unhealthy)") => State::Unhealthy,
        Some(Engine::RUNNING) if text.ends_with("(health: starting)") => State::Starting,
        Some(Engine::RUNNING) => State::Running,
        Some(Engine::PAUSED) => State::Paused,
        Some(Engine::RESTARTING) => State::Restarting,
        Some(Engine::CREATED | Engine::EXITED) => State::Stopped,
        _ => State::Other,
    }
}

/// What else the text says.
pub(super) fn status(text: &str) -> Status {
    Status {
        lasting: lasting(text).unwrap_or_default().to_lowercase(),
        exit_code: exit_code(text),
        healthy: text.ends_with(" (healthy)"),
        ..Status::default()
    }
}

/// What stands between `Up` and a parenthesis, or between one and `ago`.
fn lasting(text: &str) -> Option<&str> {
    match text.strip_prefix("Up ") {
        Some(up) => up.split(" (").next(),
        None => text.split_once(") ")?.1.strip_suffix(" ago"),
    }
}

/// The exit code in `Exited (137) 3 hours ago`, and in `Restarting (1) 2 seconds ago`.
pub(super) fn exit_code(text: &str) -> Option<i64> {
    let rest = text.strip_prefix("Exited (").or_else(|| text.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_from_both_texts() {
        let cases = [
            (Engine::RUNNING, "Up 2 minutes", State::Running),
            (Engine::RUNNING, "Up 2 minutes (healthy)", State::Running),
            (Engine::RUNNING, "Up 2 minutes (unhealthy)", State::Unhealthy),
            (Engine::RUNNING, "Up 2 seconds (health: starting)", State::Starting),
            (Engine::PAUSED, "Up 2 minutes (Paused)", State::Paused),
            (Engine::RESTARTING, "Restarting (1) 1 second ago", State::Restarting),
            (Engine::EXITED, "Exited (0) 3 hours ago", State::Stopped),
            (Engine::CREATED, "Created", State::Stopped),
            (Engine::DEAD, "Dead", State::Other),
        ];
        for (engine, text, expected) in cases {
            assert_eq!(state(Some(engine), text), expected, "{text}");
        }
    }

    #[test]
    fn the_text_for_people_tells_the_rest() {
        let cases = [
            ("Up 2 minutes", ("2 minutes", None, false)),
            ("Up About an hour (healthy)", ("about an hour", None, true)),
            ("Up Less than a second (health: starting)", ("less than a second", None, false)),
            ("Up 3 days (unhealthy)", ("3 days", None, false)),
            ("Up 4 weeks (Paused)", ("4 weeks", None, false)),
            ("Exited (137) 3 hours ago", ("3 hours", Some(137), false)),
            ("Restarting (1) 5 seconds ago", ("5 seconds", Some(1), false)),
            ("Created", ("", None, false)),
            ("Removal In Progress", ("", None, false)),
            ("", ("", None, false)),
        ];
        for (text, (lasting, exit_code, healthy)) in cases {
            let expected = Status { lasting: lasting.to_owned(), exit_code, healthy, ..Status::default() };
            assert_eq!(status(text), expected, "{text}");
        }
    }
}
