//! Registries, images that are gone after the test, and calls whose events are kept.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use cloudpad_plugin_api::stage::push::{Gone, List, Listed, Push, Pushed, Remove, Run, Stored};
use cloudpad_plugin_api::{Cancel, Context, Event, Failure};
use cloudpad_registry::Registry;
use tempfile::TempDir;

/// User `ann` with the password `right`.
const USERS: &str = "ann:$2y$04$F0PH2xRnin1PPW8CwYw7/.K0C2yos2JGXFZyV511UOF54KJR/4qzm\n";

/// Runs `docker ARGS`; its output.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A registry on a port of its own.
pub struct Server {
    pub dir: TempDir,
    pub address: String,
    process: Child,
}

impl Server {
    /// One that lets everybody do everything.
    pub fn open() -> Self {
        Self::start("")
    }

    /// One that knows user `ann` with the password `right`.
    pub fn private() -> Self {
        Self::start("auth:\n  htpasswd:\n    realm: registry\n    path: DIR/users\n")
    }

    fn start(auth: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().display().to_string();
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: DIR/data\nhttp:\n  addr: 127.0.0.1:0\n{auth}"
        );
        fs::write(dir.path().join("config.yml"), config.replace("DIR", &root)).unwrap();
        fs::write(dir.path().join("users"), USERS).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(dir.path().join("config.yml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("these tests need Debian's package `docker-registry`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = log.find(|line| line.contains("listening on ")).expect("the registry has ended");
        // What nobody reads would block it.
        std::thread::spawn(move || log.for_each(drop));
        let address = listening.split("listening on ").nth(1).unwrap();
        let address = address.split('"').next().unwrap().to_owned();
        Self { dir, address, process }
    }

    /// Whether the repository has been pushed to.
    pub fn has(&self, repository: &str) -> bool {
        self.manifests(repository).exists()
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let all = fs::read_dir(self.manifests(repository).join("tags")).unwrap();
        let mut tags: Vec<_> = all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        tags.sort();
        tags
    }

    fn manifests(&self, repository: &str) -> PathBuf {
        self.dir.path().join("data/docker/registry/v2/repositories").join(repository).join("_manifests")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An image of this machine, gone with all its tags at the end.
pub struct Image {
    pub reference: String,
    pub name: String,
}

impl Image {
    /// One layer with a file of so many bytes of noise.
    pub fn new(size: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("base"), noise(size)).unwrap();
        let tar = Command::new("tar").arg("-C").arg(dir.path()).args(["-c", "base"]).output().unwrap();
        let image = Self::named();
        let mut import = Command::new("docker");
        import.args(["import", "-", &image.reference]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut import = import.spawn().unwrap();
        import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
        assert!(import.wait().unwrap().success());
        image
    }

    /// The same image with one more layer, with a file of so many bytes of noise.
    pub fn with_layer(&self, size: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("top");
        fs::write(&file, noise(size)).unwrap();
        let image = Self::named();
        let container = docker(&["create", &self.reference, "none"]);
        docker(&["cp", file.to_str().unwrap(), &format!("{container}:/top")]);
        docker(&["commit", &container, &image.reference]);
        docker(&["rm", &container]);
        image
    }

    fn named() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloudpad-registry-test-{}-{number}", std::process::id());
        Self { reference: format!("{name}:content"), name }
    }

    /// All references by which the engine knows it.
    pub fn references(&self) -> Vec<String> {
        let all = docker(&["image", "inspect", "--format", "{{join .RepoTags \" \"}}", &self.reference]);
        all.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // What a failed test has left behind.
        let two = format!("reference=*/*/{}", self.name);
        let three = format!("reference=*/*/*/{}", self.name);
        let list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &two, "--filter", &three];
        let Ok(other) = Command::new("docker").args(list).output() else { return };
        let other = String::from_utf8_lossy(&other.stdout).into_owned();
        let all = other.split_whitespace().chain([self.reference.as_str()]);
        let _ = Command::new("docker").args(["rmi", "--force"]).args(all).output();
    }
}

/// Bytes that cannot be compressed, others every time.
fn noise(size: usize) -> Vec<u8> {
    let mut noise = vec![0; size];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom").unwrap(), &mut noise).unwrap();
    noise
}

/// One call, with its events.
pub struct Call {
    config: serde_json::Value,
    events: Arc<Mutex<Vec<Event>>>,
    pub cancel: Cancel,
}

impl Call {
    pub fn new(config: serde_json::Value) -> Self {
        Self { config, events: Arc::default(), cancel: Cancel::new() }
    }

    /// Namespace `team/x` of the registry at `address`.
    pub fn to(address: &str) -> Self {
        Self::new(serde_json::json!({ "registry": address, "namespace": "team/x" }))
    }

    fn context(&self) -> Context {
        let events = self.events.clone();
        let emit = Arc::new(move |event| events.lock().unwrap().push(event));
        Context::new(self.config.clone(), emit, self.cancel.clone())
    }

    pub fn push(&self, reference: &str) -> Result<Pushed, Failure> {
        let run = Run { reference: reference.to_owned(), host: None, similar: Vec::new() };
        Registry.run(&self.context(), &run)
    }

    pub fn list(&self, repository: &str) -> Result<Listed, Failure> {
        Registry.list(&self.context(), &List { repository: repository.to_owned() })
    }

    /// Removes images as they were listed.
    pub fn remove(&self, repository: &str, images: &[&Stored]) -> Result<(), Failure> {
        let gone = |image: &&Stored| Gone {
            digest: image.digest.clone(),
            tags: [&image.tags[..], &image.releases].concat(),
        };
        let images = images.iter().map(gone).collect();
        Registry.remove(&self.context(), &Remove { repository: repository.to_owned(), images })
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}
