//! What goes wrong, and what is left standing.

use std::path::PathBuf;

use crate::support::{Broken, Container, Lab, Project, breakable, get};

#[test]
fn a_failing_health_check_on_one_host_brings_the_old_version_back_everywhere() {
    let project = Project::new("unhealthy");
    let marks = breakable::marks(&project, 3);
    project.configure(&(project.web() + &marks + "[deploy]\nready_timeout = \"10s\"\n"));
    project.deploy();
    let before: Vec<_> = (1..=3).map(|number| project.running(number)).collect();

    project.page("two");
    breakable::break_new_versions(&project, 2);
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "undone", "{}", outcome.text());
    project.serves("one");
    assert!(
        outcome.report()["incomplete_hosts"].as_array().is_some_and(|hosts| hosts.contains(&"h2".into()))
    );
    assert!(outcome.report().to_string().contains("the database said no"), "{}", outcome.text());
    let after: Vec<_> = (1..=3).map(|number| project.running(number)).collect();
    let ids = |hosts: &[Vec<Container>]| -> Vec<String> {
        hosts.iter().flatten().map(|container| container.id.clone()).collect()
    };
    assert_eq!(ids(&after), ids(&before));
}

#[test]
fn the_failing_containers_last_lines_are_shown_to_people() {
    let project = Project::new("lastlines");
    let dockerfile = format!(
        "FROM {}\nCMD [\"sh\", \"-c\", \"echo one; echo cannot bind; exit 4\"]\n",
        project.lab.base_image
    );
    project.write("Dockerfile", dockerfile);
    project.configure("[images.web]\n[services.web]\nhosts = [\"h1\"]\nrestart = \"no\"\n");
    project.run(&["deploy", "--yes"]).expect(1).says("cannot bind").says("h1");
    // Nothing of a first deploy stays that `remove` would not know of.
    let networks = format!("docker network ls -q --filter name=^{}", project.name);
    assert_eq!(project.lab.host(1).run(&networks), "");
}

#[test]
fn a_failing_build_shows_the_steps_last_lines_and_touches_no_host() {
    let project = Project::new("badbuild");
    let dockerfile =
        format!("FROM {}\nRUN echo compiling; echo missing semicolon; exit 7\n", project.lab.base_image);
    project.write("Dockerfile", dockerfile);
    project.configure(&project.web());
    project.run(&["deploy", "--yes"]).expect(1).says("missing semicolon");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
}

/// Three hosts, of which nothing listens at the address of the last.
fn with_a_dead_host(project: &Project, rest: &str) {
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.h2]\naddress = \"h2\"\n[hosts.dead]\naddress = \"127.0.0.250:2299\"\n";
    project.configure_hosts(hosts, &(project.web() + rest));
}

#[test]
fn a_dead_host_is_named_before_anything_is_touched() {
    let project = Project::new("dead");
    with_a_dead_host(&project, "");
    let outcome = project.run(&["deploy", "--yes"]).expect(2);
    assert!(outcome.stderr.contains("dead"), "{}", outcome.text());
    assert_eq!([1, 2].map(|number| project.containers(number).len()), [0, 0]);
}

/// A second SSH server on h1, which forwards no TCP, at the host's own address and the project's second port.
struct Narrow<'a>(&'a Project);

impl<'a> Narrow<'a> {
    /// Starts it, and makes it known as `narrow` in the project's own `ssh_config`.
    fn start(project: &'a Project) -> Self {
        let (port, host) = (project.port + 1, project.lab.host(1));
        let options = format!("-o AllowTcpForwarding=no -o PidFile=/run/sshd-{port}.pid");
        host.run(&format!("$(command -v sshd) -f /etc/ssh/sshd_lab.conf -p {port} {options}"));
        let lab = std::fs::read_to_string(&project.lab.ssh_config).expect("ssh_config");
        let lab = lab.replace("Host h* ", "Host narrow h* ");
        let address = &host.direct;
        let narrow =
            format!("Host narrow\n  HostName {address}\n  Port {port}\n  HostKeyAlias {}\n", host.name);
        project.write("ssh_config", narrow + &lab);
        Self(project)
    }
}

impl Drop for Narrow<'_> {
    fn drop(&mut self) {
        self.0.lab.host(1).run(&format!("kill $(cat /run/sshd-{}.pid)", self.0.port + 1));
    }
}

#[test]
fn a_host_that_forwards_no_tcp_is_named_before_anything_is_touched() {
    let project = Project::new("narrow");
    let _narrow = Narrow::start(&project);
    let hosts = "[hosts.narrow]\naddress = \"narrow\"\n";
    project.configure_all(&project.path("ssh_config"), hosts, &project.web());
    project
        .run(&["deploy", "--yes"])
        .expect(2)
        .says("AllowTcpForwarding yes")
        .says("health check by command");
    assert_eq!(project.containers(1).len(), 0);

    let asked = project.web();
    let check = "health = { command = [\"true\"], interval = \"200ms\" }";
    let engine: Vec<_> = asked.lines().map(|l| if l.starts_with("health") { check } else { l }).collect();
    project.configure_all(&project.path("ssh_config"), hosts, &engine.join("\n"));
    project.deploy();
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

#[test]
fn a_dead_host_can_be_skipped_and_the_others_are_deployed() {
    let project = Project::new("skip");
    with_a_dead_host(&project, "[deploy]\nunreachable = \"skip\"\n");
    project.run(&["push"]).expect(1).says("warning: host `dead`").says("see the notes above");
    project.run(&["deploy", "--yes", "-q"]).expect(1).says("warning: host `dead`");
    for number in [1, 2] {
        assert_eq!(project.get(number), Ok((200, "one".into())));
    }
}

#[test]
fn a_wrong_host_key_is_refused() {
    let project = Project::new("hostkey");
    // The key of h2 for the address of h1.
    let known = std::fs::read_to_string(dir(&project).join("known_hosts")).expect("known_hosts");
    let line = |host: &str| {
        known.lines().find(|line| line.starts_with(&format!("{host},"))).expect("a line").to_owned()
    };
    let (names, _) =
        line("h1").split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two parts");
    let (_, key) = line("h2").split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two parts");
    project.write("known_hosts", format!("{names} {key}\n"));
    let outcome = deploy_with(&project, "UserKnownHostsFile", &project.path("known_hosts"));
    assert!(outcome.contains("host key"), "{outcome}");
    assert_eq!(project.containers(1), []);
}

#[test]
fn an_unknown_host_key_is_refused_with_its_fingerprint() {
    let project = Project::new("unknown");
    project.write("known_hosts", "");
    let outcome = deploy_with(&project, "UserKnownHostsFile", &project.path("known_hosts"));
    assert!(outcome.contains("SHA256:"), "{outcome}");
    assert_eq!(project.containers(1), []);
}

#[test]
fn a_key_that_the_host_does_not_know_is_refused() {
    let project = Project::new("auth");
    let key = project.path("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let outcome = deploy_with(&project, "IdentityFile", &key);
    assert!(outcome.contains("h1"), "{outcome}");
    assert!(outcome.contains("root"), "names the user: {outcome}");
    assert_eq!(project.containers(1), []);
}

#[test]
fn a_host_without_power_is_named_and_the_others_go_on() {
    let project = Project::with(Lab::alone(), "power");
    project.configure(&(project.web() + "[deploy]\nunreachable = \"skip\"\n"));
    project.deploy();
    project.page("two");
    let _mended = Broken::by(&project, 3, "kill");
    project.run(&["deploy", "--yes"]).expect(1).says("h3");
    assert_eq!([1, 2].map(|number| project.get(number)), [Ok((200, "two".into())), Ok((200, "two".into()))]);
}

#[test]
fn a_host_that_hangs_does_not_hang_the_deploy() {
    let project = Project::with(Lab::alone(), "frozen");
    project.configure(&(project.web() + "[deploy]\nunreachable = \"skip\"\n"));
    let _mended = Broken::by(&project, 3, "pause");
    project.run(&["deploy", "--yes"]).expect(1).says("h3");
    assert_eq!(get(&project.lab.host(1).direct, project.port, "/"), Ok((200, "one".into())));
}

#[test]
fn an_engine_that_hangs_is_named_and_so_is_the_wait_for_it() {
    let project = Project::with(Lab::alone(), "hung");
    project.configure(&project.web());
    let _mended = Broken::engine(&project, 3);
    project
        .run(&["deploy", "--yes"])
        .expect(2)
        .says("h3: still looking (10 s)")
        .says("the engine of `h3` does not answer");
    assert_eq!([1, 2].map(|number| project.containers(number).len()), [0, 0]);
}

#[test]
fn a_host_that_hangs_and_is_not_needed_is_hardly_waited_for_or_not_at_all() {
    let project = Project::with(Lab::alone(), "spare");
    let hosts = "[hosts.h1]\naddress = \"h1\"\nroles = [\"web\"]\n[hosts.h3]\naddress = \"h3\"\n";
    project.configure_hosts(hosts, &(project.web() + "roles = [\"web\"]\n"));
    let _mended = Broken::engine(&project, 3);
    project
        .run(&["deploy", "--yes"])
        .expect(0)
        .says("`h3` cannot be looked at: nothing is to run there, and it did not answer 5 s after");
    let alone = project.run(&["deploy", "--yes", "--host", "h1"]).expect(0);
    assert!(!alone.stderr.contains("h3"), "{}", alone.text());
    project.configure_hosts(hosts, &project.web());
    let alone = project.run(&["deploy", "--yes", "--host", "h1"]).expect(0);
    assert!(!alone.stderr.contains("h3"), "{}", alone.text());
}

/// The lab's folder.
fn dir(project: &Project) -> PathBuf {
    project.lab.ssh_config.parent().expect("a file has a folder").to_owned()
}

/// Deploys to h1 with one line of the lab's `ssh_config` replaced, which has to be refused.
fn deploy_with(project: &Project, option: &str, value: &std::path::Path) -> String {
    let text = std::fs::read_to_string(&project.lab.ssh_config).expect("ssh_config");
    let replace = |line: &str| {
        if line.trim_start().starts_with(option) {
            format!("  {option} {}\n", value.display())
        } else {
            format!("{line}\n")
        }
    };
    project.write("ssh_config", text.lines().map(replace).collect::<String>());
    project.configure_all(&project.path("ssh_config"), "[hosts.h1]\naddress = \"h1\"\n", &project.web());
    project.run(&["deploy", "--yes"]).expect(2).stderr
}
