//! What happens to containers, as `cloudpad events` tells it.

use serde_json::Value;

use crate::support::{Container, Following, Lab, Project};

/// The container of instance `web.1` that runs on a host.
fn web(project: &Project, number: usize) -> Container {
    project.running(number).into_iter().find(|container| container.instance == "web.1").expect("it runs")
}

/// Kills it, and returns its name.
fn kill(project: &Project, number: usize) -> String {
    let container = web(project, number);
    project.lab.host(number).run(&format!("docker kill {}", container.id));
    container.name
}

/// `cloudpad events -v` with these arguments, once it has said this.
fn saying(project: &Project, args: &[&str], words: &[&str]) -> Following {
    let mut following = Following::new(project, &[&["events", "-v"], args].concat());
    following.await_said(words);
    following
}

#[test]
fn what_happens_is_told_as_it_happens_and_what_has_happened_where_it_is_asked_for() {
    let project = Project::new("events");
    project.configure(
        &(project.web() + "\n[services.worker]\nimage = \"web\"\ncommand = [\"sleep\", \"600\"]\n"),
    );
    project.deploy();
    let mut following = saying(&project, &["web"], &["h1: listening", "h2: listening", "h3: listening"]);
    let name = kill(&project, 2);
    let killed = following.await_words(&["web.1@h2", " kill (signal 9) ", &name]);
    assert!(killed.starts_with("web.1@h2 | 20"), "{killed}");
    following.await_words(&["web.1@h2", " die (exit code 137) ", &name]);
    project.page("two");
    project.deploy();
    following.await_words(&["web.1@h2", " ready ", &web(&project, 2).name]);
    let (code, said) = following.end("-INT");
    assert_eq!(code, Some(130), "{said}");

    let mut past = Following::new(&project, &["events", "web.1", "--since", "1h", "--host", "h2", "--json"]);
    let mut actions = Vec::new();
    while !actions.iter().any(|action| action == "die") {
        let told: Value = serde_json::from_str(&past.next_line()).expect("JSON");
        assert_eq!((&told["instance"], &told["host"]), (&"web.1".into(), &"h2".into()), "{told}");
        assert!(told["container"].as_str().is_some_and(|name| name.starts_with(&project.name)), "{told}");
        assert_eq!(told["exit_code"], if told["action"] == "die" { 137.into() } else { Value::Null });
        actions.push(told["action"].as_str().expect("an action").to_owned());
    }
    assert_eq!(actions, ["create", "start", "ready", "kill", "die"]);
    assert_eq!(past.end("-INT").0, Some(130));
}

#[test]
fn a_pipe_that_somebody_closes_ends_it_quietly() {
    let project = Project::new("events-closed");
    project.configure(&project.web());
    project.deploy();
    let mut following = Following::new(&project, &["events", "--since", "1h", "--host", "h1"]);
    following.next_line();
    let id = project.running(1)[0].id.clone();
    // It notices at the next line.
    let (code, said) =
        following.close(|| drop(project.lab.host(1).run(&format!("docker restart -t 0 {id}"))));
    assert!(code == Some(0) && !said.contains("error"), "{code:?} {said}");
}

/// A second SSH server on h2, whose connections are this test's alone.
struct Own<'a>(&'a Project);

impl<'a> Own<'a> {
    fn start(project: &'a Project) -> Self {
        let (port, host) = (project.port + 1, project.lab.host(2));
        let options = format!("-o PidFile=/run/sshd-{port}.pid");
        host.run(&format!("$(command -v sshd) -f /etc/ssh/sshd_lab.conf -p {port} {options}"));
        let lab = std::fs::read_to_string(&project.lab.ssh_config).expect("ssh_config");
        let lab = lab.replace("Host h* ", "Host own h* ");
        let own = format!("Host own\n  HostName {}\n  Port {port}\n  HostKeyAlias h2\n", host.direct);
        project.write("ssh_config", own + &lab);
        Self(project)
    }

    /// Cuts its connections.
    fn cut(&self) {
        self.0.lab.host(2).run(&format!("pkill -P $(cat /run/sshd-{}.pid)", self.0.port + 1));
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.0.lab.host(2).run(&format!("kill $(cat /run/sshd-{}.pid)", self.0.port + 1));
    }
}

#[test]
fn a_host_that_was_lost_is_listened_to_again_and_nothing_is_missed() {
    let project = Project::new("events-lost");
    let own = Own::start(&project);
    let hosts = "[hosts.own]\naddress = \"own\"\n";
    project.configure_all(&project.path("ssh_config"), hosts, &project.web());
    project.deploy();
    let mut following = saying(&project, &[], &["own: listening"]);
    own.cut();
    following.await_said(&["warning: own: "]);
    kill(&project, 2);
    following.await_said(&["own: listening again"]);
    following.await_words(&["web.1@own", " die (exit code 137)"]);
    assert_eq!(following.end("-INT").0, Some(130));
}

#[test]
fn what_is_not_there_is_told() {
    let project = Project::with(Lab::get(), "events-none");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, &project.web());
    project.run(&["events", "wbe"]).expect(2).says("there is no service `wbe`").says("did you mean `web`?");
    project.run(&["events", "else"]).expect(2).says("no service matches `else`").says("there is `web`");
    project.run(&["events", "--since", "soon"]).expect(2).says("a duration such as `10m`");
    project.run(&["events", "--host", "gone"]).expect(1).says("gone: ");
    let following = saying(&project, &[], &["error: gone: ", "h1: listening"]);
    assert_eq!(following.end("-INT").0, Some(130), "the other is listened to all the same");
}
