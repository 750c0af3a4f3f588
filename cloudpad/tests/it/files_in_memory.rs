//! Secrets as files: in the memory of the host, for the container that names them, and nowhere else.

use std::fs;

use crate::support::{Host, Lab, Project};

const FIRST: &str = "first-s3cret value";
const SECOND: &str = "second-s3cret value";

/// A project on a host whose service has secrets in files, and runs as a user of its own.
fn project(lab: Lab, topic: &str, host: usize) -> Project {
    let project = Project::with(lab, topic);
    let secrets = "secrets = { \"/run/secrets/token\" = \"token\", \
                   \"/etc/app/key.pem\" = { name = \"token\", mode = \"0444\", uid = 7, gid = 8 } }\n\
                   [deploy]\nkeep = 0\n";
    let web = project.web() + secrets;
    let host = &project.lab.host(host).name;
    project.configure_hosts(&format!("[hosts.{host}]\naddress = \"{host}\"\n"), &web);
    let dockerfile = fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("Dockerfile", dockerfile + "COPY passwd /etc/passwd\nUSER app\n");
    project.write("passwd", "app:x:1000:1001::/:/bin/false\n");
    project.write(".dockerignore", ".env\n");
    set(&project, FIRST);
    project
}

fn set(project: &Project, value: &str) {
    project.write(".env", format!("token='{value}'\n"));
}

/// What a script prints in the project's one running container.
fn inside(project: &Project, number: usize, script: &str) -> String {
    let id = project.running(number).remove(0).id;
    project.lab.host(number).run(&format!("docker exec --user 0 {id} sh -c '{script}'"))
}

fn value(project: &Project, number: usize) -> String {
    inside(project, number, "cat /run/secrets/token")
}

/// The files on a host's disk that hold this text.
fn on_disk(host: &Host, text: &str) -> String {
    host.run(&format!("grep -rlsF '{text}' /var/lib/docker /var/lib/containerd /tmp /root /var/log || :"))
}

#[test]
fn a_file_is_in_memory_and_for_its_container_alone() {
    for number in [1, 3] {
        let project = project(Lab::get(), "secretfile", number);
        let host = project.lab.host(number);
        let outcome = project.deploy();
        assert!(!outcome.text().contains(FIRST), "{}", outcome.text());
        assert_eq!(value(&project, number), FIRST);
        assert_eq!(inside(&project, number, "stat -c \"%a %u %g\" /run/secrets/token"), "400 1000 1001");
        assert_eq!(inside(&project, number, "stat -c \"%a %u %g\" /etc/app/key.pem"), "444 7 8");
        let mount = inside(&project, number, "grep /run/secrets/token /proc/mounts");
        assert!(mount.contains(" tmpfs ro,"), "{mount}");
        let running = project.running(number).remove(0);
        let inspected = host
            .run(&format!("docker inspect {0}; docker history --no-trunc {1}", running.id, running.image));
        assert!(!inspected.contains(FIRST) && !format!("{:?}", running.env).contains(FIRST), "{inspected}");
        let arguments = host.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[f]irst-s3cret' || :");
        assert_eq!(arguments, "0", "processes with the value among their arguments");
        assert_eq!(on_disk(host, FIRST), "");
        let plan = project.run(&["plan", "--json"]).expect(0);
        assert!(!plan.text().contains(FIRST), "{}", plan.text());
        let left =
            host.run(&format!("docker ps -aq --no-trunc --filter label=cloudpad.project={}", project.name));
        assert_eq!(left, running.id, "and none that only brought the files");
        let shown =
            host.run("su nobody -s /bin/sh -c 'ls /run/cloudpad/secrets/*/' 2>/dev/null || echo hidden");
        assert_eq!(shown, "hidden");
    }
}

#[test]
fn another_value_is_an_update_and_nothing_of_the_first_stays() {
    let project = project(Lab::get(), "secretfile2", 1);
    project.deploy();
    assert!(project.deploy().changes().is_empty());
    let before = project.running(1).remove(0);
    set(&project, SECOND);
    let plan = project.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("(secrets./etc/app/key.pem, secrets./run/secrets/token)"),
        "{}",
        plan.text()
    );
    project.deploy();
    assert_eq!(value(&project, 1), SECOND);
    assert!(project.containers(1).iter().all(|container| container.id != before.id));
    let host = project.lab.host(1);
    let left = host.run(&format!("stat -c %F /run/cloudpad/secrets/{}", before.name));
    assert_eq!(left, "regular empty file");
}

#[test]
fn a_container_that_its_engine_starts_again_finds_its_files() {
    let project = project(Lab::get(), "secretfile3", 1);
    project.deploy();
    let host = project.lab.host(1);
    let id = project.running(1).remove(0).id;
    host.run(&format!("kill -9 $(docker inspect -f '{{{{.State.Pid}}}}' {id})"));
    let again = format!("docker inspect -f '{{{{.RestartCount}}}} {{{{.State.Running}}}}' {id}");
    host.wait_until(&format!("[ \"$({again})\" = '1 true' ]"));
    assert_eq!(value(&project, 1), FIRST);
}

#[test]
fn after_a_restart_of_the_host_the_next_deploy_brings_the_files_back() {
    let project = project(Lab::alone(), "secretfile4", 2);
    project.deploy();
    let host = project.lab.host(2);
    let id = project.running(2).remove(0).id;
    crate::support::docker(&["restart", &host.container]);
    host.wait_for_engine();
    assert_eq!(host.run("ls /run/cloudpad 2>/dev/null || echo gone"), "gone");
    assert_eq!(project.running(2), [], "not without its secrets");
    let started = project.deploy();
    assert_eq!(started.count("deploy.start"), 1, "{}", started.text());
    assert_eq!((project.running(2).remove(0).id, value(&project, 2)), (id, FIRST.to_owned()));
}

#[test]
fn a_host_that_would_write_them_to_its_disk_gets_none() {
    let project = project(Lab::alone(), "secretfile5", 2);
    let host = project.lab.host(2);
    host.run("mkdir -p /run/cloudpad /var/tmp/disk; mount --bind /var/tmp/disk /run/cloudpad");
    let outcome = project.run(&["deploy", "--yes"]);
    let found = host.run("find /var/tmp/disk -type f; umount /run/cloudpad");
    outcome
        .expect(1)
        .says("`/run/cloudpad/secrets` of the host is not in memory")
        .says("mount a `tmpfs` at `/run`");
    assert_eq!(found, "");
}
