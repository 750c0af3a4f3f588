//! What is so on a machine, as `look.sh` prints it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::etcd;

/// What is known of a machine, whether it has an engine or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its clock, in seconds since 1970.
    pub clock: Option<i64>,
    /// Such as `debian`, and what that is like: `ID` and `ID_LIKE` of `/etc/os-release`.
    pub systems: BTreeSet<String>,
    /// Such as `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
    /// The program that installs packages there.
    pub installer: Option<String>,
    /// Whether its programs come with an image, and none is installed.
    pub sealed: bool,
    /// Who we are there.
    pub user: String,
    /// The groups that the user has with the next login.
    pub groups: BTreeSet<String>,
    /// How the user is root there.
    pub root: Option<Root>,
    /// Who starts services.
    pub init: Option<Init>,
    /// Whether the engine starts with the machine.
    pub starts: bool,
    /// Whether there is an engine.
    pub has_engine: bool,
    /// Whether it runs.
    pub runs: bool,
    /// Whether its kernel has AppArmor on, so that the engine needs its tools.
    pub apparmor: bool,
    /// The options of interest on the engine's command line: `log-driver`, `log-opt`, `config-file`.
    pub options: BTreeSet<String>,
    /// The engine's configuration file, where there is one.
    pub file: Option<File>,
    /// Whether there is one that the user may not read.
    pub closed: bool,
    /// TCP ports on which something listens, of those that were asked for, and its name where that is known.
    pub listens: BTreeMap<u16, String>,
    /// What is so of etcd, where that was asked for.
    pub etcd: etcd::Facts,
}

/// A file as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What `cksum` says of it.
    pub sum: String,
    /// What stands there, each line without what a terminal would take for a command.
    pub text: String,
}

/// How one is root on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// By having logged in so.
    Oneself,
    /// By `sudo`, which asks for no password.
    Sudo,
}

/// Who starts services on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// systemd.
    Systemd,
    /// Scripts in `/etc/init.d`, as Debian has them.
    Scripts,
}

impl Init {
    /// Its name for `start.sh`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Scripts => "service",
        }
    }
}

impl Facts {
    /// Reads what was printed. What is not understood is left out; a machine that has said nothing is one of which nothing is known.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut facts = Self::default();
        for line in lines {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            facts.add(name, value);
        }
        facts
    }

    fn add(&mut self, name: &str, value: &str) {
        let words = || value.split_whitespace().map(str::to_owned);
        match (name, value) {
            ("clock", _) => self.clock = value.parse().ok(),
            ("id" | "like", _) => self.systems.extend(words()),
            ("name", _) => self.name = value.to_owned(),
            ("installer", _) => self.installer = Some(value.to_owned()),
            ("sealed", _) => self.sealed = true,
            ("user", _) => self.user = value.to_owned(),
            ("groups", _) => self.groups.extend(words()),
            ("root", "self") => self.root = Some(Root::Oneself),
            ("root", "sudo") => self.root = Some(Root::Sudo),
            ("init", "systemd") => self.init = Some(Init::Systemd),
            ("init", "service") => self.init = Some(Init::Scripts),
            ("starts", _) => self.starts = true,
            ("engine", "there") => self.has_engine = true,
            ("engine", "runs") => self.runs = true,
            ("apparmor", _) => self.apparmor = true,
            ("option", _) => self.options.extend(words()),
            ("closed", _) => self.closed = true,
            ("etcd", _) => self.etcd.add(value),
            ("sum", _) => self.file.get_or_insert_default().sum = value.to_owned(),
            ("file", _) => {
                let text = &mut self.file.get_or_insert_default().text;
                *text += value.strip_prefix('|').unwrap_or(value);
                text.push('\n');
            }
            ("listens", _) => {
                let (port, who) = value.split_once(' ').unwrap_or((value, ""));
                self.listens.extend(port.parse().ok().map(|port| (port, who.trim().to_owned())));
            }
            _ => {}
        }
    }

    /// What the machine is, in words.
    pub fn system(&self) -> &str {
        if self.name.is_empty() { "an unknown system" } else { &self.name }
    }

    /// Whether engines are installed there by `apt-get`, under the names that Debian gives them.
    pub fn is_like_debian(&self) -> bool {
        let debian = ["debian", "ubuntu"].iter().any(|name| self.systems.contains(*name));
        debian && self.installer.as_deref() == Some("apt-get") && !self.sealed
    }

    /// Whether the user may use the engine's socket, as it is made everywhere.
    pub fn may_use_engine(&self) -> bool {
        self.root == Some(Root::Oneself) || self.groups.contains("docker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_prints_is_read() {
        let printed = "clock 1795723851\nid ubuntu\nlike debian\nname Ubuntu 24.04 LTS\ninstaller apt-get\nuser anna\n\
                       groups anna sudo docker\nroot sudo\ninit systemd\nstarts yes\nengine there\nengine runs\n\
                       option log-driver\nsum 123 45\nfile |{\nfile |  \"a\": 1\nfile |}\nlistens 80 nginx\nlistens 443 \n\
                       new thing\nMotd of somebody\n\n";
        let facts = Facts::read(printed.lines());
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        let expected = Facts {
            clock: Some(1_795_723_851),
            systems: words("debian ubuntu"),
            name: "Ubuntu 24.04 LTS".to_owned(),
            installer: Some("apt-get".to_owned()),
            user: "anna".to_owned(),
            groups: words("anna docker sudo"),
            root: Some(Root::Sudo),
            init: Some(Init::Systemd),
            starts: true,
            has_engine: true,
            runs: true,
            options: words("log-driver"),
            file: Some(File { sum: "123 45".to_owned(), text: "{\n  \"a\": 1\n}\n".to_owned() }),
            listens: [(80, "nginx".to_owned()), (443, String::new())].into(),
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        assert!(facts.is_like_debian() && facts.may_use_engine());
        assert_eq!(Facts::read([]), Facts::default());
    }

    /// What runs here is told by the very script that hosts run.
    #[test]
    fn the_script_prints_what_is_read() {
        let output =
            std::process::Command::new("sh").args(["-c", include_str!("look.sh"), "look", "1"]).output();
        let printed = String::from_utf8(output.unwrap().stdout).unwrap();
        let facts = Facts::read(printed.lines());
        let known = facts.clock.is_some() && !facts.user.is_empty() && !facts.groups.is_empty();
        assert!(known && !facts.name.is_empty(), "{printed}");
    }
}
