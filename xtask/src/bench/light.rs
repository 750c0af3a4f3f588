//! SSH servers that cost nothing: many addresses of this machine, on each of which one may log in as whoever runs this.
//! Talks to sshd, which has to be started as root.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::Settings;
use crate::shell::{self, Result};

/// So many addresses one sshd takes.
const OF_ONE: u8 = 16;
/// The last number of the first address.
const FIRST: u8 = 100;
const PORT: u16 = 2222;

/// Servers that run until this is dropped.
pub struct Light {
    folder: PathBuf,
    /// Their names in the file `ssh_config` of the folder.
    pub names: Vec<String>,
}

impl Light {
    /// Starts `count` of them on the lab's addresses, of which there are a hundred for this.
    pub fn start(settings: &Settings, count: u8) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("cloudpad-light-{}", std::process::id()));
        let names = (0..count).map(|number| format!("l{number}")).collect();
        let light = Self { folder, names };
        let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", light.folder.display());
        for folder in [Path::new("/run/sshd"), &light.folder] {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        for key in ["host_key", "key"] {
            let mut command = Command::new("ssh-keygen");
            shell::output(command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(light.path(key)))?;
        }
        std::fs::copy(light.path("key.pub"), light.path("authorized_keys")).map_err(failed)?;
        let address = |number: u8| settings.address(FIRST + number);
        for first in (0..count).step_by(OF_ONE.into()) {
            let addresses = (first..count.min(first + OF_ONE)).map(address);
            let config = light.path(&format!("sshd-{first}"));
            std::fs::write(&config, light.server(first, addresses)).map_err(failed)?;
            shell::output(Command::new("/usr/sbin/sshd").arg("-f").arg(&config))?;
        }
        std::fs::write(light.path("ssh_config"), light.client((0..count).map(address))).map_err(failed)?;
        let key = std::fs::read_to_string(light.path("host_key.pub")).map_err(failed)?;
        let known = (0..count).map(|number| format!("[{}]:{PORT} {key}", address(number)));
        std::fs::write(light.path("known_hosts"), known.collect::<String>()).map_err(failed)?;
        Ok(light)
    }

    /// The level keeps bash from reading whatever `.bashrc` there is.
    fn server(&self, first: u8, addresses: impl Iterator<Item = String>) -> String {
        let listen: String = addresses.map(|address| format!("ListenAddress {address}:{PORT}\n")).collect();
        let (key, keys) = (self.path("host_key"), self.path("authorized_keys"));
        format!(
            "{listen}HostKey {}\nAuthorizedKeysFile {}\nPidFile {}\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nMaxStartups 500\nSetEnv SHLVL=1\n",
            key.display(),
            keys.display(),
            self.path(&format!("pid-{first}")).display()
        )
    }

    fn client(&self, addresses: impl Iterator<Item = String>) -> String {
        let hosts = self.names.iter().zip(addresses);
        let hosts: String =
            hosts.map(|(name, address)| format!("Host {name}\n  HostName {address}\n")).collect();
        format!(
            "{hosts}Host *\n  Port {PORT}\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n",
            self.path("key").display(),
            self.path("known_hosts").display()
        )
    }

    /// A file of theirs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Light {
    fn drop(&mut self) {
        for first in (0..=u8::MAX).step_by(OF_ONE.into()) {
            if let Ok(pid) = std::fs::read_to_string(self.path(&format!("pid-{first}"))) {
                shell::succeeds(Command::new("kill").arg(pid.trim()));
            }
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
