//! What `ssh -G` says about a host, as values. Pure.

use std::path::PathBuf;
use std::time::Duration;

use crate::address::Address;

/// All that is needed to connect to one SSH server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The host as it was written.
    pub name: String,
    pub hostname: String,
    pub port: u16,
    pub user: String,
    pub identity_files: Vec<PathBuf>,
    pub identities_only: bool,
    /// The socket of the SSH agent.
    pub agent: Option<PathBuf>,
    pub route: Route,
    /// The user's files first, then the system's.
    pub known_hosts: Vec<PathBuf>,
    pub host_key_alias: Option<String>,
    pub revoked_host_keys: Option<PathBuf>,
    pub connect_timeout: Option<Duration>,
    pub alive_interval: Duration,
    /// So many intervals without a sign of life mean that the host is dead.
    pub alive_count: u32,
}

/// How packets get to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Direct,
    /// Through these servers, nearest first.
    Jump(Vec<Address>),
    /// Through a command's stdin and stdout.
    Command(String),
}

/// What a [`Target`] takes from the process it is made in.
pub(crate) struct Surroundings {
    pub home: PathBuf,
    pub user: String,
    pub env: fn(&str) -> Option<String>,
}

/// How often to ask for a sign of life where the configuration does not say it.
const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const ALIVE_COUNT: u32 = 3;

impl Target {
    /// What holds where there is no configuration at all: OpenSSH's defaults.
    pub(crate) fn defaults(address: &Address, around: &Surroundings) -> Self {
        let ssh = around.home.join(".ssh");
        Self {
            name: address.host.clone(),
            hostname: address.host.clone(),
            port: address.port.unwrap_or(22),
            user: address.user.clone().unwrap_or_else(|| around.user.clone()),
            identity_files: ["id_rsa", "id_ecdsa", "id_ed25519"].map(|key| ssh.join(key)).to_vec(),
            identities_only: false,
            agent: (around.env)("SSH_AUTH_SOCK").map(PathBuf::from),
            route: Route::Direct,
            known_hosts: vec![
                ssh.join("known_hosts"),
                ssh.join("known_hosts2"),
                "/etc/ssh/ssh_known_hosts".into(),
                "/etc/ssh/ssh_known_hosts2".into(),
            ],
            host_key_alias: None,
            revoked_host_keys: None,
            connect_timeout: None,
            alive_interval: ALIVE_INTERVAL,
            alive_count: ALIVE_COUNT,
        }
    }

    /// Reads the output of `ssh -G`: one keyword in lower case and its value on each line. What is not
    /// known is passed over, for each version of OpenSSH has more of it.
    ///
    /// `StrictHostKeyChecking` is not read: host keys are always verified.
    pub(crate) fn parse(address: &Address, output: &str, around: &Surroundings) -> Result<Self, String> {
        let mut target = Self { identity_files: Vec::new(), ..Self::defaults(address, around) };
        let mut lists = [Vec::new(), Vec::new()];
        for line in output.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "userknownhostsfile" => lists[0] = paths(value),
                "globalknownhostsfile" => lists[1] = paths(value),
                _ => target.set(key, value, around)?,
            }
        }
        target.known_hosts = lists.into_iter().flatten().collect();
        target.expand(around)?;
        Ok(target)
    }

    fn set(&mut self, key: &str, value: &str, around: &Surroundings) -> Result<(), String> {
        match key {
            "hostname" => value.clone_into(&mut self.hostname),
            "port" => self.port = number(key, value)?,
            "user" => value.clone_into(&mut self.user),
            "identityfile" => self.identity_files.extend(unless_none(value).map(PathBuf::from)),
            "identitiesonly" => self.identities_only = value == "yes",
            "identityagent" => self.agent = agent(value, around),
            "proxyjump" if value != "none" => self.route = Route::Jump(jumps(value)?),
            "proxycommand" if value != "none" => self.route = Route::Command(value.to_owned()),
            "hostkeyalias" => self.host_key_alias = unless_none(value).map(str::to_owned),
            "revokedhostkeys" => self.revoked_host_keys = unless_none(value).map(PathBuf::from),
            "connecttimeout" => self.connect_timeout = value.parse().ok().map(Duration::from_secs),
            "serveraliveinterval" => match number::<u32>(key, value)? {
                0 => {}
                seconds => self.alive_interval = Duration::from_secs(seconds.into()),
            },
            "serveralivecountmax" => self.alive_count = number::<u32>(key, value)?.max(1),
            _ => {}
        }
        Ok(())
    }

    /// Replaces `~` and the tokens (`%h` and the like), which `ssh -G` leaves as they are.
    fn expand(&mut self, around: &Surroundings) -> Result<(), String> {
        let expand = |path: &PathBuf| self.expand_path(path, around);
        let identity_files = self.identity_files.iter().map(expand).collect::<Result<_, _>>()?;
        let known_hosts = self.known_hosts.iter().map(expand).collect::<Result<_, _>>()?;
        let agent = self.agent.as_ref().map(expand).transpose()?;
        let revoked_host_keys = self.revoked_host_keys.as_ref().map(expand).transpose()?;
        if let Route::Command(command) = &self.route {
            self.route = Route::Command(self.expand_tokens(command, around)?);
        }
        *self = Self { identity_files, known_hosts, agent, revoked_host_keys, ..self.clone() };
        Ok(())
    }

    fn expand_path(&self, path: &std::path::Path, around: &Surroundings) -> Result<PathBuf, String> {
        let text = self.expand_tokens(&path.to_string_lossy(), around)?;
        Ok(match text.strip_prefix("~/") {
            Some(rest) => around.home.join(rest),
            None => PathBuf::from(text),
        })
    }

    fn expand_tokens(&self, text: &str, around: &Surroundings) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(&self.hostname),
                Some('n') => out.push_str(&self.name),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(&self.user),
                Some('u') => out.push_str(&around.user),
                Some('d') => out.push_str(&around.home.to_string_lossy()),
                Some('k') => out.push_str(self.host_key_alias.as_ref().unwrap_or(&self.name)),
                Some(other) => return Err(format!("the token `%{other}` in `{text}` is not supported")),
                None => return Err(format!("`{text}` ends with a single `%`")),
            }
        }
        Ok(out)
    }
}

fn number<N: std::str::FromStr>(key: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("`{key}` is `{value}`, which is no number that fits"))
}

fn unless_none(value: &str) -> Option<&str> {
    (value != "none" && !value.is_empty()).then_some(value)
}

fn agent(value: &str, around: &Surroundings) -> Option<PathBuf> {
    match value {
        "none" => None,
        "SSH_AUTH_SOCK" => (around.env)(value).map(PathBuf::from),
        _ => match value.strip_prefix('$') {
            Some(name) => (around.env)(name.trim_matches(['{', '}'])).map(PathBuf::from),
            None => Some(PathBuf::from(value)),
        },
    }
}

fn jumps(value: &str) -> Result<Vec<Address>, String> {
    let parse = |hop: &str| {
        let bare = hop.trim().trim_start_matches("ssh://").trim_end_matches('/');
        Address::parse(bare).map_err(|error| format!("`ProxyJump {value}`: {error}"))
    };
    value.split(',').map(parse).collect()
}

/// Splits a list of paths. `ssh -G` prints them without quotes, so a blank parts two of them only where a
/// new path begins after it.
fn paths(value: &str) -> Vec<PathBuf> {
    let mut all: Vec<String> = Vec::new();
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        match all.last_mut() {
            Some(last) if !word.starts_with(['/', '~', '%']) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => all.push(word.to_owned()),
        }
    }
    all.into_iter().filter(|path| path != "none").map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests;
