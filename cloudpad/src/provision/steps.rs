//! What is to be done on a machine, so that Cloudpad can use it. Pure.

use cloudpad_plugin_api::stage::deploy::Engine;
use serde_json::Value;

use super::{Facts, Init, Root, Rotation, Seen, rotation};
use crate::config::Problem;
use crate::plan::Note;

/// The oldest engine that Cloudpad works with, and the API that it speaks, by which also others are known that speak it.
const OLDEST: &str = "20.10";
const OLDEST_API: (u32, u32) = (1, 41);

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have the engine rotate logs.
    Configure {
        /// The sum of its configuration file as it was seen.
        sum: String,
        /// What is to stand there.
        text: String,
    },
    /// Install packages.
    Install(Vec<&'static str>),
    /// Start the engine, and have it start with the machine.
    Start(Init),
    /// Let a user use it.
    Join(String),
    /// Make a key for the etcd member of this name.
    Key(String),
    /// Give etcd its certificate and its configuration.
    Certify {
        /// The certificate of the authority, in PEM.
        authority: String,
        /// That of the member, in PEM; none while there is no key yet.
        certificate: String,
        /// What is to stand in its file.
        config: String,
    },
    /// Tell the etcd cluster of another member.
    Add {
        /// Its name.
        name: String,
        /// Where peers reach it.
        peers: String,
    },
    /// Start etcd, and have it start with the machine.
    Member,
}

/// What there is to do, and to say, about a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is left to be done by hand, or to be known.
    pub notes: Vec<Note>,
}

impl Step {
    /// Its name in a plan.
    pub fn title(&self) -> String {
        match self {
            Self::Configure { .. } => {
                "have logs rotated (log-driver and log-opts in /etc/docker/daemon.json)".to_owned()
            }
            Self::Install(packages) => format!("install {}", packages.join(", ")),
            Self::Start(_) => "start the engine, now and with the host".to_owned(),
            Self::Join(user) => format!("put {user} into the group docker"),
            Self::Key(_) => "make a key for etcd, which stays there (/etc/etcd/pki/member.key)".to_owned(),
            Self::Certify { .. } => {
                "give etcd a certificate for its key, and a configuration (/etc/default/etcd)".to_owned()
            }
            Self::Add { name, peers } => format!("tell the etcd cluster of {name} ({peers})"),
            Self::Member => "start etcd, now and with the host".to_owned(),
        }
    }

    /// Its script, and the arguments for that.
    pub fn script(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::Configure { sum, text } => (include_str!("configure.sh"), vec![sum.clone(), text.clone()]),
            Self::Install(packages) => {
                (include_str!("install.sh"), packages.iter().map(|&package| package.to_owned()).collect())
            }
            Self::Start(init) => (include_str!("start.sh"), vec![init.name().to_owned()]),
            Self::Join(user) => (include_str!("group.sh"), vec![user.clone()]),
            Self::Key(name) => (include_str!("etcd/key.sh"), vec![name.clone()]),
            Self::Certify { authority, certificate, config } => {
                let arguments = [authority, certificate, config].map(|text| text.trim_end().to_owned());
                (include_str!("etcd/certify.sh"), arguments.into())
            }
            Self::Add { name, peers } => (include_str!("etcd/add.sh"), vec![name.clone(), peers.clone()]),
            Self::Member => (include_str!("etcd/start.sh"), Vec::new()),
        }
    }
}

/// Whether an engine is older than what Cloudpad works with; one that does not tell is not.
pub fn is_old(engine: &Engine) -> bool {
    let api = engine.api.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    api.is_some_and(|api: (u32, u32)| api < OLDEST_API)
}

/// That an engine is too old, in words.
pub fn old(engine: &Engine) -> String {
    format!("its engine {} is older than {OLDEST}, which Cloudpad needs", engine.version)
}

/// Decides what is to be done on `host`. An engine that exists is started where it does not run, and is neither replaced nor stopped;
/// other systems than Debian and those that are made of it are only looked at.
///
/// # Errors
/// It cannot be brought to where Cloudpad can use it.
pub fn judge(host: &str, seen: &Seen) -> Result<Judged, Problem> {
    let facts = &seen.facts;
    // An engine that is not where Docker has it answers, and is somebody else's business.
    let is_elsewhere = seen.engine.is_ok() && !facts.has_engine;
    let mut judged = Judged::default();
    if !is_elsewhere {
        configure(host, seen, &mut judged)?;
        engine(host, seen, &mut judged)?;
    }
    if let Ok(machine) = &seen.engine
        && is_old(&machine.engine)
    {
        let message = format!("`{host}`: {}: upgrade it there", old(&machine.engine));
        judged.notes.push(Note { incomplete: true, message });
    }
    if judged.steps.is_empty() || facts.root.is_some() && facts.is_like_debian() {
        judged.notes.extend(later(host, facts, &judged.steps));
        return Ok(judged);
    }
    let titles = judged.steps.iter().map(Step::title).collect::<Vec<_>>().join("; ");
    if seen.engine.is_ok() {
        let message = format!(
            "for you to do on `{host}` ({}, as `{}`): {titles}{}",
            facts.system(),
            facts.user,
            by_hand(&judged.steps)
        );
        let notes = judged.notes.into_iter().chain([Note { incomplete: false, message }]).collect();
        return Ok(Judged { steps: Vec::new(), notes });
    }
    Err(match facts.is_like_debian() {
        true => no_root(host, facts, &titles),
        false => not_ours(host, facts, &titles),
    })
}

/// What the file that has logs rotated is to be, for who writes it, in a line.
fn by_hand(steps: &[Step]) -> String {
    let text = steps.iter().find_map(|step| match step {
        Step::Configure { text, .. } => Some(text),
        _ => None,
    });
    let line = |text: &String| {
        serde_json::from_str(text).map_or_else(|_| text.clone(), |json: Value| json.to_string())
    };
    text.map_or(String::new(), |text| {
        format!("; the file is then `{}`, once the engine is restarted", line(text))
    })
}

fn configure(host: &str, seen: &Seen, judged: &mut Judged) -> Result<(), Problem> {
    let note = |message: String| Note { incomplete: false, message };
    match rotation(&seen.facts) {
        Rotation::Set => {}
        Rotation::Unclear(why) => {
            judged.notes.push(note(format!("whether `{host}` has logs rotated cannot be told: {why}")));
        }
        Rotation::Unset(text) => {
            let sum = seen.facts.file.as_ref().map_or("none".to_owned(), |file| file.sum.clone());
            judged.steps.push(Step::Configure { sum, text });
        }
        Rotation::Broken(why) => {
            let message = format!("`/etc/docker/daemon.json` on `{host}` is not understood: {why}");
            if seen.engine.is_err() {
                return Err(Problem::new(message).hint("mend it there: no engine starts with it"));
            }
            judged.notes.push(note(message));
        }
    }
    Ok(())
}

/// What takes effect only once the engine, which is not stopped for it, starts again.
fn later(host: &str, facts: &Facts, steps: &[Step]) -> Option<Note> {
    let configures = steps.iter().any(|step| matches!(step, Step::Configure { .. }));
    let message = format!(
        "the engine of `{host}` runs and is left alone: it has logs rotated once it is restarted, of containers that are made then"
    );
    (configures && facts.runs).then_some(Note { incomplete: false, message })
}

fn engine(host: &str, seen: &Seen, judged: &mut Judged) -> Result<(), Problem> {
    let Facts { user, init, starts, has_engine, runs, .. } = &seen.facts;
    if !has_engine {
        judged.steps.push(Step::Install(packages(&seen.facts)));
    }
    let is_down = !runs && seen.engine.is_err();
    match init {
        _ if *has_engine && *starts && !is_down => {}
        Some(init) => judged.steps.push(Step::Start(*init)),
        // Who knows what has started it.
        None if !is_down => {}
        // It is only told.
        None if !seen.facts.is_like_debian() => judged.steps.push(Step::Start(Init::Scripts)),
        None => {
            let message =
                format!("nobody on `{host}` starts services: there is neither systemd nor `service`");
            return Err(Problem::new(message).hint("have `dockerd` run there, and start with the machine"));
        }
    }
    let Err(failure) = &seen.engine else { return Ok(()) };
    if !seen.facts.may_use_engine() {
        judged.steps.push(Step::Join(user.clone()));
        let message = format!(
            "whoever is in the group `docker` of `{host}`, as `{user}` will be, can become root there"
        );
        judged.notes.push(Note { incomplete: false, message });
    } else if *runs {
        let problem = Problem::new(format!("`{host}`: {}", failure.message));
        return Err(match &failure.hint {
            Some(hint) => problem.hint(hint.clone()),
            None => problem,
        });
    }
    Ok(())
}

/// Debian's own engine, what it needs to ask registries, and what it needs where the kernel has AppArmor on.
fn packages(facts: &Facts) -> Vec<&'static str> {
    let apparmor = facts.apparmor.then_some("apparmor");
    ["docker.io", "ca-certificates"].into_iter().chain(apparmor).collect()
}

fn no_root(host: &str, facts: &Facts, titles: &str) -> Problem {
    let user = &facts.user;
    Problem::new(format!("`{user}` cannot become root on `{host}` without a password, which it takes to: {titles}"))
        .hint(format!(
            "log in as root (`address = \"root@…\"`), or allow it there: `{user} ALL=(ALL) NOPASSWD: ALL` in a file of \
             `/etc/sudoers.d`, with `sudo` installed"
        ))
}

/// A system on which nothing is installed by us.
fn not_ours(host: &str, facts: &Facts, titles: &str) -> Problem {
    let commands = match (facts.sealed, facts.has_engine, facts.installer.as_deref()) {
        (true, false, _) => {
            "its programs come with its image: take one with Docker, and `systemctl enable --now docker` there"
        }
        (_, true, Some("apk")) => "there, as root: `rc-update add docker && service docker start`",
        (_, false, Some("apk")) => {
            "there, as root: `apk add docker && rc-update add docker && service docker start`"
        }
        (_, true, _) => "there, as root: `systemctl enable --now docker`",
        (_, false, Some("dnf" | "yum")) => {
            "there, as root: `dnf install moby-engine` (or Docker's own packages), `systemctl enable --now docker`"
        }
        (_, false, Some("zypper")) => {
            "there, as root: `zypper install docker`, `systemctl enable --now docker`"
        }
        (_, false, Some("pacman")) => "there, as root: `pacman -S docker`, `systemctl enable --now docker`",
        (_, false, _) => {
            "install an engine there, as Docker's manual says, and have it start with the machine"
        }
    };
    let joins = match facts.may_use_engine() {
        true => String::new(),
        false => format!(", `usermod -aG docker {}`", facts.user),
    };
    let system = facts.system();
    Problem::new(format!(
        "`{host}` is {system}, and Cloudpad prepares only Debian and Ubuntu; what is missing: {titles}"
    ))
    .hint(format!("{commands}{joins}; then run this again"))
}

/// How one is root there, as the beginning of a command.
pub fn as_root(facts: &Facts) -> &'static [&'static str] {
    match facts.root {
        Some(Root::Sudo) => &["sudo", "-n"],
        _ => &[],
    }
}
