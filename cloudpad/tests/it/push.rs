//! Images go straight to the hosts, and only what a host lacks.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use crate::support::{Project, noise};

const MEGABYTE: usize = 1_000_000;

/// An application with a large layer below the page.
fn with_a_large_layer(topic: &str) -> Project {
    let project = Project::new(topic);
    project.write("large", noise(8 * MEGABYTE));
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("Dockerfile", dockerfile.replace("COPY www", "COPY large /large\nCOPY www"));
    project.configure(&project.web());
    project
}

fn sent(outcome: &crate::support::Outcome) -> usize {
    outcome.report()["sent"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()).expect("bytes")
}

#[test]
fn a_changed_top_layer_is_all_that_is_sent() {
    let project = with_a_large_layer("layers");
    let first = sent(&project.deploy());
    assert!(
        first >= 3 * 8 * MEGABYTE,
        "each of three hosts needs the large layer, but {first} bytes were sent"
    );

    project.page("two");
    let second = sent(&project.deploy());
    assert!(second > 0, "the page was sent");
    assert!(second < 3 * 100_000, "{second} bytes were sent for a page");
    project.serves("two");
}

#[test]
fn a_layer_that_grows_is_sent_again_without_those_below() {
    let project = with_a_large_layer("grows");
    project.deploy();
    project.write("www/more", noise(MEGABYTE));
    let second = sent(&project.deploy());
    assert!((3 * MEGABYTE..3 * MEGABYTE * 11 / 10 + 300_000).contains(&second), "{second} bytes were sent");
    project.serves("one");
}

#[test]
fn push_brings_images_and_starts_nothing() {
    let project = Project::new("pushonly");
    project.configure(&project.web());
    project.run(&["push", "--json"]).expect(0);
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    let images = project.lab.host(3).run("docker images --format '{{.Repository}}'");
    assert!(images.lines().any(|image| image == format!("{}.web", project.name)), "{images}");
    let deploy = project.deploy();
    assert_eq!((sent(&deploy), deploy.count("build.run")), (0, 0), "{}", deploy.text());
    project.serves("one");
}

#[test]
fn build_builds_once_and_reaches_no_host() {
    let project = Project::new("build");
    project.configure_hosts("[hosts.dead]\naddress = \"127.0.0.250:2299\"\n", &project.web());
    project.run(&["build"]).expect(0);
    let again = project.run(&["build", "--json"]).expect(0);
    assert_eq!(
        again.count("build.run"),
        again.events().iter().filter(|e| e["reply"]["value"]["cached"] == true).count()
    );
}

#[test]
fn another_image_under_the_tag_is_replaced() {
    let project = Project::new("foreign");
    let deploy = |env: &str| {
        project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &(project.web() + env));
        project.deploy();
    };
    deploy("");
    let image = project.containers(1).remove(0).image;
    let other = format!("docker rmi -f {image} && tar -c -f - -C /etc hostname | docker import - {image}");
    project.lab.host(1).run(&other);
    deploy("env = { NEW = \"1\" }\n");
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

/// A way from this machine to the engine of a host, until it is dropped.
struct Tunnel {
    socket: PathBuf,
    ssh: Child,
}

impl Tunnel {
    fn to(project: &Project, number: usize) -> Self {
        let socket = project.path("engine.sock");
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&project.lab.ssh_config).args(["-N", "-o", "ExitOnForwardFailure=yes", "-L"]);
        ssh.arg(format!("{}:/var/run/docker.sock", socket.display()));
        let mut ssh = ssh.arg(&project.lab.host(number).name).spawn().expect("ssh does not start");
        while !socket.exists() {
            assert!(ssh.try_wait().is_ok_and(|ended| ended.is_none()), "ssh has ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { socket, ssh }
    }

    fn docker_host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.ssh.kill().and_then(|()| self.ssh.wait());
    }
}

#[test]
fn an_engine_with_containerds_store_sends_only_what_is_lacking() {
    let project = with_a_large_layer("exported");
    // The engine of h3 has that store, and builds in place of this machine's.
    project.write(".dockerignore", "*.sock\n");
    let tunnel = Tunnel::to(&project, 3);
    let docker_host = [("DOCKER_HOST", &*tunnel.docker_host())];
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &project.web());
    let deploy = || project.run_with(&["deploy", "--yes", "--json"], &docker_host).expect(0);
    let first = sent(&deploy());
    assert!(first > 8 * MEGABYTE, "{first} bytes were sent");
    project.page("two");
    let second = sent(&deploy());
    assert!((1..100_000).contains(&second), "{second} bytes were sent for a page");
    assert_eq!(project.get(1), Ok((200, "two".into())));
}
