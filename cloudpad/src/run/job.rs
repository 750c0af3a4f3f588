//! Whether a job, or a script on a host, has done its work: by what it has ended with. Pure.

use std::sync::{Arc, Mutex, PoisonError};

use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::{Command, Exited, Run};
use cloudpad_plugin_api::tool::Tail;
use cloudpad_plugin_api::{Event, Failure, Outcome, Reply, Request};

use crate::report::script;
use crate::words;

/// The job that a request runs.
fn job(request: &Request) -> Option<&Run> {
    match request {
        Request::DeployRun(run) if run.labels.contains_key(label::JOB) => Some(run),
        _ => None,
    }
}

/// The last lines that a job or a script has printed. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(super) struct Printed(Option<Arc<Mutex<Tail>>>);

impl Printed {
    /// By what a request runs; nothing where that is neither.
    pub(super) fn of(request: &Request) -> Self {
        let is_one = job(request).is_some() || matches!(request, Request::DeployCommand(_));
        Self(is_one.then(Arc::default))
    }

    /// Takes an event of the call.
    pub(super) fn hear(&self, event: &Event) {
        if let (Some(lines), Event::Output { line, .. }) = (&self.0, event) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
        }
    }

    fn quoted_by(self, failure: Failure) -> Failure {
        let Some(lines) = self.0 else { return failure };
        std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner)).quoted_by(failure)
    }
}

/// What came of a request: that of a job or a script, which has printed this, by what its process has ended with.
pub(super) fn judged(request: &Request, reply: Reply, printed: Printed) -> Result<Reply, Failure> {
    if let (Request::DeployCommand(command), Reply::Exited(exited)) = (request, &reply) {
        return match exited_well(command, exited) {
            Ok(()) => Ok(reply),
            Err(failure) => Err(printed.quoted_by(failure)),
        };
    }
    let (Some(run), Reply::Ran(ran)) = (job(request), &reply) else { return Ok(reply) };
    let name = run.labels.get(label::JOB).map(String::as_str).unwrap_or_default();
    let message = match (ran.timed_out, ran.exit_code) {
        (true, _) => {
            let time = words::seconds(run.timeout_ms.unwrap_or_default());
            format!("job `{name}` was stopped, since it took longer than {time}")
        }
        (false, 0) => return Ok(reply),
        (false, code) => format!("job `{name}` has ended with exit code {code}"),
    };
    let hint = match run.labels.get(label::JOB_WHEN).map(String::as_str) {
        Some("before") => "nothing that waits for it was touched: see to it and deploy again",
        _ => "what was deployed stays: see to it, and run the job again by `cloudpad run`",
    };
    Err(printed.quoted_by(Failure::failed(message)).hint(hint).outcome(Outcome::Partial))
}

/// A script is a step on its host, and what is behind it there was not begun.
fn exited_well(command: &Command, exited: &Exited) -> Result<(), Failure> {
    let how = match exited {
        Exited { signal: Some(signal), .. } => format!("was ended by the signal `{signal}`"),
        Exited { exit_code: 0, .. } => return Ok(()),
        Exited { exit_code, .. } => format!("has ended with exit code {exit_code}"),
    };
    let name = script(&command.command).map_or_else(|| words::command(&command.command), str::to_owned);
    Err(Failure::failed(format!("`{name}` {how}"))
        .hint("see to it there, and run the same again: it goes on from what is there")
        .on(&command.host.name)
        .outcome(Outcome::Partial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::model::{ContainerSpec, Host, Project};
    use cloudpad_plugin_api::stage::deploy::Ran;

    fn run(when: &str) -> Run {
        Run {
            host: Host::new("h1", Host::LOCAL).into(),
            project: Project { name: "shop".into(), environment: None }.into(),
            release: "r1".into(),
            container: "shop.migrate.r1".into(),
            labels: [
                (label::JOB.to_owned(), "migrate".to_owned()),
                (label::JOB_WHEN.to_owned(), when.to_owned()),
            ]
            .into(),
            spec: ContainerSpec::default().into(),
            timeout_ms: Some(1500),
            keep: true,
            tty: None,
            stream: None,
        }
    }

    fn ended(when: &str, exit_code: i64, timed_out: bool) -> Result<Reply, Failure> {
        let request = Request::DeployRun(run(when));
        let printed = Printed::of(&request);
        printed.hear(&Event::Output {
            source: String::new(),
            line: "no such table".to_owned(),
            time: None,
            stderr: false,
        });
        judged(&request, Reply::Ran(Ran { exit_code, timed_out, found: false }), printed)
    }

    #[test]
    fn a_job_has_failed_by_its_exit_code_and_by_its_time() {
        assert!(ended("before", 0, false).is_ok());
        let failed = ended("before", 3, false).unwrap_err();
        assert_eq!(failed.message, "job `migrate` has ended with exit code 3");
        assert_eq!(failed.causes, ["no such table"]);
        assert!(failed.hint.unwrap().starts_with("nothing that waits for it was touched"));
        let failed = ended("after", 0, true).unwrap_err();
        assert_eq!(failed.message, "job `migrate` was stopped, since it took longer than 1.5 s");
        assert!(failed.hint.unwrap().starts_with("what was deployed stays"));
    }

    #[test]
    fn a_script_on_a_host_has_failed_by_its_exit_code_and_is_quoted() {
        let words = ["sudo", "-n", "sh", "-c", "apt-get update", "install docker.io"].map(str::to_owned);
        let host = Host::new("h1", Host::LOCAL).into();
        let request = Request::DeployCommand(Command { host, command: words.into(), timeout_ms: None });
        let ended = |exit_code, signal: Option<&str>| {
            let printed = Printed::of(&request);
            let (source, line) = ("stderr".to_owned(), "no space left".to_owned());
            printed.hear(&Event::Output { source, line, time: None, stderr: true });
            let exited = Exited { exit_code, signal: signal.map(str::to_owned) };
            judged(&request, Reply::Exited(exited), printed)
        };
        assert!(ended(0, None).is_ok());
        let failed = ended(100, None).unwrap_err();
        assert_eq!(failed.message, "`install docker.io` has ended with exit code 100");
        assert_eq!((failed.causes, failed.host), (vec!["no space left".to_owned()], Some("h1".to_owned())));
        let failed = ended(128, Some("KILL")).unwrap_err();
        assert_eq!(failed.message, "`install docker.io` was ended by the signal `KILL`");
    }

    #[test]
    fn a_command_that_is_no_job_is_for_whoever_runs_it_to_judge() {
        let command = Run { labels: Default::default(), ..run("before") };
        let request = Request::DeployRun(command);
        let reply = Reply::Ran(Ran { exit_code: 3, timed_out: false, found: false });
        assert_eq!(judged(&request, reply.clone(), Printed::of(&request)), Ok(reply));
    }
}
