//! A project of one test: a folder with an application, a home of its own, ports and a name that no other test has.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::containers::{self, Container};
use super::lab::docker;
use super::outcome::Outcome;
use super::{Answer, Host, Lab, get};

/// The port on which the application listens inside its container.
const INSIDE: u16 = 8080;

/// A service that no test of the hosts deploys.
pub const WEB: &str = "[images.web]\n\n[services.web]\nimage = \"web\"\n";

/// A test's project. What it has made on the hosts goes with it.
pub struct Project {
    pub lab: Lab,
    pub name: String,
    /// A port that no other test publishes; so are the nine after it.
    pub port: u16,
    folder: TempDir,
    home: TempDir,
}

impl Project {
    /// A project with a small web application, and `Cloudpad.toml` with the lab's three hosts and no
    /// service yet.
    pub fn new(topic: &str) -> Self {
        Self::with(Lab::get(), topic)
    }

    /// The same, in a lab that one has taken already.
    pub fn with(lab: Lab, topic: &str) -> Self {
        let port = free_port();
        let name = format!("{topic}-{port}");
        let folder = tempfile::tempdir().expect("no temporary folder");
        let home = tempfile::tempdir().expect("no temporary folder");
        let project = Self { lab, name, port, folder, home };
        project.write("Dockerfile", project.dockerfile());
        project.page("one");
        project
    }

    /// The application: a static page. `httpd` is process 1 and has no handler for a stop signal.
    fn dockerfile(&self) -> String {
        format!(
            "FROM {}\nCOPY www /www\nSTOPSIGNAL SIGKILL\nCMD [\"httpd\", \"-f\", \"-p\", \"{INSIDE}\", \"-h\", \"/www\"]\n",
            self.lab.base_image
        )
    }

    /// Writes the page that the application serves.
    pub fn page(&self, text: &str) {
        self.write("www/index.html", text);
    }

    /// Where a file of the project is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        write(&self.path(name), text.as_ref());
    }

    /// Writes a file into the home of the user who runs the program.
    pub fn write_home(&self, name: &str, text: &str) {
        write(&self.home.path().join(name), text.as_bytes());
    }

    /// Writes `Cloudpad.toml`: the project, the lab's hosts, and this.
    pub fn configure(&self, rest: &str) {
        let hosts: String = self
            .lab
            .hosts
            .iter()
            .take(3)
            .map(|Host { name, .. }| format!("[hosts.{name}]\naddress = \"{name}\"\n"))
            .collect();
        self.configure_hosts(&hosts, rest);
    }

    /// The same with other hosts.
    pub fn configure_hosts(&self, hosts: &str, rest: &str) {
        self.configure_all(&self.lab.ssh_config.clone(), hosts, rest);
    }

    /// The same with another `ssh_config`.
    pub fn configure_all(&self, ssh_config: &Path, hosts: &str, rest: &str) {
        let ssh = format!("ssh_config = \"{}\"", ssh_config.display());
        let text = format!(
            "[project]\nname = \"{}\"\n\n[stages.deploy.config]\n{ssh}\n\n{}{hosts}\n{rest}\n",
            self.name,
            if rest.contains("[stages.push") {
                String::new()
            } else {
                format!("[stages.push.config]\n{ssh}\n\n")
            },
        );
        self.write("Cloudpad.toml", text);
    }

    /// A service `web` of the image `web`, on every host, on this project's port, with a health check.
    pub fn web(&self) -> String {
        format!(
            "[images.web]\n\n[services.web]\nimage = \"web\"\nports = [\"{}:{INSIDE}\"]\n\
             health = {{ http = \"/\", interval = \"200ms\" }}\n",
            self.port
        )
    }

    /// Runs the program in the project's folder.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.run_with(args, &[])
    }

    /// The same with these variables in its environment.
    pub fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(args);
        let output = command.envs(environment.iter().copied()).output().expect("cloudpad does not start");
        Outcome::of(&command, &output)
    }

    /// Runs the program on a terminal, where a person types `answer`.
    pub fn on_terminal(&self, args: &[&str], answer: &str) -> Outcome {
        super::tty::run(self.command(args), answer)
    }

    /// The same, typing the answer once the program has shown `text`.
    pub fn answering(&self, args: &[&str], text: &str, answer: &str) -> Outcome {
        super::tty::answer(self.command(args), text, answer)
    }

    /// Runs the program on a terminal, where a person answers each text with another.
    pub fn talks_on_terminal(&self, args: &[&str], talk: &[(&str, &str)]) -> Outcome {
        super::tty::talk(self.command(args), talk)
    }

    /// Runs the program on a terminal, and interrupts it once it has shown `text`.
    pub fn interrupted_on_terminal(&self, args: &[&str], text: &str) -> Outcome {
        super::tty::interrupt(self.command(args), text)
    }

    /// The same with this on standard input.
    pub fn run_reading(&self, args: &[&str], input: &str) -> Outcome {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cloudpad does not start");
        let written = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        written.expect("cloudpad reads what it gets");
        Outcome::of(&command, &child.wait_with_output().expect("cloudpad is lost"))
    }

    /// The program in the project's folder, with nothing of the caller's environment but PATH.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// `cloudpad deploy --yes --json`, which has to succeed.
    #[track_caller]
    pub fn deploy(&self) -> Outcome {
        self.run(&["deploy", "--yes", "--json"]).expect(0)
    }

    /// The page that host `number` serves on this project's port.
    pub fn get(&self, number: usize) -> Answer {
        get(&self.lab.host(number).direct, self.port, "/")
    }

    /// Fails the test unless each of the three hosts serves this page.
    #[track_caller]
    pub fn serves(&self, page: &str) {
        let answers: Vec<Answer> = (1..=3).map(|number| self.get(number)).collect();
        assert_eq!(answers, vec![Ok((200, page.to_owned())); 3]);
    }

    /// The project's containers on host `number`, running or not.
    pub fn containers(&self, number: usize) -> Vec<Container> {
        containers::parse(&self.lab.host(number).run(&containers::script(&self.name)))
    }

    /// Those of them that run.
    pub fn running(&self, number: usize) -> Vec<Container> {
        self.containers(number).into_iter().filter(|container| container.running).collect()
    }

    /// The project's containers on all three hosts.
    pub fn all_containers(&self) -> Vec<Vec<Container>> {
        (1..=3).map(|number| self.containers(number)).collect()
    }

    /// The project's containers on this machine's own engine.
    pub fn local_containers(&self) -> Vec<Container> {
        let filter = format!("label=cloudpad.project={}", self.name);
        let ids = docker(&["ps", "-aq", "--no-trunc", "--filter", &filter]);
        let ids: Vec<&str> = ids.lines().collect();
        if ids.is_empty() {
            Vec::new()
        } else {
            containers::parse(&docker(&[&["inspect"], ids.as_slice()].concat()))
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let script = clean_up(&self.name);
        for host in &self.lab.hosts {
            let _ = Command::new("docker").args(["exec", &host.container, "sh", "-c", &script]).output();
        }
        let _ = Command::new("sh").args(["-c", &script]).output();
    }
}

/// Removes all that a project has made on an engine.
fn clean_up(name: &str) -> String {
    format!(
        "docker ps -aq --filter label=cloudpad.project={name} | xargs -r docker rm -fv
         docker network ls -q --filter name=^{name} | xargs -r docker network rm
         docker volume ls -q --filter name=^{name}[.] | xargs -r docker volume rm
         docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep -E '(^|/){name}[./:]' | xargs -r docker rmi -f"
    )
}

/// Bytes that no compression makes smaller and no other test has.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut data = vec![0; bytes];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut data));
    read.expect("no random bytes");
    data
}

/// Ten ports that no other test of this or another process of ours has.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let block = u16::try_from(std::process::id() % 35).unwrap_or_default();
    10_000 + block * 600 + NEXT.fetch_add(1, Ordering::Relaxed) * 10
}

fn write(path: &Path, text: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("cannot make a folder");
    std::fs::write(path, text).unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
}
