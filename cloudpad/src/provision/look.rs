//! Looks at machines, be there an engine or not. I/O: plugins, clock.

use std::sync::{Arc, Mutex, PoisonError};

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Command, Exited, Look, Machine};
use cloudpad_plugin_api::{Event, Failure, Reply, Request};

use super::{Facts, etcd};
use crate::everywhere;
use crate::project;
use crate::run::{MOST_AT_ONCE, Runner};

/// Milliseconds that a machine has to tell what it is.
const LOOK_LIMIT: u64 = 60_000;

/// What was seen of a machine.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it says of itself.
    pub facts: Facts,
    /// What its engine says to us, or why it does not.
    pub engine: Result<Machine, Failure>,
    /// By how many seconds its clock is ahead of ours, at the least; less than 0 where it is behind.
    pub ahead: i64,
}

/// What a machine has said so far, and its engine.
type Looked = (Option<Result<Seen, Failure>>, Option<Result<Machine, Failure>>);

/// What of a machine is not of interest to everybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// TCP ports of which to tell who listens there.
    pub ports: &'a [u16],
    /// Whether to look at etcd.
    pub etcd: bool,
}

/// Looks at all of them at once. The answer has the hosts in their order.
pub async fn look(runner: &Runner, hosts: &[Arc<Host>], wanted: Wanted<'_>) -> Vec<Result<Seen, Failure>> {
    let begun = seconds();
    let requests = hosts.iter().flat_map(|host| {
        let look = Request::DeployHost(Look { host: host.clone() });
        [Request::DeployCommand(command(host, wanted)), look]
    });
    let printed: Arc<Mutex<Vec<Vec<String>>>> = Arc::new(Mutex::new(vec![Vec::new(); hosts.len()]));
    let heard = printed.clone();
    let mut looks: Vec<Looked> = vec![(None, None); hosts.len()];
    everywhere::ask(
        runner,
        requests.collect(),
        MOST_AT_ONCE,
        move |index, event| {
            let mut printed = heard.lock().unwrap_or_else(PoisonError::into_inner);
            if let (Event::Output { source, line, .. }, Some(lines)) = (event, printed.get_mut(index / 2))
                && index % 2 == 0
                && source == "stdout"
            {
                lines.push(line);
            }
        },
        |answer| {
            let at = answer.index / 2;
            let Some((facts, engine)) = looks.get_mut(at) else { return };
            match answer.outcome {
                Ok(Reply::Exited(exited)) => {
                    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                    let lines = printed.get_mut(at).map(std::mem::take).unwrap_or_default();
                    *facts = Some(read(&exited, &lines, (begun, seconds())));
                }
                Ok(Reply::Machine(machine)) => *engine = Some(Ok(machine)),
                Err(failure) if answer.index % 2 == 0 => *facts = Some(Err(failure)),
                Err(failure) => *engine = Some(Err(failure)),
                Ok(_) => {}
            }
        },
    )
    .await;
    looks.into_iter().map(together).collect()
}

fn together((facts, engine): Looked) -> Result<Seen, Failure> {
    let untold = || Failure::failed("the provider has not told what it has seen");
    let seen = facts.unwrap_or_else(|| Err(untold()))?;
    Ok(Seen { engine: engine.unwrap_or_else(|| Err(untold())), ..seen })
}

fn command(host: &Arc<Host>, wanted: Wanted) -> Command {
    let script = [include_str!("look.sh"), if wanted.etcd { etcd::LOOK } else { "exit 0\n" }].concat();
    let words = ["sh".to_owned(), "-c".to_owned(), script, "look".to_owned()];
    let command = words.into_iter().chain(wanted.ports.iter().map(u16::to_string)).collect();
    Command { host: host.clone(), command, timeout_ms: Some(LOOK_LIMIT) }
}

/// What was printed between two moments of our clock.
fn read(exited: &Exited, lines: &[String], (begun, ended): (i64, i64)) -> Result<Seen, Failure> {
    let facts = Facts::read(lines.iter().map(String::as_str));
    if exited.exit_code != 0 || facts.user.is_empty() {
        let message = format!("the shell there does not run a script: exit code {}", exited.exit_code);
        let failure =
            Failure::failed(message).hint("it takes a user whose shell is that of POSIX, such as `bash`");
        return Err(lines.iter().take(5).fold(failure, Failure::cause));
    }
    let ahead = facts.clock.map_or(0, |clock| (clock - ended).max(0) + (clock - begun).min(0));
    Ok(Seen { facts, engine: Err(Failure::failed("it was not asked")), ahead })
}

fn seconds() -> i64 {
    project::nanoseconds().div_euclid(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(lines: &[&str], exit_code: i32) -> Result<Seen, Failure> {
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        read(&Exited { exit_code, signal: None }, &lines, (100, 105))
    }

    #[test]
    fn a_clock_is_wrong_only_by_what_the_time_for_the_look_cannot_be() {
        for (clock, ahead) in [(100, 0), (103, 0), (105, 0), (99, -1), (40, -60), (106, 1), (165, 60)] {
            assert_eq!(seen(&["user root", &format!("clock {clock}")], 0).unwrap().ahead, ahead, "{clock}");
        }
        assert_eq!(seen(&["user root"], 0).unwrap().ahead, 0);
    }

    #[test]
    fn a_shell_that_is_none_is_told() {
        let failure = seen(&["This account is currently not available."], 1).unwrap_err();
        assert!(failure.message.contains("exit code 1"), "{failure:?}");
        assert_eq!(failure.causes, ["This account is currently not available."]);
        assert!(seen(&[], 0).is_err());
        assert!(seen(&["user root"], 1).is_err(), "it has not told all");
    }
}
