//! A project of its own on this machine's engine, which is gone when the test ends.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bollard::Docker;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
    ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};
use cloudpad_engine::Engine;
use cloudpad_plugin_api::model::{Check, ContainerSpec, Health, Host, Instance, Project, label};
use cloudpad_plugin_api::stage::deploy::*;
use cloudpad_plugin_api::{Cancel, Context, Event, Failure};
use cloudpad_ssh::Deployer;
use futures_util::StreamExt;
use tokio::runtime::Runtime;

pub struct World {
    pub host: Arc<Host>,
    pub project: Project,
    pub image: String,
    /// The provider's configuration.
    pub config: serde_json::Value,
    pub cancel: Cancel,
    pub events: Arc<Mutex<Vec<Event>>>,
    /// Images that are removed at the end, beside `image`.
    pub also_remove: Vec<String>,
    runtime: Runtime,
    docker: Docker,
}

/// A name that no other test, and no other run, has.
pub fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("cpt-{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An image's file system: busybox, statically linked, and what the test adds.
pub fn busybox(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_path_with_name("/bin/busybox", "bin/busybox").expect("/bin/busybox (package busybox-static)");
    for applet in ["sh", "sleep", "httpd", "wget", "true", "false", "cat", "stty"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, format!("bin/{applet}"), "busybox").unwrap();
    }
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

impl World {
    pub fn new(name: &str) -> Self {
        Self::with_image(name, &[])
    }

    pub fn with_image(name: &str, changes: &[&str]) -> Self {
        let runtime = Runtime::new().unwrap();
        let docker = runtime.block_on(async { Engine::local().await.unwrap().docker().await.unwrap() });
        let project = Project { name: unique(name), environment: None };
        let image = format!("{}:1", project.name);
        let world = Self {
            host: Host::new("here", Host::LOCAL).into(),
            project,
            image,
            config: serde_json::Value::Null,
            cancel: Cancel::new(),
            events: Arc::default(),
            also_remove: Vec::new(),
            runtime,
            docker,
        };
        world.import(&world.image, busybox(&[("www/up", b"yes")]), changes);
        world
    }

    /// Does something with the engine behind the provider's back.
    pub fn engine<T>(&self, work: impl AsyncFnOnce(&Docker) -> T) -> T {
        self.runtime.block_on(work(&self.docker))
    }

    pub fn import(&self, image: &str, tar: Vec<u8>, changes: &[&str]) {
        let (repo, tag) = image.split_once(':').unwrap();
        let options = CreateImageOptionsBuilder::new().from_src("-").repo(repo).tag(tag);
        let options = options.changes(changes.iter().map(|c| (*c).to_owned()).collect()).build();
        self.engine(async |docker| {
            let mut steps = docker.create_image(Some(options), Some(bollard::body_full(tar.into())), None);
            while let Some(step) = steps.next().await {
                step.unwrap();
            }
        });
    }

    pub fn context(&self) -> Context {
        let events = self.events.clone();
        let emit = Arc::new(move |event| events.lock().unwrap().push(event));
        Context::new(self.config.clone(), emit, self.cancel.clone())
    }

    /// A spec that runs `script` with `sh -c`.
    pub fn script(&self, script: &str) -> ContainerSpec {
        ContainerSpec {
            image: self.image.clone(),
            command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            stop_timeout: 1,
            ..Default::default()
        }
    }

    pub fn start_request(&self, service: &str, spec: ContainerSpec) -> Start {
        Start {
            host: self.host.clone(),
            project: self.project.clone().into(),
            instance: Instance { service: service.into(), number: 1 },
            release: "r1".into(),
            container: format!("{}-{service}-1", self.project.name),
            spec_id: "id1".into(),
            spec: spec.into(),
        }
    }

    /// Runs `spec` and gives the container's name.
    pub fn run(&self, service: &str, spec: ContainerSpec) -> String {
        let request = self.start_request(service, spec);
        self.start(&request).unwrap();
        request.container
    }

    pub fn start(&self, request: &Start) -> Result<Started, Failure> {
        Deployer.start(&self.context(), request)
    }

    pub fn observe(&self) -> Observation {
        self.observe_with(None)
    }

    /// The same, having containers asked whether they serve; they may take so many milliseconds from their start.
    pub fn check_up(&self, ready_within_ms: u64) -> Observation {
        self.observe_with(Some(Checks { ready_within_ms }))
    }

    fn observe_with(&self, checks: Option<Checks>) -> Observation {
        let request = Observe {
            host: self.host.clone(),
            project: self.project.clone().into(),
            connects: false,
            releases: false,
            checks,
        };
        Deployer.observe(&self.context(), &request).unwrap()
    }

    /// The state of the project's container `name`; none when it is gone.
    pub fn state(&self, name: &str) -> Option<State> {
        self.observe().containers.into_iter().find(|c| c.name == name).map(|c| c.state)
    }

    /// Runs a command in the container `name`.
    pub fn exec(&self, name: &str, command: &[&str]) {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let (host, project, container) = (self.host.clone(), self.project.clone().into(), named(name));
        let (tty, env, user, workdir, stream) = (None, [].into(), None, None, None);
        let request = Exec { host, project, container, command, tty, env, user, workdir, stream };
        assert_eq!(Deployer.exec(&self.context(), &request).unwrap().exit_code, 0);
    }

    pub fn ready(&self, name: &str, health: Option<Health>) -> Result<BecameReady, Failure> {
        self.ready_within(name, health, 20_000)
    }

    pub fn ready_within(&self, name: &str, health: Option<Health>, ms: u64) -> Result<BecameReady, Failure> {
        let (host, container) = (self.host.clone(), name.to_owned());
        let request = Ready { host, container, health, settle_ms: 1_000, timeout_ms: ms };
        Deployer.ready(&self.context(), &request)
    }

    pub fn stop(&self, name: &str) -> Result<(), Failure> {
        self.stop_named(named(name))
    }

    pub fn stop_named(&self, container: Named) -> Result<(), Failure> {
        let (host, project) = (self.host.clone(), self.project.clone().into());
        Deployer.stop(&self.context(), &Stop { host, project, container, timeout: 1 })
    }

    pub fn remove(&self, containers: &[&str], images: &[&str]) -> Result<(), Failure> {
        self.remove_named(containers.iter().map(|name| named(name)).collect(), images)
    }

    pub fn remove_named(&self, containers: Vec<Named>, images: &[&str]) -> Result<(), Failure> {
        let (host, project) = (self.host.clone(), self.project.clone().into());
        let images = images.iter().map(|name| (*name).to_owned()).collect();
        Deployer.remove(&self.context(), &Remove { host, project, containers, images })
    }

    /// A running container that the project does not own.
    pub fn foreign(&self, name: &str) {
        let body = bollard::models::ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(["sleep", "600"].map(str::to_owned).to_vec()),
            labels: Some([("cpt-owner".to_owned(), self.project.name.clone())].into()),
            ..Default::default()
        };
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::new().name(name).build();
        self.engine(async |docker| {
            docker.create_container(Some(options), body).await.unwrap();
            docker.start_container(name, None).await.unwrap();
        });
    }

    /// A request to run `script` once.
    pub fn run_request(&self, what: &str, script: &str) -> Run {
        Run {
            host: self.host.clone(),
            project: self.project.clone().into(),
            release: "r1".into(),
            container: format!("{}-{what}", self.project.name),
            labels: [("cloudpad.job".to_owned(), what.to_owned())].into(),
            spec: self.script(script).into(),
            timeout_ms: None,
            keep: false,
            tty: None,
            stream: None,
        }
    }

    pub fn run_once(&self, request: &Run) -> Result<Ran, Failure> {
        Deployer.run(&self.context(), request)
    }

    /// The lines that were printed so far.
    pub fn lines(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let line = |event: &Event| match event {
            Event::Output { line, .. } => Some(line.clone()),
            _ => None,
        };
        events.iter().filter_map(line).collect()
    }

    /// Comes back when `line` was printed.
    pub fn await_line(&self, line: &str) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !self.lines().iter().any(|told| told == line) {
            assert!(std::time::Instant::now() < deadline, "no line `{line}`: {:?}", self.lines());
            std::thread::yield_now();
        }
    }

    pub fn is_running(&self, name: &str) -> bool {
        self.engine(async |docker| {
            docker.inspect_container(name, None).await.unwrap().state.unwrap().running.unwrap()
        })
    }
}

pub fn named(name: &str) -> Named {
    Named { id: None, name: name.to_owned() }
}

pub fn health(check: Check) -> Option<Health> {
    Some(Health { check, interval_ms: 200, timeout_ms: 1000, retries: 2 })
}

impl Drop for World {
    fn drop(&mut self) {
        let docker = &self.docker;
        self.runtime.block_on(async {
            for filter in [
                format!("{}={}", label::PROJECT, self.project.name),
                format!("cpt-owner={}", self.project.name),
            ] {
                let filters = [("label", vec![filter])].into();
                let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
                for container in docker.list_containers(Some(all)).await.unwrap_or_default() {
                    let force = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
                    let _ = docker.remove_container(&container.id.unwrap_or_default(), Some(force)).await;
                }
                let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
                for network in docker.list_networks(Some(networks)).await.unwrap_or_default() {
                    let _ = docker.remove_network(&network.id.unwrap_or_default()).await;
                }
                let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
                let volumes = docker.list_volumes(Some(volumes)).await.unwrap_or_default().volumes;
                for volume in volumes.unwrap_or_default() {
                    let _ = docker.remove_volume(&volume.name, None::<RemoveVolumeOptions>).await;
                }
            }
            for image in self.also_remove.iter().rev().chain([&self.image]) {
                let force = RemoveImageOptionsBuilder::new().force(true).build();
                let _ = docker.remove_image(image, Some(force), None).await;
            }
        });
    }
}
