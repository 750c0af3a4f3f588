//! Has a process on a host run as if it ran here: with our streams, our terminal, its exit code.

use std::sync::Arc;

use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::{Event, Failure, FailureKind, Reply, Request};

use super::Ended;
use super::session::Session;
use crate::attach::Streams;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::terminal_size;
use crate::words;

/// Sends the request that `make` makes of the terminal's size, where there is one, and of where our streams are. The exit code is
/// that of the process.
pub(super) fn interact(
    session: &Session,
    make: impl FnOnce(Option<TerminalSize>, Option<String>) -> Request,
) -> Ended {
    session.runner.stop.let_be_at_once();
    let tty = session.term.is_terminal();
    let joined = session.wait_for(async {
        let streams = Streams::listen()?;
        let size =
            if tty { Some(terminal_size().unwrap_or(TerminalSize { rows: 24, columns: 80 })) } else { None };
        let request = make(size, Some(streams.path()));
        let (runner, term) = (session.runner.clone(), session.term.clone());
        let told = Arc::new(move |event| {
            if let Event::Log { message, .. } = event {
                term.warn(&message);
            }
        });
        let call = tokio::task::spawn_blocking(move || {
            runner.providers.call(&request, "", told, runner.stop.cancel().clone())
        });
        Ok::<_, Refusal>(streams.join(tty, &session.term, call).await)
    });
    let (outcome, closed) = match joined? {
        Ok(joined) => joined,
        Err(error) => {
            session
                .term
                .error(&format!("the streams of the process are broken, whatever it has done: {error}"));
            return Ok(exit::FAILED);
        }
    };
    match outcome.unwrap_or_else(|error| Err(Failure::failed(error.to_string()))) {
        // Whoever has closed a pipe wants no more.
        Err(failure) if failure.kind == FailureKind::Cancelled && closed => Ok(exit::OK),
        outcome => ended(session, outcome),
    }
}

/// The exit code of what a process has ended with.
fn ended(session: &Session, outcome: Result<Reply, Failure>) -> Ended {
    match outcome {
        Ok(Reply::Ran(ran)) if ran.timed_out => {
            session.term.error("it was stopped, since its time was over");
            Ok(exit::FAILED)
        }
        Ok(reply) => Ok(code(&reply)),
        Err(failure) if failure.kind == FailureKind::Cancelled && session.runner.stop.is_requested() => {
            for cause in &failure.causes {
                session.term.warn(cause);
            }
            Ok(exit::INTERRUPTED)
        }
        Err(failure) => {
            session.term.error(&words::failure(&failure));
            Ok(exit::FAILED)
        }
    }
}

/// What a process has ended with, as far as an exit code can say it.
pub(super) fn code(reply: &Reply) -> u8 {
    let code = match reply {
        Reply::Executed(executed) => executed.exit_code,
        Reply::Ran(ran) => ran.exit_code,
        _ => 0,
    };
    u8::try_from(code.rem_euclid(256)).unwrap_or(exit::FAILED)
}
