//! One application, and one list of what has to be so, on hosts, in a Docker Swarm and in a fleet: one line of `Cloudpad.toml` is
//! another. The fleet is the double of `plugins/fleet` over machines that are real: hosts whose first process is systemd.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::double::Double;
use crate::support::{Following, Host, Lab, Outcome, Project};

/// Where the application is deployed to.
struct Place {
    /// The line.
    deploy: String,
    /// The hosts that it may come to.
    hosts: Vec<Host>,
    fleet: Option<Double>,
}

/// The application: it says what it serves, and is well as long as it has a page for that.
struct App {
    project: Project,
    place: Place,
}

impl Place {
    fn hosts(lab: &Lab) -> Self {
        let deploy = format!(r#"{{ provider = "ssh", config = {{ ssh_config = {:?} }} }}"#, lab.ssh_config);
        Self { deploy, hosts: lab.hosts[..3].to_vec(), fleet: None }
    }

    fn swarm(lab: &Lab) -> Self {
        let config = format!(r#"{{ managers = ["h1"], ssh_config = {:?} }}"#, lab.ssh_config);
        let deploy = format!(r#"{{ provider = "swarm", config = {config} }}"#);
        Self { deploy, hosts: lab.hosts[..3].to_vec(), fleet: None }
    }

    fn fleet(lab: &Lab) -> Self {
        let (double, hosts) = (Double::start(), lab.hosts[3..5].to_vec());
        let machine = |host: &'_ Host| (host.name.clone(), host.container.clone(), host.direct.clone());
        let machines: Vec<_> = hosts.iter().map(machine).collect();
        double.world(|world| {
            world.be_real(&machines);
            // Its seconds are shorter than ours: how long fleet takes is no matter here.
            world.pace = 3;
        });
        let (port, config) = (double.port(), &lab.ssh_config);
        let config = format!(r#"{{ endpoint = "http://127.0.0.1:{port}", ssh_config = {config:?} }}"#);
        let deploy = format!(r#"{{ provider = "fleet", config = {config} }}"#);
        Self { deploy, hosts, fleet: Some(double) }
    }
}

impl App {
    fn new(topic: &str, place: fn(&Lab) -> Place) -> Self {
        let project = Project::new(topic);
        let place = place(&project.lab);
        let Lab { base_image, registry, .. } = &project.lab;
        project.write(
            "Dockerfile",
            format!(
                "FROM {base_image}\nCOPY www /www\nSTOPSIGNAL SIGKILL\n\
                 CMD [\"sh\", \"-c\", \"echo \\\"this is $(cat /www/index.html)\\\"; exec httpd -f -p 8080 -h /www\"]\n"
            ),
        );
        project.write(
            "Cloudpad.toml",
            format!(
                r#"[project]
name = "{name}"

[stages]
deploy = {deploy}
push = {{ provider = "registry", config = {{ registry = "{registry}", namespace = "{name}" }} }}

[hosts]
h1 = {{ address = "h1" }}
h2 = {{ address = "h2" }}
h3 = {{ address = "h3" }}

[deploy]
batch = "100%"
settle = "0s"
ready_timeout = "10s"

[images.web]

[services.web]
replicas = 2
ports = ["{port}:8080"]
health = {{ command = ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/well"], interval = "500ms" }}
"#,
                name = project.name,
                deploy = place.deploy,
                port = project.port
            ),
        );
        Self { project, place }
    }

    fn version(&self, page: &str, is_well: bool) {
        self.project.page(page);
        match is_well {
            true => self.project.write("www/well", "yes"),
            false => std::fs::remove_file(self.project.path("www/well")).expect("it was well before"),
        }
    }

    fn deploy(&self) -> Outcome {
        self.project.run(&["deploy", "--yes", "--json"])
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.project.run(args).expect(0)
    }

    /// Fails the test unless it is so within some seconds: what an engine has begun is not there at once.
    #[track_caller]
    fn soon(&self, wanted: &str, look: impl Fn() -> String) {
        let since = Instant::now();
        loop {
            let found = look();
            if found == wanted {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(10), "{found:?}, and not {wanted:?}");
        }
    }

    /// Fails the test unless so many instances answer with the page, each on a host of its own, and `ps` tells of as many.
    #[track_caller]
    fn serves(&self, page: &str, instances: usize) {
        let ask = |host: &Host| crate::support::get(&host.direct, self.project.port, "/").ok();
        let answer = |(status, page): (u16, String)| format!("{status} {page}\n");
        let answers = || self.place.hosts.iter().filter_map(ask).map(answer).collect();
        self.soon(&format!("200 {page}\n").repeat(instances), answers);
        let told = self.run(&["ps", "--json"]).stdout;
        assert_eq!(running(&told).len(), instances, "{told}");
    }

    /// What instances have printed: each line with the instance.
    fn logs(&self, args: &[&str]) -> BTreeSet<String> {
        let told = self.run(&[&["logs", "--json"], args].concat()).events();
        told.iter().map(|line| format!("{}: {}", line["instance"], line["line"]).replace('"', "")).collect()
    }

    /// Has an instance print a line.
    fn print(&self, line: &str) {
        let each = format!(
            "for c in $(docker ps -q --filter label=cloudpad.project={}); do \
             docker exec $c sh -c 'echo {line} >/proc/1/fd/1'; done",
            self.project.name
        );
        self.place.hosts.iter().for_each(|host| drop(host.run(&each)));
    }

    /// What of the project is anywhere.
    fn left(&self) -> String {
        if let Some(fleet) = &self.place.fleet {
            // Agents need some seconds to forget what is destroyed.
            fleet.pass(9);
            assert_eq!(fleet.wrongs(), [""; 0]);
            assert_eq!(fleet.world(|world| world.units.keys().cloned().collect::<Vec<_>>()), [""; 0]);
        }
        let script = format!(
            "docker ps -aq --filter label=cloudpad.project={0}; docker network ls -q --filter name=^{0}; \
             docker volume ls -q --filter name=^{0}; ls /run/systemd/system 2>/dev/null | grep ^{0}[.]; \
             for what in service config secret; do \
             docker $what ls -q --filter label=cloudpad.project={0} 2>/dev/null; done; true",
            self.project.name
        );
        self.place.hosts.iter().map(|host| host.run(&script)).collect()
    }

    /// All of its life.
    fn lives(&self) {
        self.version("one", true);
        self.project.run(&["plan", "--exit-code"]).expect(3);
        self.deploy().expect(0);
        self.serves("one", 2);
        assert_eq!(self.deploy().expect(0).report()["ending"], "nothing_to_do");

        self.version("two", true);
        self.deploy().expect(0);
        self.serves("two", 2);
        let lines = self.logs(&["web"]);
        assert!(lines.contains("web.1: this is two") && lines.contains("web.2: this is two"), "{lines:?}");
        let mut following = Following::new(&self.project, &["logs", "--follow", "--tail", "1", "web.2"]);
        self.print("hello");
        following.await_words(&["web.2", "hello"]);
        following.end("-INT");
        assert_eq!(self.logs(&["web.2", "--tail", "1"]), ["web.2: hello".to_owned()].into());

        // One that never is well: it is taken back, and what it has printed is told.
        self.version("broken", false);
        let failed = self.deploy().expect(1);
        assert!(failed.text().contains("this is broken"), "{}", failed.text());
        self.serves("two", 2);
        self.version("two", true);
        assert_eq!(self.deploy().expect(0).report()["ending"], "nothing_to_do");

        let mut watching = Following::new(&self.project, &["ps", "--watch", "--json"]);
        self.run(&["scale", "web=1", "--yes"]);
        while running(&watching.next_line()).len() != 1 {}
        watching.end("-INT");
        self.serves("two", 1);
        self.run(&["scale", "web=2", "--yes"]);
        self.serves("two", 2);
        let (told, releases) = (self.run(&["ps", "--json"]).stdout, self.run(&["releases"]).stdout);
        let rows: Vec<Value> = serde_json::from_str(&told).expect("rows");
        let known = |row: &Value| row["release"].as_str().is_some_and(|id| releases.contains(id));
        assert!(rows.iter().all(known), "{told}{releases}");
        self.run(&["rollback", "--yes"]);
        self.serves("one", 2);
        assert!(self.run(&["releases"]).text().contains("rollback"));

        self.run(&["remove", "--yes"]);
        // Engines of a swarm forget its networks a moment later.
        self.soon("", || self.left());
    }
}

/// The instances that run, and where, by what `ps --json` says.
fn running(told: &str) -> BTreeSet<String> {
    let rows: Vec<Value> = serde_json::from_str(told).expect("rows");
    let running = rows.iter().filter(|row| row["state"] == "running");
    running.map(|row| format!("{} on {}", row["instance"], row["host"])).collect()
}

impl Drop for App {
    /// A swarm and systemd would start again what the project's own end takes away.
    fn drop(&mut self) {
        let script = format!(
            "docker service ls -q --filter label=cloudpad.project={0} | xargs -r docker service rm; \
             systemctl stop '{0}.*'; rm -f /run/systemd/system/{0}.*",
            self.project.name
        );
        for host in &self.place.hosts {
            let exec = ["exec", &host.container, "sh", "-c", &script];
            let _ = std::process::Command::new("docker").args(exec).output();
        }
    }
}

#[test]
fn an_application_lives_on_hosts() {
    App::new("same-hosts", Place::hosts).lives();
}

#[test]
fn the_same_in_a_swarm() {
    App::new("same-swarm", Place::swarm).lives();
}

#[test]
fn the_same_in_a_fleet() {
    App::new("same-fleet", Place::fleet).lives();
}
