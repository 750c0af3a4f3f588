//! What a plugin itself has done wrong, and the failure that comes of it for a call. Pure.
//!
//! A failure that a plugin reports is handed on as it is. What is said here is about the plugin: it is always
//! named, and what it wrote to standard error last is told with it.

use std::fmt;
use std::time::Duration;

use cloudpad_plugin_api::{Failure, FailureKind, Outcome, Request};

use super::talk::Breach;

/// Which plugin is meant, as users know it.
#[derive(Clone, Debug)]
pub struct Who {
    /// What follows `cloudpad-`.
    pub name: String,
    /// Its file.
    pub path: String,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` (`{}`)", self.name, self.path)
    }
}

/// How a process has ended.
#[derive(Clone, Copy, Debug)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// Why a session has ended before its time.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It did not say hello in time.
    Silent(Duration),
    /// It broke the protocol.
    Breach(Breach),
    /// It ended by itself, perhaps within a line.
    Ended(Exit, Option<String>),
    /// It closed this stream and went on running.
    Closed(&'static str),
    /// It left its standard input unread.
    Unread(Duration),
    /// It went on for so long after it was asked to stop.
    Deaf(Duration),
    /// It was to stop before it had said hello.
    Abandoned,
    /// We could not speak to it.
    Lost(String),
}

impl Fault {
    /// The failure, without what the plugin has written.
    fn words(&self, who: &Who) -> Failure {
        let crashed = |what: String| Failure::new(FailureKind::Crashed, format!("{who} {what}"));
        match self {
            Fault::Silent(limit) => crashed(format!("did not say hello within {}", seconds(*limit)))
                .hint("run by itself it is no plugin: it has to speak the protocol when it is started with `--cloudpad-plugin`"),
            Fault::Breach(Breach::Protocols(spoken)) => Failure::new(
                FailureKind::Unsupported,
                format!("{who} speaks protocols {spoken}, this cloudpad speaks [{}]", cloudpad_plugin_api::wire::PROTOCOL),
            )
            .hint("use a version of the plugin that is made for this version of Cloudpad"),
            Fault::Breach(Breach::Other(what)) => crashed(what.clone()),
            Fault::Ended(exit, None) => crashed(ended(*exit)),
            Fault::Ended(exit, Some(line)) => {
                crashed(format!("{}, within a line that has no end: {line}", ended(*exit)))
            }
            Fault::Closed(stream) => crashed(format!("closed its {stream}, and went on running")),
            Fault::Unread(limit) => {
                crashed(format!("did not read its standard input for {}", seconds(*limit)))
            }
            Fault::Deaf(limit) => Failure::new(
                FailureKind::Cancelled,
                format!("{who} went on for {} after it was asked to stop, and was ended", seconds(*limit)),
            ),
            Fault::Abandoned => {
                Failure::new(FailureKind::Cancelled, format!("{who} was ended before it had said hello"))
            }
            Fault::Lost(why) => crashed(format!("cannot be spoken to: {why}")),
        }
    }

    /// The failure for one call: whoever did not ask to stop was not cancelled.
    pub fn for_call(&self, cancelled: bool, failure: Failure) -> Failure {
        match failure.kind {
            FailureKind::Cancelled if !cancelled => Failure { kind: FailureKind::Crashed, ..failure },
            _ => failure,
        }
    }

    /// The failure of whatever was asked, with the last lines of standard error.
    pub fn failure<'a>(&self, who: &Who, tail: impl Iterator<Item = &'a str>) -> Failure {
        tail.fold(self.words(who), |failure, line| failure.cause(format!("stderr: {line}")))
    }
}

/// Whether a request may have changed something when nothing is known of its end. `cluster.ready` may: there are clusters that are led
/// through a rollout by whoever waits for it.
pub fn may_change(request: &Request) -> bool {
    use Request as Q;
    !matches!(
        request,
        Q::ConfigCheck(_)
            | Q::InventoryList(_)
            | Q::InventoryWatch(_)
            | Q::SourceResolve(_)
            | Q::SecretsGet(_)
            | Q::SecretsList(_)
            | Q::SecretsOpen(_)
            | Q::BuildObserve(_)
            | Q::PushList(_)
            | Q::DeployObserve(_)
            | Q::DeployReady(_)
            | Q::DeployKeys(_)
            | Q::DeployLogin(_)
            | Q::DeployHost(_)
            | Q::DeployLogs(_)
            | Q::DeployEvents(_)
            | Q::DeployStats(_)
            | Q::DeployResolve(_)
            | Q::DeployLock(_)
            | Q::DeployUnlock(_)
            | Q::ClusterReview(_)
            | Q::ClusterObserve(_)
            | Q::ClusterLogs(_)
    )
}

/// A failure during `request`, which had been sent.
pub fn during(request: &Request, failure: Failure) -> Failure {
    let outcome = if may_change(request) { Outcome::Unknown } else { Outcome::None };
    let host = request.host().map(|host| host.name.as_str());
    let failure = match failure.kind {
        FailureKind::Cancelled => failure,
        _ => Failure { message: format!("{} during `{}`", failure.message, request.method()), ..failure },
    };
    let failure = failure.outcome(outcome);
    match host {
        Some(host) => failure.on(host),
        None => failure,
    }
}

fn ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("ended with exit status {code}"),
        Exit::Signal(signal) => match name(signal) {
            Some(name) => format!("was killed by signal {signal} ({name})"),
            None => format!("was killed by signal {signal}"),
        },
    }
}

fn name(signal: i32) -> Option<&'static str> {
    let names = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    names.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn whoever_leads_a_cluster_through_a_rollout_may_have_changed_it() {
        let outcome = |method: &str, params: Value| {
            let request = serde_json::from_value(json!({ "method": method, "params": params })).unwrap();
            during(&request, Failure::failed("it ended")).outcome
        };
        let (project, services) = (json!({ "name": "p" }), json!({ "project": { "name": "p" } }));
        let ready = json!({ "project": project, "service": "web", "id": "1", "timeout_ms": 1 });
        assert_eq!(outcome("cluster.ready", ready), Outcome::Unknown);
        assert_eq!(outcome("cluster.observe", services), Outcome::None);
    }
}
