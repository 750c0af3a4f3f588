//! What units have systemd do, done without systemd: their commands, read as it would, on this machine's engine. I/O: processes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cloudpad_fleet::place::Place;
use cloudpad_fleet::service::{Wanted, template};
use cloudpad_fleet::unit::{UnitOption, values};
use cloudpad_plugin_api::model::{Check, ContainerSpec, Health, Project};

use crate::systemd::read;

/// A unit whose image is busybox; all of it goes at the end.
struct Unit {
    options: Vec<UnitOption>,
    prefix: String,
}

const SERVES: &str = "sleep 1; exec httpd -f -p 8080 -h /bin";

impl Unit {
    fn of(what: &str, change: impl FnOnce(&mut ContainerSpec)) -> Self {
        let project = Project { name: format!("cpt-fleet-{what}-{}", std::process::id()), environment: None };
        let image = format!("{}:1", project.name);
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::copy("/bin/busybox", bin.join("busybox")).expect("/bin/busybox (package busybox-static)");
        for applet in ["sh", "sleep", "httpd", "test", "cat"] {
            symlink("busybox", bin.join(applet)).unwrap();
        }
        let script = format!("tar -C {} -c . | docker import - {image}", folder.path().display());
        assert!(Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).status().unwrap().success());
        let command = ["/bin/sh", "-c", SERVES].map(str::to_owned).to_vec();
        let mut spec = ContainerSpec { command: Some(command), stop_timeout: 1, ..ContainerSpec::default() };
        change(&mut spec);
        let wanted = Wanted {
            project: &project,
            service: "web",
            spec: &spec,
            image: &image,
            place: &Place::default(),
            is_everywhere: false,
            is_spread: false,
        };
        Self { options: template(&wanted).unwrap().options, prefix: project.name }
    }

    fn commands(&self, name: &str) -> Vec<Command> {
        let command = |value: &str| {
            let words = read(value.trim_start_matches('-'), &self.prefix, "7");
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        values(&self.options, "Service", name).into_iter().map(command).collect()
    }

    /// Begins as systemd does, to where it would say `activating`.
    fn start(&self) -> Child {
        for mut command in self.commands("ExecStartPre") {
            command.status().unwrap();
        }
        self.commands("ExecStart").remove(0).spawn().unwrap()
    }

    /// Whether the probe has found that it serves.
    fn probe(&self, main: &Child) -> ExitStatus {
        self.commands("ExecStartPost").remove(0).env("MAINPID", main.id().to_string()).status().unwrap()
    }

    fn stop(&self, mut main: Child) -> ExitStatus {
        assert!(self.commands("ExecStop").remove(0).status().unwrap().success());
        let ended = main.wait().unwrap();
        self.after();
        ended
    }

    /// What systemd does in the end, however it has come to that.
    fn after(&self) {
        for mut command in self.commands("ExecStopPost") {
            command.status().unwrap();
        }
    }

    fn docker(&self, words: &[&str]) -> String {
        let out = Command::new("docker").args(words).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    fn container(&self) -> String {
        format!("{}.7", self.prefix)
    }

    fn network(&self) -> String {
        format!("{}.net", self.prefix)
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.docker(&["rm", "--force", &self.container()]);
        self.docker(&["rmi", &format!("{}:1", self.prefix)]);
        self.docker(&["network", "rm", &self.network()]);
    }
}

fn health(check: Check) -> Option<Health> {
    Some(Health { check, interval_ms: 100, timeout_ms: 2000, retries: 3 })
}

#[test]
fn a_unit_is_active_once_its_container_serves_and_leaves_nothing() {
    let odd = "a \"b\" $HOME %n \\ ;\n'c'";
    let unit = Unit::of("serves", |spec| {
        spec.env = [("ODD".to_owned(), odd.to_owned())].into();
        spec.health = health(Check::Http { port: 8080, path: "/sh".to_owned() });
        spec.memory = Some(64 << 20);
    });
    let main = unit.start();
    assert_eq!(unit.probe(&main).code(), Some(0));
    assert!(
        unit.docker(&["exec", &unit.container(), "cat", "/proc/1/environ"]).contains(&format!("ODD={odd}\0"))
    );
    let labels =
        unit.docker(&["inspect", "-f", "{{json .Config.Labels}} {{.HostConfig.Memory}}", &unit.container()]);
    assert!(labels.contains(r#""cloudpad.instance":"7""#) && labels.contains("67108864"), "{labels}");
    // A stop that the shell's child does not hear ends with the engine's kill.
    assert!(matches!(unit.stop(main).code(), Some(143 | 137)));
    let there = ["ps", "-aq", "--filter", &format!("name={}", unit.container())];
    assert_eq!(unit.docker(&there), "");
    // One that does not serve yet: systemd kills its main process, and does not begin with `ExecStop`.
    let mut main = unit.start();
    while unit.docker(&["ps", "-q", "--filter", &format!("name={}", unit.container())]).is_empty() {}
    main.kill().unwrap();
    main.wait().unwrap();
    assert_ne!(unit.docker(&there), "");
    unit.after();
    // The engine removes it once it has stopped, and nobody waits for that.
    let since = Instant::now();
    while !unit.docker(&there).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(10), "it is still there");
    }
}

#[test]
fn every_probe_sees_one_that_serves() {
    let serves = ["/bin/test", "-x", "/bin/httpd"].map(str::to_owned).to_vec();
    for (what, check) in [("tcp", Check::Tcp { port: 8080 }), ("command", Check::Command { command: serves })]
    {
        let unit = Unit::of(what, |spec| {
            spec.health = health(check);
            spec.networks = vec![format!("cpt-fleet-{what}-{}.net", std::process::id())];
        });
        let main = unit.start();
        assert_eq!(unit.probe(&main).code(), Some(0), "{what}");
        // Another container in the network keeps it there.
        let network = ["network", "ls", "--quiet", "--filter", &format!("name={}", unit.network())];
        for mut command in unit.commands("ExecStopPost").into_iter().skip(1) {
            command.status().unwrap();
        }
        assert_ne!(unit.docker(&network), "", "{what}");
        unit.stop(main);
        assert_eq!(unit.docker(&network), "", "{what}");
    }
}

#[test]
fn a_probe_ends_with_a_container_that_never_serves() {
    let ends = ["/bin/sh", "-c", "sleep 1; exit 3"].map(str::to_owned).to_vec();
    for check in
        [Check::Tcp { port: 8080 }, Check::Http { port: 8080, path: "/none".to_owned() }, Check::Image]
    {
        let unit = Unit::of("ends", |spec| {
            spec.command = Some(ends.clone());
            spec.health = health(check);
        });
        let mut main = unit.start();
        // systemd would have waited for its child.
        let mut probe =
            unit.commands("ExecStartPost").remove(0).env("MAINPID", main.id().to_string()).spawn().unwrap();
        assert_eq!(main.wait().unwrap().code(), Some(3));
        assert_eq!(probe.wait().unwrap().code(), Some(1));
    }
}
