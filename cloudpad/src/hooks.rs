//! Runs the hooks of a plan: local commands before it and after it. I/O: processes, signals, clock.
//!
//! Which hooks a plan has is decided with it. Here they are only run: in the project's folder, with the plan or the
//! report on standard input, one after the other, and ended with all that they have started when the user has enough of
//! them or their time is over.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Cancel, Context, Event as During, Failure, FailureKind, Outcome};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use crate::config::{Config, HookPoint};
use crate::plan::{Hook, Plan};
use crate::project;
use crate::refusal::Refusal;
use crate::report::{Event, HookStep, Report};
use crate::run::Runner;
use crate::words;

/// What hooks are run for.
pub struct Hooks<'a> {
    /// Whom to tell, and whether to go on.
    pub runner: &'a Runner,
    /// The project's config.
    pub config: &'a Config,
    /// The project's folder.
    pub directory: &'a Path,
    /// The command of Cloudpad that is under way.
    pub command: &'a str,
    /// The release that new containers belong to.
    pub release: &'a str,
    /// The plan whose hooks they are.
    pub plan: &'a Plan,
}

impl Hooks<'_> {
    /// Runs those that come before anything is touched, as far as the first that fails.
    ///
    /// # Errors
    /// When one fails, or the user stops it.
    pub async fn before(&self) -> Result<(), Refusal> {
        for hook in self.plan.hooks.iter().filter(|hook| hook.point.is_before()) {
            let outcome = self.run(hook, self.plan).await;
            if self.runner.stop.is_requested() {
                return Err(Refusal::Stopped);
            }
            let told = |failure: Failure| failure.hint("nothing was touched: see to it and try again");
            outcome.map_err(|failure| Refusal::Failures(vec![told(failure)]))?;
        }
        Ok(())
    }

    /// Runs those that follow what is in the report, be it that others fail.
    pub async fn after(&self, report: &Report) {
        for hook in self.plan.hooks.iter().filter(|hook| hook.point == report.hooks()) {
            // What comes of it is in the events.
            let _ = self.run(hook, report).await;
        }
    }

    async fn run(&self, hook: &Hook, about: &impl Serialize) -> Result<(), Failure> {
        let tell = self.teller(hook);
        tell(HookStep::Started);
        let begun = Instant::now();
        let outcome = self.call(hook, about, tell.clone()).await;
        let outcome = outcome.map_err(|failure| self.runner.providers.hide_in(named(hook.point, failure)));
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell(match &outcome {
            Ok(()) => HookStep::Done { ms },
            Err(error) => HookStep::Failed { ms, error: error.clone() },
        });
        outcome
    }

    /// Runs it on a thread of its own.
    async fn call(&self, hook: &Hook, about: &impl Serialize, tell: Tell) -> Result<(), Failure> {
        let input = serde_json::to_vec(about).map_err(|error| Failure::failed(error.to_string()))?;
        let (providers, cancel) = (self.runner.providers.clone(), Cancel::new());
        let emit = Arc::new(move |event| {
            if let During::Output { line, .. } = providers.hide(event) {
                tell(HookStep::Output { line });
            }
        });
        let cx = Context::new(Value::Null, emit, cancel.clone());
        let tool = Tool::new(self.process(hook)).called(words::command(&hook.command)).input(input);
        let mut work = tokio::task::spawn_blocking(move || tool.run(&cx));
        let time = Duration::from_millis(self.config.hooks.timeout_ms);
        let too_late = tokio::select! {
            ended = &mut work => return ended.unwrap_or_else(|error| Err(Failure::failed(error.to_string()))),
            () = self.runner.stop.more() => false,
            () = sleep(time) => true,
        };
        cancel.cancel();
        match work.await {
            Ok(Err(failure)) if too_late && failure.kind == FailureKind::Cancelled => {
                let (command, time) =
                    (words::command(&hook.command), words::seconds(self.config.hooks.timeout_ms));
                let failure =
                    Failure::failed(format!("`{command}` was ended, since it took longer than {time}"));
                Err(failure.outcome(Outcome::Unknown))
            }
            ended => ended.unwrap_or_else(|error| Err(Failure::failed(error.to_string()))),
        }
    }

    fn process(&self, hook: &Hook) -> Command {
        let [program, arguments @ ..] = hook.command.as_slice() else { return Command::new("") };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.directory);
        let project = &self.config.project;
        // Also what a command of ours takes for its environment, should the hook run one.
        command.envs(project.environment.as_ref().map(|environment| ("CLOUDPAD_ENV", environment)));
        command.env("CLOUDPAD_USER", project::operator());
        command.envs([
            ("CLOUDPAD_HOOK", hook.point.name()),
            ("CLOUDPAD_PROJECT", project.name.as_str()),
            ("CLOUDPAD_COMMAND", self.command),
            ("CLOUDPAD_RELEASE", self.release),
        ]);
        command
    }

    fn teller(&self, hook: &Hook) -> Tell {
        let (record, point, command) =
            (self.runner.record.clone(), hook.point, words::command(&hook.command));
        Arc::new(move |step| record.event(Event::Hook { hook: point, command: command.clone(), step }))
    }
}

/// Tells what happens to a hook.
type Tell = Arc<dyn Fn(HookStep) + Send + Sync>;

fn named(point: HookPoint, failure: Failure) -> Failure {
    Failure { message: format!("hook `{}`: {}", point.name(), failure.message), ..failure }
}
