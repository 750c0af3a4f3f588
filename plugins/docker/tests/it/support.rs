//! What the tests share: a base image, a project in a directory, and an engine to look at what came out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use cloudpad_docker::Docker;
use cloudpad_plugin_api::stage::build::{Arg, Build, Built, ImageState, Observe, Recipe, Run};
use cloudpad_plugin_api::stage::source::Resolved;
use cloudpad_plugin_api::{Cancel, Context, Event, Failure};
use tempfile::TempDir;

/// The image that test images begin with. It stays in the engine for the next run.
pub fn busybox() -> &'static str {
    const NAME: &str = "cloudpad-test/busybox:1";
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        if run("docker", &["image", "inspect", NAME]).status.success() {
            return;
        }
        let mut archive = tar::Builder::new(Vec::new());
        for (from, to) in program("busybox") {
            archive.append_path_with_name(from, to).unwrap();
        }
        let applets = ["sh", "cat", "echo", "ls", "sleep", "seq", "find", "stat", "mkdir", "chmod", "printf"];
        for applet in applets {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, format!("bin/{applet}"), "/bin/busybox").unwrap();
        }
        let archive = archive.into_inner().unwrap();
        let mut child = Command::new("docker")
            .args(["import", "--change", "ENV PATH=/bin", "-", NAME])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &archive).unwrap();
        assert!(child.wait().unwrap().success(), "the engine does not take the base image");
    });
    NAME
}

/// The files of a program of this machine: it and the libraries that it needs, with their places in an image.
pub fn program(name: &str) -> Vec<(PathBuf, String)> {
    let found = run("sh", &["-c", &format!("command -v {name}")]).stdout;
    let found = String::from_utf8(found).unwrap().trim().to_owned();
    assert!(!found.is_empty(), "these tests need `{name}` on this machine");
    // Of a static program it says that it is one, and prints no path.
    let libraries = String::from_utf8(run("ldd", &[&found]).stdout).unwrap();
    let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    let mut files: Vec<_> =
        libraries.map(|path| (PathBuf::from(path), path.trim_start_matches('/').to_owned())).collect();
    files.push((PathBuf::from(&found), format!("bin/{name}")));
    files
}

/// Runs a command to its end.
pub fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().unwrap_or_else(|error| panic!("`{program}`: {error}"))
}

/// What a command prints; it must succeed.
pub fn stdout(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A project: a directory with one image's files. Its images are removed with it.
pub struct Project {
    dir: TempDir,
    cache: TempDir,
    pub recipe: Recipe,
    /// Further names that are asked for.
    pub also: Vec<String>,
    pub docker: Docker,
    pub cancel: Cancel,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Project {
    /// An image with this Dockerfile, in which `BASE` stands for the base image and `UNIQUE` for something
    /// that no earlier run has had, so that its step is not cached.
    pub fn new(name: &str, dockerfile: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let source = Resolved {
            name: ".".into(),
            revision: None,
            dirty: false,
            path: dir.path().to_owned(),
            pinned: false,
        };
        let recipe = Recipe {
            name: name.into(),
            repository: format!("cloudpad-test/{name}-{}", std::process::id()),
            source,
            prepare: Vec::new(),
            context: ".".into(),
            dockerfile: "Dockerfile".into(),
            target: None,
            args: BTreeMap::new(),
            variables: BTreeMap::new(),
            runit: BTreeMap::new(),
            platforms: vec![],
            secrets: BTreeMap::new(),
            ssh: false,
            labels: BTreeMap::new(),
            cache_from: vec![],
            cache_to: None,
        };
        let project = Self {
            dir,
            cache: TempDir::new().unwrap(),
            recipe,
            also: Vec::new(),
            docker: Docker::default(),
            cancel: Cancel::new(),
            events: Arc::default(),
        };
        let unique = format!("{}-{:?}", std::process::id(), std::time::SystemTime::now());
        let unique: String = unique.chars().filter(char::is_ascii_digit).collect();
        project.write("Dockerfile", &dockerfile.replace("BASE", busybox()).replace("UNIQUE", &unique));
        project
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn arg(&mut self, name: &str, value: Arg) {
        self.recipe.args.insert(name.into(), value);
    }

    fn cx(&self) -> Context {
        let events = self.events.clone();
        let emit = move |event| events.lock().unwrap().push(event);
        Context::new(serde_json::Value::Null, Arc::new(emit), self.cancel.clone())
    }

    pub fn observe_all(&self, recipes: &[&Recipe]) -> Result<Vec<ImageState>, Failure> {
        let recipes = recipes.iter().copied().cloned().collect();
        let request = Observe { recipes, cache: self.cache.path().to_owned() };
        self.docker.observe(&self.cx(), &request).map(|images| images.images)
    }

    pub fn observe(&self) -> ImageState {
        self.observe_all(&[&self.recipe]).unwrap().remove(0)
    }

    pub fn run(&self, reference: &str, bases: BTreeMap<String, String>) -> Result<Built, Failure> {
        self.run_recipe(&self.recipe, reference, bases)
    }

    pub fn run_recipe(
        &self,
        recipe: &Recipe,
        reference: &str,
        bases: BTreeMap<String, String>,
    ) -> Result<Built, Failure> {
        let also = self.also.clone();
        let request = Run { recipe: recipe.clone(), reference: reference.into(), bases, also };
        self.docker.run(&self.cx(), &request)
    }

    /// Observes and builds.
    pub fn try_build(&self) -> Result<Built, Failure> {
        self.run(&self.observe().reference, BTreeMap::new())
    }

    /// The same; it must work.
    pub fn build(&self) -> Built {
        self.try_build().unwrap_or_else(|failure| panic!("{failure:#?}"))
    }

    /// What `command` prints in a container of the image.
    pub fn in_container(&self, command: &str) -> String {
        stdout("docker", &["run", "--rm", &self.observe().reference, "sh", "-c", command])
    }

    /// What has been told so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// The lines that steps have printed, with the step.
    pub fn output(&self) -> Vec<(String, String)> {
        let lines = self.events().into_iter().filter_map(|event| match event {
            Event::Output { source, line, .. } => Some((source, line)),
            _ => None,
        });
        lines.collect()
    }

    /// Everything there is in the image, layers and history, as bytes.
    pub fn saved(&self) -> Vec<u8> {
        let reference = self.observe().reference;
        let mut bytes = run("docker", &["save", &reference]).stdout;
        assert!(!bytes.is_empty());
        bytes.extend(run("docker", &["history", "--no-trunc", &reference]).stdout);
        bytes
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // By name: an image that adds nothing to the base image is the base image.
        let format = "{{.Repository}}:{{.Tag}}";
        let tags = run("docker", &["images", "--format", format, &self.recipe.repository]).stdout;
        for tag in String::from_utf8_lossy(&tags).lines() {
            run("docker", &["rmi", tag]);
        }
    }
}
