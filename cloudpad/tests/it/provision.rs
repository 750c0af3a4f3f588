//! `cloudpad hosts provision`: a bare machine becomes a host that is deployed to.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Host, Outcome, Project, docker, get};

/// A machine with an sshd and no engine, where `deploy` may become root.
struct Bare {
    host: Host,
}

impl Bare {
    /// One that `docker run` makes of these arguments.
    fn new(project: &Project, name: &str, run: &[String]) -> Self {
        assert!(!run.is_empty(), "the lab has no bare machine: `cargo xtask lab up`");
        let container = format!("{}-{name}", project.name);
        let begin = ["run", "--detach", "--name", &container, "--hostname", name];
        docker(&begin.into_iter().chain(run.iter().map(String::as_str)).collect::<Vec<_>>());
        let mut host = Host { name: name.to_owned(), direct: String::new(), container };
        host.wait_until("test -e /run/sshd.pid");
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        host.direct = docker(&["inspect", "--format", format, &host.container]);
        Self { host }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.host.container]);
    }
}

/// Has a project use these machines, by an `ssh_config` of its own.
fn configure(project: &Project, machines: &[&Bare]) {
    let (known, key) = (project.path("ssh/known_hosts"), &project.lab.key);
    let one = |Bare { host: Host { name, direct, .. } }: &&Bare| {
        format!(
            "Host {name}\nHostName {direct}\nUser deploy\nIdentityFile {}\nUserKnownHostsFile {}\n",
            key.display(),
            known.display()
        )
    };
    project.write("ssh_config", machines.iter().map(one).collect::<String>());
    let names = machines.iter().map(|bare| &bare.host.name);
    let hosts: String = names.map(|name| format!("[hosts.{name}]\naddress = \"{name}\"\n")).collect();
    project.configure_all(&project.path("ssh_config"), &hosts, &project.web());
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
    let bare = Bare::new(&project, "new", &project.lab.bare);
    configure(&project, &[&bare]);
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

/// The methods and the steps of a run, each with its host.
fn done(outcome: &Outcome) -> Vec<String> {
    let events = outcome.events();
    let of_steps = events.iter().filter(|event| event["event"] == "done" && event["object"] != "");
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let first = |text: String| text.trim_matches('`').split(' ').take(2).collect::<Vec<_>>().join(" ");
    of_steps.map(|event| format!("{}: {}", word(event, "host"), first(word(event, "object")))).collect()
}

#[test]
fn machines_with_systemd_become_members_of_etcd_from_which_hosts_are_read() {
    let project = Project::new("members");
    let [one, two] = ["one", "two"].map(|name| Bare::new(&project, name, &project.lab.bare_systemd));
    configure(&project, &[&one, &two]);
    project.run(&["hosts", "trust", "--yes"]).expect(0);
    let provision = ["hosts", "provision", "--etcd", "--yes", "--json"];
    // Without what signs, nothing is touched.
    let ssh = Command::new("sh").args(["-c", "command -v ssh"]).output().expect("no shell").stdout;
    project.write("bin/none", "");
    let ssh = String::from_utf8(ssh).expect("UTF-8");
    std::os::unix::fs::symlink(ssh.trim(), project.path("bin/ssh")).expect("no link");
    let bin = project.path("bin").display().to_string();
    let unsigned = project.run_with(&provision[..4], &[("PATH", &bin)]).expect(2);
    unsigned.says("a new etcd cluster of: one, two;").says("install `openssl` on this machine");
    one.host.run("test ! -e /etc/docker/daemon.json");
    let only_one = ["--host", "one"];
    let begun = project.run(&[&provision[..], &only_one[..]].concat()).expect(0);
    let steps =
        ["have logs", "install docker.io,", "start the", "put deploy", "make a", "give etcd", "start etcd,"];
    assert_eq!(done(&begun), steps.map(|step| format!("one: {step}")));
    one.host.run("systemctl is-active etcd docker && systemctl is-enabled etcd docker");

    // Who has the hosts read from there is told how, and another than who has made it is not let in.
    let again = project.run(&["hosts", "provision", "--etcd", "--yes", "--host", "one"]).expect(0);
    let again = again.says("nothing to do");
    let stage = again.stdout.clone();
    assert!(stage.contains(&format!("endpoints = [\"https://{}:2379\"]", one.host.direct)), "{stage}");
    let reads =
        |stage: &str| project.configure_all(&project.path("ssh_config"), "", &(project.web() + stage));
    reads(&stage);
    project.run(&["hosts", "add", "one", "one"]).expect(0);
    let key = stage.lines().filter(|line| !line.starts_with("cert") && !line.starts_with("key"));
    reads(&key.collect::<Vec<_>>().join("\n"));
    project.run(&["hosts", "ls"]).expect(2).says("no member of the etcd cluster has answered");

    // What was stopped there is started, what begins later joins, be it that nothing could be signed at first, and no key of any of them is told to anyone.
    configure(&project, &[&one, &two]);
    one.host.run("systemctl disable --now docker.service docker.socket 2>&1");
    let key = one.host.run("sha256sum /etc/etcd/pki/member.key");
    let authority = stage.lines().find_map(|line| line.strip_prefix("ca = ")).expect("an authority");
    let authority = Path::new(authority.trim_matches('"')).with_file_name("ca.key");
    let signs = std::fs::read(&authority).expect("its key");
    std::fs::write(&authority, "broken").expect("it cannot be written");
    let of = |steps: &[String], host: &str| {
        steps.iter().filter(|step| step.starts_with(host)).cloned().collect::<Vec<_>>()
    };
    let halfway = project.run(&provision).expect(1);
    let (report, halfway) = (halfway.report(), done(&halfway));
    assert_eq!((&report["not_run"], &report["failures"][0]["host"]), (&json!(2), &json!("two")), "{report}");
    assert_eq!(of(&halfway, "one"), ["one: start the"]);
    assert_eq!(of(&halfway, "two"), steps[..5].iter().map(|step| format!("two: {step}")).collect::<Vec<_>>());
    std::fs::write(&authority, signs).expect("it cannot be written");
    let joined = done(&project.run(&provision).expect(0));
    assert_eq!(of(&joined, "one"), ["one: tell the"]);
    assert_eq!(of(&joined, "two"), steps[4..].iter().map(|step| format!("two: {step}")).collect::<Vec<_>>());
    one.host.run("systemctl is-active docker && systemctl is-enabled docker && docker version");
    assert_eq!(one.host.run("sha256sum /etc/etcd/pki/member.key"), key);
    let both = project.run(&["hosts", "provision", "--etcd", "--yes"]).expect(0).says("nothing to do");
    assert!(both.stdout.contains(&format!("\"https://{}:2379\"]", two.host.direct)), "{}", both.text());
    reads(&both.stdout);
    shows(&project.run(&["hosts", "ls"]).expect(0), "one");
    let journals = std::fs::read_dir(project.path(".cloudpad/journal")).expect("a journal");
    for journal in journals {
        let text = std::fs::read_to_string(journal.expect("a file").path()).expect("text");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}
