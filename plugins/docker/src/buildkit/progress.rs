//! What BuildKit tells of a build, as events and, in the end, as a failure. Pure but for the events.

use std::collections::BTreeMap;

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog};
use cloudpad_plugin_api::{Context as Call, Event, Failure, Progress as Steps};

use crate::log::StepLog;
use crate::run::Job;
use crate::secret::Secrets;

/// What is known of a build so far. A vertex of BuildKit's graph is a step.
pub struct Progress<'a> {
    cx: &'a Call,
    image: String,
    dockerfile: String,
    exports_cache: bool,
    secrets: Secrets,
    steps: BTreeMap<String, Step>,
    told: (usize, usize),
}

#[derive(Default)]
struct Step {
    name: String,
    started: bool,
    done: bool,
    error: String,
    log: StepLog,
}

impl<'a> Progress<'a> {
    /// Nothing is known of the build of `job`.
    pub fn new(cx: &'a Call, job: &Job) -> Self {
        Self {
            cx,
            image: job.name().to_owned(),
            dockerfile: job.request.recipe.dockerfile.clone(),
            exports_cache: job.request.recipe.cache_to.as_deref().is_some_and(|to| to != "inline"),
            secrets: job.secrets.clone(),
            steps: BTreeMap::new(),
            told: (0, 0),
        }
    }

    /// Takes news, and tells them.
    pub fn update(&mut self, news: StatusResponse) {
        news.vertexes.into_iter().for_each(|vertex| self.vertex(vertex));
        news.logs.into_iter().for_each(|log| self.log(log));
        self.tell_count();
    }

    fn vertex(&mut self, vertex: Vertex) {
        let step = self.steps.entry(vertex.digest).or_default();
        let is_new = !step.started && vertex.started.is_some();
        let ends = !step.done && vertex.completed.is_some();
        step.name = vertex.name;
        step.started |= vertex.started.is_some();
        step.done |= vertex.completed.is_some();
        if !vertex.error.is_empty() {
            step.error = vertex.error;
        }
        let rest = if ends { step.log.finish() } else { None };
        let source = step.name.clone();
        if is_new && !source.starts_with("[internal]") {
            self.output("", &if vertex.cached { format!("{source} (cached)") } else { source.clone() });
        }
        if let Some(line) = rest {
            self.output(&source, &line);
        }
    }

    fn log(&mut self, log: VertexLog) {
        let step = self.steps.entry(log.vertex).or_default();
        let lines = step.log.push(&log.msg);
        let source = step.name.clone();
        for line in lines {
            self.output(&source, &line);
        }
    }

    fn output(&self, source: &str, line: &str) {
        self.cx.output(self.secrets.hide(source), self.secrets.hide(line));
    }

    fn tell_count(&mut self) {
        let done = self.steps.values().filter(|step| step.done).count();
        let count = (done, self.steps.len());
        if count != self.told {
            self.told = count;
            self.cx.emit(Event::Progress(Steps {
                label: format!("building {}", self.image),
                done: count.0 as u64,
                total: Some(count.1 as u64),
                unit: "steps".to_owned(),
            }));
        }
    }

    /// Why the build has failed, when BuildKit answers with `status`.
    pub fn failure(&self, status: &tonic::Status) -> Failure {
        let said = self.secrets.hide(reason(status.message()));
        if self.exports_cache && said.contains("unknown cache exporter") {
            return Failure::failed(format!(
                "the engine cannot export the build cache of image `{}` to a registry: {said}",
                self.image
            ))
            .hint("set `cache_to = \"inline\"`, or use an engine with the containerd image store");
        }
        let failed = self
            .steps
            .values()
            .find(|step| !step.error.is_empty() && !step.error.contains("context canceled"));
        let Some(step) = failed else {
            return Failure::failed(format!("image `{}` could not be built: {said}", self.image))
                .hint(where_to_look(&said, &self.dockerfile));
        };
        let what = match exit_code(&step.error) {
            Some(code) => format!("ended with exit code {code}"),
            None => format!("failed: {}", self.secrets.hide(reason(&step.error))),
        };
        let failure = Failure::failed(format!(
            "image `{}` could not be built: step `{}` {what}",
            self.image,
            self.secrets.hide(&step.name)
        ));
        step.log.last().fold(failure, |failure, line| failure.cause(self.secrets.hide(line)))
    }
}

/// What to do about a build that has failed before its first step.
fn where_to_look(said: &str, dockerfile: &str) -> String {
    match said.contains("parse error") {
        true => format!("look at `{dockerfile}`; it is a template only where its image has `variables`"),
        false => format!("look at `{dockerfile}`"),
    }
}

/// What BuildKit says, without what every failure begins with.
fn reason(message: &str) -> &str {
    let message = message.trim().trim_end_matches('.');
    [
        "failed to solve: ",
        "rpc error: code = Unknown desc = ",
        "failed to solve with frontend dockerfile.v0: ",
    ]
    .iter()
    .fold(message, |message, prefix| message.strip_prefix(prefix).unwrap_or(message))
}

/// The exit code at the end of what a failed `RUN` says.
fn exit_code(error: &str) -> Option<i64> {
    error.rsplit_once("exit code: ")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::where_to_look;

    #[test]
    fn a_template_may_be_why_a_dockerfile_is_not_understood() {
        let said = "dockerfile parse error on line 1: FROM requires either one or three arguments";
        assert!(where_to_look(said, "Dockerfile").contains("`variables`"));
        assert_eq!(where_to_look("no space left on device", "Dockerfile"), "look at `Dockerfile`");
    }
}
