//! The project that is measured: one service on every host of the lab. Talks to files, the program and the hosts.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{Cost, cost};
use crate::lab::{Host, Lab};
use crate::shell::{self, Result, docker};

/// A project in a folder of its own; `down` removes what it has made on the hosts.
pub struct Project<'a> {
    program: &'a Path,
    pub lab: &'a Lab,
    pub name: &'static str,
    folder: PathBuf,
}

impl<'a> Project<'a> {
    /// An empty project.
    pub fn new(program: &'a Path, lab: &'a Lab, name: &'static str) -> Result<Self> {
        let folder = lab.ssh_config.with_file_name("bench").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        let project = Self { program, lab, name, folder };
        project.clean()?;
        Ok(project)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let fail = |error| format!("cannot write `{}`: {error}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        std::fs::write(&path, bytes).map_err(fail)
    }

    /// Writes the config: so many of the lab's hosts, and one service on each of them. They are reached by their
    /// own addresses, as over a network: the engine's proxy to the loopback ones puts off acknowledgements.
    pub fn configure(&self, hosts: usize, service: &str) -> Result<()> {
        let ssh = format!("ssh_config = \"{}\"", self.lab.ssh_config.display());
        let hosts: String = self
            .lab
            .hosts
            .iter()
            .take(hosts)
            .map(|h| format!("[hosts.{}]\naddress = \"{}\"\n", h.name, h.direct_name()))
            .collect();
        let text = format!(
            "[project]\nname = \"{}\"\n[stages.push.config]\n{ssh}\n[stages.deploy.config]\n{ssh}\n{hosts}\n\
             [images.web]\n[services.web]\n{service}\n",
            self.name
        );
        self.write("Cloudpad.toml", text.as_bytes())
    }

    /// The program with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(args).current_dir(&self.folder);
        command
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Result<Cost> {
        cost(&mut self.command(args))
    }

    /// `cloudpad deploy --yes --json`.
    pub fn deploy(&self) -> Result<Cost> {
        self.run(&["deploy", "--yes", "--json"])
    }

    /// The project's image as the last deploy of a host runs it.
    pub fn image(&self, host: &Host) -> Result<String> {
        let filter = format!("--filter=label=cloudpad.project={}", self.name);
        on(host, &format!("docker ps {filter} --format '{{{{.Image}}}}'"))
    }

    /// Removes what the project has made on hosts and on this machine.
    pub fn clean(&self) -> Result<()> {
        let name = self.name;
        let script = format!(
            "docker ps -aq --filter label=cloudpad.project={name} | xargs -r docker rm -f
             docker ps -aq --filter name=^{name}-byhand | xargs -r docker rm -f
             docker network ls -q --filter name=^{name}$ | xargs -r docker network rm
             docker volume ls -q --filter label=cloudpad.project={name} | xargs -r docker volume rm
             docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep -F '{name}.' | xargs -r docker rmi -f"
        );
        for host in &self.lab.hosts {
            on(host, &format!("{script}; true"))?;
        }
        shell::output(Command::new("sh").args(["-c", &format!("{script}; true")])).map(drop)
    }
}

/// Runs a script on a host without SSH.
pub fn on(host: &Host, script: &str) -> Result<String> {
    shell::output(&mut docker(["exec", &host.container, "sh", "-c", script]))
}

/// Runs a shell script on this machine; `$SSH` is the command that reaches a host.
pub fn by_hand(lab: &Lab, script: &str) -> Result<f64> {
    let ssh = format!("ssh -F {}", lab.ssh_config.display());
    cost(Command::new("bash").args(["-ec", script]).env("SSH", ssh)).map(|cost| cost.seconds)
}

/// A script that runs a command on each of three hosts at once, by their own addresses.
pub fn each(command: &str) -> String {
    format!(
        "for host in h1d h2d h3d; do $SSH $host '{command}' >/dev/null & pids=\"$pids $!\"; done; for pid in $pids; do wait $pid; done"
    )
}

/// Bytes that no compression makes smaller.
pub fn noise(bytes: usize) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut data = vec![0; bytes];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut data));
    read.map_err(|error| format!("cannot read `/dev/urandom`: {error}")).map(|()| data)
}
