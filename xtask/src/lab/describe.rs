//! The files by which tests and people find the lab: `lab.json`, `ssh_config`, `known_hosts`.

use std::fmt::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::image::Variant;
use super::{Settings, hosts, keys, services};
use crate::shell::Result;

/// `lab.json`: where everything of a lab is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lab {
    /// The lab's name, which its containers begin with.
    pub name: String,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// What `docker run --detach` takes to make a machine with an sshd and no engine.
    #[serde(default)]
    pub bare: Vec<String>,
    /// The same with systemd as its first process.
    #[serde(default)]
    pub bare_systemd: Vec<String>,
    /// An `ssh_config` that knows them by name.
    pub ssh_config: PathBuf,
    /// The private key that they let in.
    pub key: PathBuf,
    /// Their host keys.
    pub known_hosts: PathBuf,
    /// The registry without TLS, `address:port`; the same on this machine and on the hosts.
    pub registry: String,
    /// The same registry with TLS and a password.
    pub registry_tls: String,
    /// Its user.
    pub registry_user: String,
    /// The user's password.
    pub registry_password: String,
    /// The certificate of the authority that vouches for it.
    pub ca: PathBuf,
    /// The URL of etcd.
    pub etcd: String,
    /// What test applications are built on; in this machine's engine and in the registry.
    pub base_image: String,
    /// The proxy that routes requests; in this machine's engine and in the registry.
    pub proxy_image: String,
}

/// A host of the lab.
#[derive(Debug, Serialize, Deserialize)]
pub struct Host {
    /// Such as `h1`.
    pub name: String,
    /// `address:port` of its sshd on a loopback address.
    pub address: String,
    /// Its own address, with the ports that its containers publish, and sshd on 22.
    pub direct: String,
    /// Who may log in; `deploy`, in the group `docker`, may as well.
    pub user: String,
    /// Its container in this machine's engine.
    pub container: String,
}

impl Host {
    /// The name under which `ssh_config` has it by its own address.
    pub fn direct_name(&self) -> String {
        format!("{}d", self.name)
    }
}

/// Where the lab's `ssh_config` is.
pub fn ssh_config(settings: &Settings) -> PathBuf {
    settings.dir.join("ssh_config")
}

/// Writes the three files.
pub fn write(settings: &Settings, subnet: &str, hosts: u8, bare: &str) -> Result<Lab> {
    let lab = describe(settings, subnet, hosts, bare);
    let json = serde_json::to_string_pretty(&lab).map_err(|error| error.to_string())?;
    keys::write(&settings.dir.join("lab.json"), &json)?;
    keys::write(&lab.ssh_config, &config(settings, &lab))?;
    keys::write(&lab.known_hosts, &known_hosts(settings, &lab)?)?;
    Ok(lab)
}

impl Lab {
    /// Reads `lab.json`.
    pub fn read(settings: &Settings) -> Result<Self> {
        let path = settings.dir.join("lab.json");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!("cannot read `{}`: {error}\nhint: `cargo xtask lab up`", path.display())
        })?;
        serde_json::from_str(&text).map_err(|error| format!("`{}` is not a lab: {error}", path.display()))
    }

    /// What a person wants to know.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for host in &self.hosts {
            let _ = writeln!(
                text,
                "{:4} ssh {}@{}   containers' ports on {}",
                host.name, host.user, host.address, host.direct
            );
        }
        let _ = writeln!(
            text,
            "registry   {} (plain), {} (TLS, {}/{})",
            self.registry, self.registry_tls, self.registry_user, self.registry_password
        );
        let _ = writeln!(text, "images     {} (base), {} (proxy)", self.base_image, self.proxy_image);
        let _ = writeln!(text, "etcd       {}", self.etcd);
        let _ = write!(text, "ssh        ssh -F {} h1", self.ssh_config.display());
        text
    }
}

fn describe(settings: &Settings, subnet: &str, hosts: u8, bare: &str) -> Lab {
    let services = settings.address(services::PUBLISHED);
    Lab {
        name: settings.name.clone(),
        hosts: (1..=hosts).map(|number| host(settings, subnet, number)).collect(),
        bare: hosts::bare(settings, bare, Variant::Lite),
        bare_systemd: hosts::bare(settings, bare, Variant::Systemd),
        ssh_config: ssh_config(settings),
        key: settings.dir.join("id_ed25519"),
        known_hosts: settings.dir.join("known_hosts"),
        registry: format!("{services}:5000"),
        registry_tls: format!("{services}:5443"),
        registry_user: keys::USER.into(),
        registry_password: keys::PASSWORD.into(),
        ca: settings.dir.join("services/ca.crt"),
        etcd: format!("http://{services}:2379"),
        base_image: format!("{services}:5000/busybox:1"),
        proxy_image: format!("{services}:5000/caddy:2.11.4"),
    }
}

fn host(settings: &Settings, subnet: &str, number: u8) -> Host {
    let name = hosts::name(number);
    Host {
        address: format!("{}:{}", settings.address(hosts::last(number)), hosts::SSH_PORT),
        direct: format!("{subnet}.{}", hosts::last(number)),
        user: "root".into(),
        container: settings.container(&name),
        name,
    }
}

/// `h1` is the host by its loopback address; `h1d` by its own, where a lost packet is not hidden by
/// the engine's proxy.
fn config(settings: &Settings, lab: &Lab) -> String {
    let mut text = String::new();
    for host in &lab.hosts {
        let Host { name, address, direct, .. } = host;
        let (ip, port) = address.split_once(':').unwrap_or((address, "22"));
        let _ = writeln!(
            text,
            "Host {name}\n  HostName {ip}\n  Port {port}\nHost {}\n  HostName {direct}\n  Port 22",
            host.direct_name()
        );
    }
    let direct =
        lab.hosts.first().and_then(|host| host.direct.rsplit_once('.')).map_or("", |(subnet, _)| subnet);
    let _ = writeln!(
        text,
        "Host h* {}.* {direct}.*\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  \
         GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n  ConnectTimeout 5",
        settings.loopback,
        lab.key.display(),
        lab.known_hosts.display()
    );
    text
}

fn known_hosts(settings: &Settings, lab: &Lab) -> Result<String> {
    let mut text = String::new();
    for Host { name, address, direct, .. } in &lab.hosts {
        let (ip, port) = address.split_once(':').unwrap_or((address, "22"));
        let _ = writeln!(text, "{name},[{ip}]:{port},{direct} {}", keys::public_host_key(settings, name)?);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> (Settings, Lab) {
        let settings = Settings { name: "t".into(), loopback: "127.0.9".into(), dir: "/lab".into() };
        let lab = describe(&settings, "10.1.2", 2, "bare:1");
        (settings, lab)
    }

    #[test]
    fn the_ssh_config_names_each_host_by_both_addresses() {
        let (settings, lab) = lab();
        let text = config(&settings, &lab);
        assert!(
            text.contains(
                "Host h2\n  HostName 127.0.9.12\n  Port 2222\nHost h2d\n  HostName 10.1.2.12\n  Port 22\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("Host h* 127.0.9.* 10.1.2.*\n  User root\n  IdentityFile /lab/id_ed25519\n"),
            "{text}"
        );
    }

    #[test]
    fn a_lab_survives_its_own_file() {
        let (_, lab) = lab();
        let again: Lab = serde_json::from_str(&serde_json::to_string(&lab).unwrap()).unwrap();
        assert_eq!(again.summary(), lab.summary());
        assert_eq!(again.base_image, "127.0.9.10:5000/busybox:1");
    }
}
