//! What is found on this machine. Pure.

use serde_json::Value;

use super::here::Seen;
use super::{Finding, HERE, Needs};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;
use crate::plan::unknown_secret;
use crate::words::{bytes, plural};

/// Less than this is too little for sources and journals.
const LEAST_FREE: u64 = 500_000_000;

/// Judges what was seen here.
pub fn local(needs: &Needs, seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (program, what) in &needs.programs {
        findings.push(match seen.missing.contains(program) {
            false => Finding::ok(HERE, "program", format!("`{program}` is there, for {what}")),
            true => Finding::mend(
                HERE,
                "program",
                format!("there is no `{program}`, which {what} needs"),
                Some("install it, or have it in `PATH`".to_owned()),
            ),
        });
    }
    for (file, what) in &needs.files {
        findings.push(match seen.unreadable.get(file) {
            None => Finding::ok(HERE, "file", format!("`{file}` is there, for {what}")),
            Some(why) => {
                let message = format!("`{file}` cannot be read, which is to name {what}: {why}");
                Finding::mend(HERE, "file", message, Some("a path is relative to the project".to_owned()))
            }
        });
    }
    if needs.ssh {
        findings.push(key(seen));
    }
    if let Some(registry) = &needs.registry {
        findings.push(credentials(registry, seen.docker.as_deref()));
    }
    findings.extend(seen.free.map(disk));
    findings
}

/// How many hosts an inventory lists.
pub fn listed(provider: &str, inventory: &Inventory) -> Finding {
    let hosts = inventory.hosts();
    let listed = hosts.iter().filter(|host| inventory.is_listed(&host.name)).count();
    let told = format!("`{provider}` lists {}", plural(listed, "host"));
    let hint = "is what its `config` says where they are?";
    match (listed, hosts.len()) {
        (0, 0) => Finding::mend(HERE, "inventory", told, Some(hint.to_owned())),
        (0, _) => Finding::note(HERE, "inventory", told, hint),
        _ => Finding::ok(HERE, "inventory", told),
    }
}

/// Which of the secrets that are needed have no value.
pub fn secrets(config: &Config, needed: &[String], has_value: impl Fn(&str) -> bool) -> Vec<Finding> {
    let lacking: Vec<&String> = needed.iter().filter(|name| !has_value(name)).collect();
    if lacking.is_empty() {
        let told = format!("all that are needed have a value: {}", plural(needed.len(), "secret"));
        return vec![Finding::ok(HERE, "secret", told)];
    }
    let mend = |name: &String| {
        let Problem { message, hint, .. } = unknown_secret(config, name);
        Finding::mend(HERE, "secret", message, hint)
    };
    lacking.into_iter().map(mend).collect()
}

fn key(seen: &Seen) -> Finding {
    let keys = seen.keys.join("`, `");
    match (seen.agent, seen.keys.is_empty()) {
        (true, _) => Finding::ok(HERE, "key", "an SSH agent listens"),
        (false, false) => Finding::ok(HERE, "key", format!("there is `{keys}` in `~/.ssh`")),
        (false, true) => Finding::note(
            HERE,
            "key",
            "no SSH agent listens, and there is no key in `~/.ssh`",
            "what `IdentityFile` of your SSH configuration names is used all the same; else `ssh-keygen` makes a key",
        ),
    }
}

fn disk(free: u64) -> Finding {
    let told = format!("{} are free for the project", bytes(free));
    match free < LEAST_FREE {
        false => Finding::ok(HERE, "disk", told),
        true => Finding::mend(HERE, "disk", told, Some("make room".to_owned())),
    }
}

/// Whether Docker's config has something for a registry.
fn credentials(registry: &str, config: Option<&str>) -> Finding {
    let host = registry.split('/').next().unwrap_or_default();
    let login = format!("`docker login {host}`, where it wants one");
    let config = match config.map(serde_json::from_str::<Value>) {
        None => Value::Null,
        Some(Ok(config)) => config,
        Some(Err(error)) => {
            let message = format!("Docker's `config.json` is not understood: {error}");
            return Finding::mend(HERE, "registry", message, Some("mend it, or log in anew".to_owned()));
        }
    };
    let helper = config["credHelpers"].get(host).or_else(|| config.get("credsStore")).and_then(Value::as_str);
    let is_meant = |name: &String| {
        name.trim_start_matches("https://").trim_start_matches("http://").split('/').next() == Some(host)
    };
    let stored = config["auths"].as_object().is_some_and(|auths| auths.keys().any(is_meant));
    match (helper, stored) {
        (Some(helper), _) => {
            Finding::ok(HERE, "registry", format!("`docker-credential-{helper}` keeps the login to `{host}`"))
        }
        (None, true) => Finding::ok(HERE, "registry", format!("there is a login to `{host}`")),
        (None, false) => Finding::note(HERE, "registry", format!("there is no login to `{host}`"), login),
    }
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Host;
    use cloudpad_plugin_api::stage::inventory::Hosts;

    use super::super::State;
    use super::*;

    fn states(needs: &Needs, seen: &Seen) -> Vec<(&'static str, State)> {
        local(needs, seen).into_iter().map(|finding| (finding.check, finding.state)).collect()
    }

    #[test]
    fn only_what_is_needed_is_told() {
        assert!(local(&Needs::default(), &Seen::default()).is_empty());
        let programs = [("git", "source `app`"), ("age", "secrets")];
        let programs = programs.map(|(program, what)| (program.to_owned(), what.to_owned())).into();
        let needs = Needs { programs, ssh: true, ..Needs::default() };
        let files = [("team.txt".to_owned(), "recipients of secrets".to_owned())].into();
        let unreadable = [("team.txt".to_owned(), "no such file".to_owned())].into();
        let found = local(&Needs { files, ..Needs::default() }, &Seen { unreadable, ..Seen::default() });
        assert_eq!((found[0].check, found[0].state), ("file", State::Mend));
        assert!(found[0].message.starts_with("`team.txt` cannot be read"), "{found:?}");
        let seen = Seen { missing: ["age".to_owned()].into(), free: Some(1_000_000_000), ..Seen::default() };
        let (ok, note, mend) = (State::Ok, State::Note, State::Mend);
        assert_eq!(states(&needs, &seen), [("program", mend), ("program", ok), ("key", note), ("disk", ok)]);
        assert!(local(&needs, &seen)[0].message.contains("no `age`, which secrets needs"));
        let better = Seen { keys: vec!["id_rsa".to_owned()], free: Some(1000), ..Seen::default() };
        assert_eq!(states(&needs, &better)[2..], [("key", ok), ("disk", mend)]);
        assert_eq!(states(&needs, &Seen { agent: true, ..Seen::default() })[2..], [("key", ok)]);
    }

    #[test]
    fn an_inventory_without_hosts_is_found() {
        let of = |own: &[&str], others: &[&str]| {
            let hosts = |names: &[&str]| names.iter().map(|name| Host::new(*name, "192.0.2.1")).collect();
            let (own, others): (Vec<_>, _) = (hosts(own), hosts(others));
            let hosts = Hosts { hosts: others, ..Hosts::default() };
            let found = listed("etcd", &Inventory::new(&own, hosts).unwrap());
            (found.state, found.message)
        };
        assert_eq!(of(&[], &[]), (State::Mend, "`etcd` lists 0 hosts".to_owned()));
        assert_eq!(of(&["a"], &[]).0, State::Note);
        assert_eq!(of(&["a"], &["b", "c"]), (State::Ok, "`etcd` lists 2 hosts".to_owned()));
    }

    #[test]
    fn a_login_is_one_for_that_registry() {
        let of = |config: Option<&str>| credentials("r.example.com/team", config).state;
        let (ok, note) = (State::Ok, State::Note);
        let cases = [
            (None, note),
            (Some("{}"), note),
            (Some("{\"auths\": {\"r.example.com\": {}}}"), ok),
            (Some("{\"auths\": {\"https://r.example.com/v2/\": {}}}"), ok),
            (Some("{\"auths\": {\"other.example.com\": {}}}"), note),
            (Some("{\"credHelpers\": {\"r.example.com\": \"pass\"}}"), ok),
            (Some("{\"credsStore\": \"pass\"}"), ok),
            (Some("{"), State::Mend),
        ];
        for (config, state) in cases {
            assert_eq!(of(config), state, "{config:?}");
        }
    }
}
