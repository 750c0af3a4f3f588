//! What is found on this machine. Pure.

use serde_json::Value;

use super::here::Seen;
use super::{Finding, HERE, Needs};
use crate::words::bytes;

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
    if needs.ssh {
        findings.push(key(seen));
    }
    if let Some(registry) = &needs.registry {
        findings.push(credentials(registry, seen.docker.as_deref()));
    }
    findings.extend(seen.free.map(disk));
    findings
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

/// Whether Docker's config has something for a registry. Its credentials are not asked for: a helper may ask the user.
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
        let seen = Seen { missing: ["age".to_owned()].into(), free: Some(1_000_000_000), ..Seen::default() };
        let (ok, note, mend) = (State::Ok, State::Note, State::Mend);
        assert_eq!(states(&needs, &seen), [("program", mend), ("program", ok), ("key", note), ("disk", ok)]);
        assert!(local(&needs, &seen)[0].message.contains("no `age`, which secrets needs"));
        let better = Seen { keys: vec!["id_rsa".to_owned()], free: Some(1000), ..Seen::default() };
        assert_eq!(states(&needs, &better)[2..], [("key", ok), ("disk", mend)]);
        assert_eq!(states(&needs, &Seen { agent: true, ..Seen::default() })[2..], [("key", ok)]);
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
