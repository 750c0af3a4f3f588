//! Deploys that end at each boundary of an action, however they end: a version answers at all times, nobody keeps the lock,
//! and the next deploy comes to what was wanted.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Line, Project, Watch};

/// A project with two instances of a service on one host, which are updated new before old.
struct Scene {
    project: Project,
    host: usize,
    line: Line,
    version: usize,
}

impl Scene {
    /// On host `host`, which is reached through a program that the test can end.
    fn new(topic: &str, host: usize) -> Self {
        let project = Project::new(topic);
        let line = Line::to(&project, &format!("h{host}"));
        let scene = Self { project, host, line, version: 0 };
        scene.configure();
        scene.project.deploy();
        scene
    }

    fn configure(&self) {
        let (project, name) = (&self.project, format!("h{}", self.host));
        project.configure_all(
            &self.line.config(),
            &format!("[hosts.{name}]\naddress = \"{name}\"\n"),
            "[images.web]\n[services.web]\nimage = \"web\"\nper_host = 2\n\
             health = { http = \"/\", port = 8080, interval = \"200ms\" }\n[deploy]\nkeep = 1\n",
        );
    }

    /// A new version in the project's folder.
    fn change(&mut self) {
        self.version += 1;
        self.project.page(&self.version.to_string());
    }

    /// Deploys a new version, and has it end by `end` at event `at` of those that an undisturbed one has; none when it
    /// has not so many.
    fn deploy_until(&mut self, at: usize, end: impl Fn(&Line, &Child)) -> Option<Ended> {
        self.change();
        let mut command = self.project.command(&["deploy", "--yes", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("cloudpad does not start");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let boundary = lines.by_ref().filter_map(|line| boundary(&line)).nth(at);
        if boundary.is_some() {
            end(&self.line, &child);
        }
        let rest = lines.collect::<Vec<_>>().join("\n");
        let code = child.wait().expect("it ends").code();
        boundary.map(|boundary| Ended { boundary, code, rest })
    }

    /// Fails the test unless the next deploy comes to the last version.
    #[track_caller]
    fn converges(&self, after: &Ended) {
        let next = self.project.run(&["deploy", "--yes", "--json"]);
        assert_eq!(next.code, Some(0), "after {after:?}:\n{}", next.text());
        let running = self.project.running(self.host);
        assert_eq!(running.len(), 2, "after {after:?}: {running:?}");
        let again = self.project.deploy();
        assert_eq!(again.report()["ending"], "nothing_to_do", "after {after:?}:\n{}", again.text());
    }

    /// Ends deploys at every boundary there is, and checks what is left each time.
    fn at_every_boundary(mut self, end: impl Fn(&Line, &Child), check: impl Fn(&Line, &Ended)) {
        let watch = Watch::over(&self.project, &[self.host]);
        let mut seen = Vec::new();
        while let Some(ended) = self.deploy_until(seen.len(), &end) {
            check(&self.line, &ended);
            self.converges(&ended);
            seen.push(ended.boundary);
        }
        for method in
            ["build.run", "push.run", "deploy.start", "deploy.ready", "deploy.stop", "deploy.remove"]
        {
            for word in ["started", "done"] {
                assert!(seen.contains(&format!("{word} {method}")), "no `{word} {method}` in {seen:?}");
            }
        }
        watch.into_iter().for_each(Watch::always_served);
    }
}

/// How a deploy ended.
#[derive(Debug)]
struct Ended {
    boundary: String,
    code: Option<i32>,
    /// What it printed from then on.
    #[allow(dead_code, reason = "it is for a failing test's message")]
    rest: String,
}

/// The beginning or the end of an action of the plan.
fn boundary(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let word = event["event"].as_str().filter(|word| matches!(*word, "started" | "done"))?;
    (event["phase"] == "apply").then(|| format!("{word} {}", event["method"].as_str().unwrap_or_default()))
}

fn signal(name: &str, process: &str) {
    // It may have come to its end by itself meanwhile.
    let _ = Command::new("kill").args([name, process]).stderr(Stdio::null()).status();
}

#[test]
fn killed() {
    let end = |_: &Line, child: &Child| signal("-KILL", &child.id().to_string());
    Scene::new("bkilled", 1).at_every_boundary(end, |_, ended| {
        assert!(matches!(ended.code, None | Some(0)), "{ended:?}");
    });
}

#[test]
fn interrupted() {
    let end = |_: &Line, child: &Child| signal("-INT", &child.id().to_string());
    Scene::new("binterrupted", 2).at_every_boundary(end, |_, ended| {
        assert!(matches!(ended.code, Some(0 | 130)), "{ended:?}");
    });
}

#[test]
fn cut_off_from_the_host() {
    let end = |line: &Line, _: &Child| {
        line.close(true);
        line.cut();
    };
    Scene::new("bcut", 3).at_every_boundary(end, |line, ended| {
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
        line.close(false);
    });
}
