//! What the engine's client reports, as a failure that can be shown. Pure.

use std::error::Error as _;

use bollard::errors::Error;
use cloudpad_plugin_api::{Failure, FailureKind, Outcome};

/// The failure that `error` is, when `tried` was tried: such as "could not list the containers".
pub fn failure(tried: &str, error: &Error) -> Failure {
    if let Some(said) = said(error) {
        return Failure::failed(format!("{tried}: {said}"));
    }
    match error {
        // Asking once more would take as long once more.
        Error::RequestTimeoutError => {
            Failure::new(FailureKind::Unreachable, format!("{tried}: the engine did not answer in time"))
                .hint("look at the engine on that machine: `systemctl status docker`, `journalctl -u docker`")
                .outcome(Outcome::Unknown)
        }
        Error::HyperLegacyError { .. } | Error::HyperResponseError { .. } | Error::IOError { .. } => {
            connection(error).unwrap_or_else(|| broken(&format!("{tried}: the connection broke off"), error))
        }
        other => {
            let failure = Failure::failed(format!("{tried}: the engine's answer is not understood"));
            chain(other).into_iter().fold(failure, Failure::cause)
        }
    }
}

fn broken(message: &str, error: &Error) -> Failure {
    // The engine goes on with most of what it was asked.
    let failure = Failure::new(FailureKind::Unreachable, message).retryable().outcome(Outcome::Unknown);
    chain(error).into_iter().fold(failure, Failure::cause)
}

/// The engine's own words, where it has answered with an error.
pub fn said(error: &Error) -> Option<&str> {
    match error {
        Error::DockerResponseServerError { message, .. } | Error::DockerStreamError { error: message } => {
            Some(message.trim().trim_end_matches('.'))
        }
        _ => None,
    }
}

/// The engine's HTTP status, where it has answered with an error.
pub fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// The transport's own failure, which has travelled through the HTTP client.
fn connection(error: &Error) -> Option<Failure> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return Some(failure.clone());
        }
        source = error.source();
    }
    None
}

/// The messages from `error` down, without those that only repeat the one above.
fn chain(error: &Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if messages.last().is_some_and(|last| !last.contains(&message)) {
            messages.push(message);
        }
        source = error.source();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_own_words_are_kept() {
        let error = Error::DockerResponseServerError { status_code: 409, message: "in use.\n".into() };
        let got = failure("could not remove `x`", &error);
        assert_eq!(got.message, "could not remove `x`: in use");
        assert_eq!(status(&error), Some(409));
    }

    #[test]
    fn silence_is_unreachable_and_not_worth_another_try() {
        let got = failure("could not look", &Error::RequestTimeoutError);
        assert!(got.kind == FailureKind::Unreachable && !got.retryable);
    }

    #[test]
    fn nobody_knows_what_an_engine_does_that_has_not_answered() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let all = [Error::RequestTimeoutError, Error::IOError { err: broken }];
        assert!(all.iter().all(|error| failure("could not stop it", error).outcome == Outcome::Unknown));
        let refused = Error::DockerResponseServerError { status_code: 500, message: "no".into() };
        assert_eq!(failure("could not stop it", &refused).outcome, Outcome::None);
    }
}
