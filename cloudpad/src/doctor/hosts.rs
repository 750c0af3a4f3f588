//! What is found on a host. Pure.

use cloudpad_plugin_api::stage::deploy::{Disk, HostKey, Known, Machine, Observation};
use cloudpad_plugin_api::{Failure, FailureKind};

use super::{Finding, Needs};
use crate::provision::{self, Facts, Rotation, Seen, rotation};
use crate::words::{bytes, plural};

/// By so many seconds a clock may be wrong before certificates and the order of log lines suffer.
const CLOCK: u64 = 30;
/// With less than this free no image finds room.
const LEAST_FREE: u64 = 1_000_000_000;

/// What was seen of a host.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// The key that it shows; none where it has none.
    pub key: Option<&'a Result<HostKey, Failure>>,
    /// What it is.
    pub seen: &'a Result<Seen, Failure>,
    /// What of the project is there.
    pub observed: &'a Result<Observation, Failure>,
}

/// Judges what was seen of a host. What cannot be known of one that is not reached is not guessed.
pub fn host(needs: &Needs, shown: &Shown<'_>) -> Vec<Finding> {
    let name = shown.name;
    let mut findings: Vec<Finding> = shown.key.and_then(|shown| key(name, shown)).into_iter().collect();
    let seen = match shown.seen {
        Ok(seen) => seen,
        // A key that is not known says why already.
        Err(_) if !findings.iter().all(|finding| finding.state == super::State::Ok) => return findings,
        Err(failure) => {
            findings.push(failed(name, "login", failure));
            return findings;
        }
    };
    findings.push(Finding::ok(name, "login", format!("as `{}`, {}", seen.facts.user, seen.facts.system())));
    findings.push(clock(name, seen.ahead));
    findings.extend(engine(name, seen));
    if let Ok(observed) = shown.observed {
        findings.extend(project(name, needs, (seen, observed)));
    }
    findings
}

fn key(name: &str, shown: &Result<HostKey, Failure>) -> Option<Finding> {
    let shown = match shown {
        Ok(shown) => shown,
        Err(failure) if failure.kind == FailureKind::Unsupported => return None,
        Err(failure) => return Some(failed(name, "login", failure)),
    };
    let HostKey { fingerprint, place, .. } = shown;
    Some(match shown.known {
        Known::Known => Finding::ok(name, "key", format!("`{fingerprint}` is known")),
        Known::Unknown => Finding::mend(
            name,
            "key",
            format!("`{fingerprint}` is not known"),
            Some(format!("compare it, and accept it: `cloudpad hosts trust {name}`")),
        ),
        Known::Changed => Finding::mend(
            name,
            "key",
            format!("`{fingerprint}` is not the one in `{place}`"),
            Some(format!(
                "if the host was set up anew, `cloudpad hosts trust --replace {name}`; else somebody listens in"
            )),
        ),
        Known::Revoked => {
            Finding::mend(name, "key", format!("`{fingerprint}` is revoked by `{place}`"), None)
        }
    })
}

fn failed(name: &str, check: &'static str, failure: &Failure) -> Finding {
    let causes: String = failure.causes.iter().map(|cause| format!("; {cause}")).collect();
    Finding::mend(name, check, format!("{}{causes}", failure.message), failure.hint.clone())
}

fn clock(name: &str, ahead: i64) -> Finding {
    let (seconds, way) = (ahead.unsigned_abs(), if ahead > 0 { "ahead" } else { "behind" });
    match seconds {
        0..2 => Finding::ok(name, "clock", "as here"),
        2..=CLOCK => Finding::ok(name, "clock", format!("{seconds} s {way}")),
        _ => Finding::mend(
            name,
            "clock",
            format!("{seconds} s {way}, by the clock here"),
            Some("have it set by the network: `timedatectl set-ntp true`".to_owned()),
        ),
    }
}

fn engine(name: &str, seen: &Seen) -> Vec<Finding> {
    let Seen { facts, engine, .. } = seen;
    let does = if facts.is_like_debian() { "does it" } else { "says how" };
    let provision = format!("`cloudpad hosts provision --host {name}` {does}");
    let machine = match engine {
        Ok(machine) => machine,
        Err(_) if !facts.has_engine => {
            return vec![Finding::mend(name, "engine", "there is none", Some(provision))];
        }
        Err(failure) => return vec![failed(name, "engine", failure)],
    };
    let version = &machine.engine.version;
    let mut findings = vec![match provision::is_old(&machine.engine) {
        false => Finding::ok(name, "engine", format!("{version} answers")),
        true => Finding::mend(
            name,
            "engine",
            provision::old(&machine.engine),
            Some("upgrade it there".to_owned()),
        ),
    }];
    if facts.has_engine {
        findings.extend(configured(name, facts, &provision));
    }
    findings.extend(machine.disk.as_ref().map(|disk| self::disk(name, disk, machine)));
    findings
}

fn configured(name: &str, facts: &Facts, provision: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.init.is_some() {
        findings.push(match facts.starts {
            true => Finding::ok(name, "start", "it starts with the host"),
            false => {
                let message =
                    "it does not start with the host, so nothing runs there once that has been restarted";
                Finding::mend(name, "start", message, Some(provision.to_owned()))
            }
        });
    }
    findings.push(match rotation(facts) {
        Rotation::Set => Finding::ok(name, "logs", "are rotated"),
        Rotation::Unset(_) => Finding::note(
            name,
            "logs",
            "are not rotated: what a container prints may fill the disk",
            provision,
        ),
        Rotation::Broken(why) => Finding::mend(
            name,
            "logs",
            format!("`/etc/docker/daemon.json` is not understood: {why}"),
            Some("mend it there: the engine does not start again with it".to_owned()),
        ),
        Rotation::Unclear(why) => Finding::note(name, "logs", why, "look after them there"),
    });
    findings
}

fn disk(name: &str, disk: &Disk, machine: &Machine) -> Finding {
    let Disk { path, size, free } = disk;
    let told = format!("{} of {} are free at `{path}`", bytes(*free), bytes(*size));
    let running = machine.running.unwrap_or_default();
    match (*free < LEAST_FREE, free.saturating_mul(10) < *size) {
        (true, _) => Finding::mend(
            name,
            "disk",
            told,
            Some(format!("`cloudpad prune` removes what is not needed; {} there", plural_runs(running))),
        ),
        (false, true) => Finding::note(name, "disk", told, "`cloudpad prune` removes what is not needed"),
        (false, false) => Finding::ok(name, "disk", told),
    }
}

fn plural_runs(running: u32) -> String {
    plural(usize::try_from(running).unwrap_or(usize::MAX), "container")
        + if running == 1 { " runs" } else { " run" }
}

/// What is there of the project, and in its way.
fn project(name: &str, needs: &Needs, (seen, observed): (&Seen, &Observation)) -> Vec<Finding> {
    let mut findings = Vec::new();
    if needs.connects {
        findings.push(match &observed.no_connections {
            None => Finding::ok(name, "checks", "containers can be asked whether they serve"),
            Some(failure) => failed(name, "checks", failure),
        });
    }
    let has_proxy = observed.proxy.as_ref().is_some_and(|proxy| proxy.made.is_some());
    for port in &needs.ports {
        let holder = seen.facts.listens.get(port).map(|who| match who.as_str() {
            "" => "something else".to_owned(),
            who => format!("`{who}`"),
        });
        findings.push(match (holder, has_proxy) {
            (None, _) => Finding::ok(name, "ports", format!("{port} is free")),
            (Some(_), true) => Finding::ok(name, "ports", format!("{port} is the proxy's")),
            (Some(holder), false) => Finding::mend(
                name,
                "ports",
                format!("{port}, where the proxy has to listen, is taken by {holder}"),
                Some("stop that, or give the proxy other ports (`[proxy]`)".to_owned()),
            ),
        });
    }
    let ended = observed.one_offs.iter().filter(|container| !container.state.is_up()).count();
    if ended > 0 {
        let what = format!("{} that ended {} still there", plural(ended, "one-off container"), are(ended));
        findings.push(Finding::note(name, "left", what, "`cloudpad prune` removes them"));
    }
    findings
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
