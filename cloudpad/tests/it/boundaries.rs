//! Deploys that end at each boundary of an action, however they end: a version answers at all times, nobody keeps the lock,
//! and the next deploy comes to what was wanted.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;

use serde_json::Value;

use crate::routes::CERTIFICATES;
use crate::support::{Line, Project, Watch};

/// A project with instances of a service on one host, which are updated new before old.
struct Scene {
    project: Project,
    host: usize,
    line: Line,
    /// The name by which the host's proxy leads to it, where it does.
    route: Option<String>,
    version: usize,
}

impl Scene {
    /// On host `host`, which is reached through a program that the test can end; with a route, where that is said.
    fn new(topic: &str, host: usize, has_route: bool) -> Self {
        let project = Project::new(topic);
        let line = Line::to(&project, &format!("h{host}"));
        let route = has_route.then(|| format!("{}.test", project.name));
        let scene = Self { project, host, line, route, version: 0 };
        scene.configure();
        scene.project.deploy();
        scene
    }

    fn configure(&self) {
        let (project, name) = (&self.project, format!("h{}", self.host));
        let route = self.route.as_ref().map(|route| {
            let image = &project.lab.proxy_image;
            format!(
                "[services.web.route]\nhosts = [\"{route}\"]\n[proxy]\nimage = \"{image}\"\ndrain = \"500ms\"\n"
            )
        });
        let web = format!(
            "[deploy]\nkeep = 1\n[images.web]\n[services.web]\nimage = \"web\"\nper_host = {}\n\
             health = {{ http = \"/\", port = 8080, interval = \"200ms\" }}\n",
            self.instances()
        );
        project.configure_all(
            &self.line.config(),
            &format!("[hosts.{name}]\naddress = \"{name}\"\n"),
            &format!("{web}{}", route.unwrap_or_default()),
        );
    }

    /// How many there are. Each change of a proxy takes a while, so there is one with a route.
    fn instances(&self) -> usize {
        if self.route.is_some() { 1 } else { 2 }
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
        assert_eq!(running.len(), self.instances(), "after {after:?}: {running:?}");
        let again = self.project.deploy();
        assert_eq!(again.report()["ending"], "nothing_to_do", "after {after:?}:\n{}", again.text());
    }

    /// Ends deploys at every boundary there is, and checks what is left each time.
    fn at_every_boundary(mut self, end: impl Fn(&Line, &Child), check: impl Fn(&Line, &Ended)) {
        let watch = Watch::over_route(&self.project, self.host, self.route.as_deref().unwrap_or_default());
        let mut seen = Vec::new();
        while let Some(ended) = self.deploy_until(seen.len(), &end) {
            check(&self.line, &ended);
            self.converges(&ended);
            seen.push(ended.boundary);
        }
        let methods =
            ["build.run", "push.run", "deploy.start", "deploy.ready", "deploy.stop", "deploy.remove"];
        for method in methods.into_iter().chain(self.route.is_some().then_some("deploy.route")) {
            for word in ["started", "done"] {
                assert!(seen.contains(&format!("{word} {method}")), "no `{word} {method}` in {seen:?}");
            }
        }
        watch.always_served();
    }
}

/// The route goes, so that the proxy forgets it; the rest goes with the project.
impl Drop for Scene {
    fn drop(&mut self) {
        if self.route.take().is_some() {
            self.project.run(&["remove", "--yes"]);
        }
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
    let _beside = CERTIFICATES.read().unwrap_or_else(PoisonError::into_inner);
    let end = |_: &Line, child: &Child| signal("-KILL", &child.id().to_string());
    Scene::new("bkilled", 1, true).at_every_boundary(end, |_, ended| {
        assert!(matches!(ended.code, None | Some(0)), "{ended:?}");
    });
}

#[test]
fn interrupted() {
    let end = |_: &Line, child: &Child| signal("-INT", &child.id().to_string());
    Scene::new("binterrupted", 2, false).at_every_boundary(end, |_, ended| {
        assert!(matches!(ended.code, Some(0 | 130)), "{ended:?}");
    });
}

#[test]
fn cut_off_from_the_host() {
    let end = |line: &Line, _: &Child| {
        line.close(true);
        line.cut();
    };
    Scene::new("bcut", 3, false).at_every_boundary(end, |line, ended| {
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
        line.close(false);
    });
}
