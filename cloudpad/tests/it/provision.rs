//! `cloudpad hosts provision`: a bare machine becomes a host that is deployed to.

use serde_json::{Value, json};

use crate::support::{Host, Outcome, Project, docker, get};

/// A machine with an sshd and no engine, where `deploy` may become root.
struct Bare {
    host: Host,
}

impl Bare {
    fn new(project: &Project) -> Self {
        let bare = &project.lab.bare;
        assert!(!bare.is_empty(), "the lab has no bare machine: `cargo xtask lab up`");
        let container = format!("{}-bare", project.name);
        let run = ["run", "--detach", "--name", &container, "--hostname", "bare"];
        docker(&run.into_iter().chain(bare.iter().map(String::as_str)).collect::<Vec<_>>());
        let mut host = Host { name: "new".to_owned(), direct: String::new(), container };
        host.wait_until("test -e /run/sshd.pid");
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        host.direct = docker(&["inspect", "--format", format, &host.container]);
        Self { host }
    }

    fn configure(&self, project: &Project) {
        let (known, key) = (project.path("ssh/known_hosts"), &project.lab.key);
        let config = format!(
            "Host new\nHostName {}\nUser deploy\nIdentityFile {}\nUserKnownHostsFile {}\n",
            self.host.direct,
            key.display(),
            known.display()
        );
        project.write("ssh_config", config);
        let hosts = "[hosts.new]\naddress = \"new\"\n";
        project.configure_all(&project.path("ssh_config"), hosts, &project.web());
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.host.container]);
    }
}

/// Fails the test unless standard output has these words in a line.
#[track_caller]
fn shows(outcome: &Outcome, words: &str) {
    let mut lines = outcome.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(lines.any(|line| line.contains(words)), "no `{words}` in {}", outcome.text());
}

#[test]
fn a_bare_machine_becomes_a_host_step_by_step() {
    let project = Project::new("provision");
    let bare = Bare::new(&project);
    bare.configure(&project);
    let provision = ["hosts", "provision", "--yes"];
    project.run(&provision).expect(2).says("the host key of").says("is not known");
    shows(&project.run(&["doctor"]).expect(1), "MEND key");
    project.run(&["hosts", "trust", "--yes"]).expect(0);

    // Nothing is done before it was shown and agreed to.
    let shown = project.run(&["hosts", "provision"]).expect(2).says("there is no terminal to ask on");
    let shown = shown.says("+ have logs rotated").says("+ install docker.io, ca-certificates");
    shown.says("+ start the engine").says("+ put deploy into the group docker");
    shows(&project.run(&["doctor"]).expect(1), "MEND engine there is none");
    bare.host.run("test ! -e /etc/docker/daemon.json && ! command -v dockerd");

    // A step that fails ends it there, says what it has printed, and what was done before it stays.
    bare.host.run("echo '{\"mtu\": 1400}' >/etc/docker/daemon.json; echo Nonsense: >/etc/apt/preferences");
    let failed = project
        .run(&provision)
        .expect(1)
        .says("`install docker.io, ca-certificates` has ended with exit code 100");
    failed
        .says("/etc/apt/preferences")
        .says("run the same again")
        .says("1 done, 1 failed on new, 3 not begun");
    bare.host.run("! command -v dockerd && grep -q '\"mtu\": 1400' /etc/docker/daemon.json.before-cloudpad");

    bare.host.run("rm /etc/apt/preferences");
    let done = project.run(&["hosts", "provision", "--yes", "--json"]).expect(0).events();
    let names: Vec<_> =
        done.iter().filter(|event| event["event"] == "done").map(|event| &event["object"]).collect();
    assert_eq!(
        names,
        [
            "`install docker.io, ca-certificates`",
            "`start the engine, now and with the host`",
            "`put deploy into the group docker`",
            "",
        ]
    );
    let mut printed = done.iter().filter_map(|event| event["detail"]["line"].as_str());
    assert!(printed.any(|line| line.contains("Setting up docker.io")), "what steps print is kept");
    let config = bare.host.run("cat /etc/docker/daemon.json");
    let config: Value = serde_json::from_str(&config).expect("JSON");
    let expected =
        json!({"mtu": 1400, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}});
    assert_eq!(config, expected);
    project.run(&provision).expect(0).says("nothing to do");
    let history = project.run(&["history"]).expect(0);
    assert!(history.stdout.contains("hosts provision"), "{}", history.text());

    project.deploy();
    assert_eq!(get(&bare.host.direct, project.port, "/"), Ok((200, "one".to_owned())));
    let logs = bare.host.run("docker inspect --format '{{.HostConfig.LogConfig}}' $(docker ps -q)");
    assert!(logs.contains("max-size:10m"), "{logs}");
    let well = project.run(&["doctor"]).expect(0).says("all is well");
    shows(&well, "ok engine");
    shows(&well, "ok logs are rotated");
    shows(&well, "ok start it starts with the host");
}
