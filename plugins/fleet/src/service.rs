//! The unit that runs an instance of a service: one text for all of them, since systemd puts in the number. Pure.
//!
//! The container is `docker run` in the foreground, so systemd sees it end and the journal has what it prints.

use cloudpad_plugin_api::model::{ContainerSpec, Port, Project, Protocol, Restart, label};

use crate::check;
use crate::names::Instance;
use crate::place::Place;
use crate::probe;
use crate::quote::{self, Word};
use crate::unit::{UnitOption, hash};

/// The container of an instance, in systemd's words: the template's name and the instance's number.
const CONTAINER: &str = "%p.%i";
/// Pulls what is not there: an image is told by what it has in it.
const PULL: &str = r#"docker image inspect "$0" >/dev/null 2>&1 || exec docker pull "$0" >/dev/null"#;
/// Long enough that systemd never gives up on what ends again and again.
const RESTART_SECONDS: &str = "3";
/// How many hex digits of a text's hash tell it from others.
const DIGEST: usize = 10;

/// What a service is to be, as far as its units say it.
pub struct Wanted<'a> {
    /// Whose it is.
    pub project: &'a Project,
    /// Its name.
    pub service: &'a str,
    /// What its containers are made from.
    pub spec: &'a ContainerSpec,
    /// From where machines have the image.
    pub image: &'a str,
    /// Where they may run.
    pub place: &'a Place,
    /// Whether each unit runs on each of these machines.
    pub is_everywhere: bool,
    /// Whether no two of them may be on one machine.
    pub is_spread: bool,
}

/// What all instances' units have in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What tells it from others of the service, in their names.
    pub digest: String,
    /// The options.
    pub options: Vec<UnitOption>,
    /// The hash that fleet gives them.
    pub hash: String,
}

/// Why there can be no such unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cannot {
    /// Where the config says so, below the service.
    pub key: &'static str,
    /// Why not.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

/// The units of a service.
///
/// # Errors
/// All that cannot be.
pub fn template(wanted: &Wanted<'_>) -> Result<Template, Vec<Cannot>> {
    let mut cannots = impossible(wanted);
    let mut options = vec![
        option("Unit", "Description", format!("{} of {}", wanted.service, wanted.project.prefix())),
        option("Unit", "Wants", "docker.service"),
        option("Unit", "After", "docker.service"),
    ];
    for (name, words) in commands(wanted) {
        let (name, before) = name.strip_suffix('-').map_or((name, ""), |name| (name, "-"));
        match quote::command(&words) {
            Ok(command) => options.push(option("Service", name, format!("{before}{command}"))),
            Err(word) => cannots.push(too_long(word)),
        }
    }
    let (stop, prefix) = (wanted.spec.stop_timeout.saturating_add(10).to_string(), wanted.project.prefix());
    let settings = [
        ("SyslogIdentifier", prefix.as_str()),
        // Images may be large, and a container may take its time until it serves.
        ("TimeoutStartSec", "0"),
        ("TimeoutStopSec", &stop),
        // The client would hand another signal on, which may not be the one that stops the container.
        ("KillSignal", "SIGKILL"),
        ("Restart", restart(wanted.spec.restart)),
        ("RestartSec", RESTART_SECONDS),
        // What `docker run` ends with when the container was stopped.
        ("SuccessExitStatus", "143"),
    ];
    options.extend(settings.map(|(name, value)| option("Service", name, value)));
    options.extend(wanted.place.options());
    if wanted.is_everywhere {
        options.push(option("X-Fleet", "Global", "true"));
    }
    let digest = hash(&[options.as_slice(), conflicts(wanted, "").as_slice()].concat())[..DIGEST].to_owned();
    options.extend(conflicts(wanted, &digest));
    if let Err(refused) = check::options(&options) {
        cannots.push(Cannot { key: "", message: refused.message, hint: None });
    }
    match cannots.is_empty() {
        true => Ok(Template { hash: hash(&options), digest, options }),
        false => Err(cannots),
    }
}

/// Which units may not be on the same machine. Where a port of the machine is taken, those of other times are meant too.
fn conflicts(wanted: &Wanted<'_>, digest: &str) -> Option<UnitOption> {
    let takes_port = !wanted.spec.ports.is_empty();
    let digest = if takes_port { "*" } else { digest };
    let instance = Instance { service: wanted.service.to_owned(), digest: digest.to_owned(), number: 0 };
    let pattern = instance.unit(wanted.project).replace("@0.", "@*.");
    ((takes_port || wanted.is_spread) && !wanted.is_everywhere)
        .then(|| option("X-Fleet", "Conflicts", pattern))
}

fn impossible(wanted: &Wanted<'_>) -> Vec<Cannot> {
    let spec = wanted.spec;
    let mut cannots = Vec::new();
    let mut cannot = |key, message: String, hint| cannots.push(Cannot { key, message, hint });
    if let Some(secret) = spec.secrets.values().next() {
        let message =
            format!("secret `{}` would be in a unit, which all can read who reach fleet's API", secret.name);
        let hint = "put it into a file on the machines and mount that, or deploy this service to hosts or to a swarm";
        cannot("secrets", message, Some(hint));
    }
    if spec.networks.len() > 1 {
        let message =
            format!("a container of fleet is in one network, and these are {}", spec.networks.len());
        cannot("networks", message, None);
    }
    let parts = spec.volumes.iter().flat_map(|volume| [&volume.source, &volume.target]);
    if let Some(odd) = parts.clone().find(|part| part.contains(':')) {
        cannot("volumes", format!("`{odd}` has a colon, and cannot be told to `docker run`"), None);
    }
    if let Err(why) = wanted.place.check() {
        cannot("roles", why, None);
    }
    cannots
}

fn too_long(word: &Word) -> Cannot {
    let (Word::Plain(word) | Word::Specified(word)) = word;
    let begin: String = word.chars().take(20).collect();
    let message =
        format!("`{begin}…` is longer than a line of a unit may be, which is {} bytes", check::LINE);
    Cannot { key: "", message, hint: Some("put it into a file of the image or of the machines") }
}

/// The commands of the unit; one may fail whose name ends with `-`. What prints is the container alone: the journal has that under
/// the project's name.
fn commands(wanted: &Wanted<'_>) -> Vec<(&'static str, Vec<Word>)> {
    let container = Word::Specified(CONTAINER.to_owned());
    let shell = |script: &str, on: Word| vec!["/bin/sh".into(), "-c".into(), script.into(), on];
    let quietly = |docker: &str, on: Word| shell(&format!("exec docker {docker} \"$0\" >/dev/null 2>&1"), on);
    let pull = ["/bin/sh", "-c", PULL, wanted.image].map(Word::from).to_vec();
    let network = own_network(wanted.spec);
    let run = [["/usr/bin/env", "docker", "run", "--rm"].map(Word::from).to_vec(), run(wanted)].concat();
    let stop = format!("docker stop -t {} \"$0\" >/dev/null 2>&1", wanted.spec.stop_timeout);
    let last_words = format!("{stop}; while kill -0 \"$MAINPID\" 2>/dev/null; do sleep 0.1; done");
    let mut commands =
        vec![("ExecStartPre-", quietly("rm --force", container.clone())), ("ExecStartPre", pull)];
    commands.extend(network.map(|name| ("ExecStartPre-", quietly("network create", name.into()))));
    commands.push(("ExecStart", run));
    commands.extend(
        probe::command(&container, wanted.spec.health.as_ref()).map(|words| ("ExecStartPost", words)),
    );
    commands.push(("ExecStop-", shell(&last_words, container.clone())));
    // One that has not served yet is stopped without `ExecStop`: systemd kills the client, and the container would go on.
    commands.push(("ExecStopPost-", shell(&stop, container)));
    // It goes with the last that is in it: an engine removes none in which a container is.
    commands.extend(network.map(|name| ("ExecStopPost-", quietly("network rm", name.into()))));
    commands
}

/// What `docker run` is told.
fn run(wanted: &Wanted<'_>) -> Vec<Word> {
    let spec = wanted.spec;
    let mut words = vec![
        Word::Specified(format!("--name={CONTAINER}")),
        Word::Specified(format!("--label={}=%i", label::INSTANCE)),
    ];
    let mut flag = |name: &str, value: &str| words.push(Word::Plain(format!("--{name}={value}")));
    flag("label", &format!("{}={}", label::PROJECT, wanted.project.name));
    flag(
        "label",
        &format!("{}={}", label::ENVIRONMENT, wanted.project.environment.as_deref().unwrap_or_default()),
    );
    flag("label", &format!("{}={}", label::SERVICE, wanted.service));
    spec.labels.iter().for_each(|(name, value)| flag("label", &format!("{name}={value}")));
    spec.env.iter().for_each(|(name, value)| flag("env", &format!("{name}={value}")));
    spec.ports.iter().for_each(|port| flag("publish", &published(port)));
    for volume in &spec.volumes {
        let mode = if volume.read_only { ":ro" } else { "" };
        flag("volume", &format!("{}:{}{mode}", volume.source, volume.target));
    }
    spec.networks.first().iter().for_each(|network| flag("network", network));
    own_network(spec).iter().for_each(|_| flag("network-alias", wanted.service));
    spec.stop_signal.iter().for_each(|signal| flag("stop-signal", signal));
    spec.cpu_millis
        .iter()
        .for_each(|millis| flag("cpus", &format!("{}.{:03}", millis / 1000, millis % 1000)));
    spec.memory.iter().for_each(|bytes| flag("memory", &format!("{bytes}b")));
    words.push(wanted.image.into());
    words.extend(spec.command.iter().flatten().map(|word| Word::from(word.as_str())));
    words
}

/// The network that has to be made, as opposed to those that every engine has.
fn own_network(spec: &ContainerSpec) -> Option<&str> {
    let first = spec.networks.first().map(String::as_str);
    first.filter(|name| !matches!(*name, "host" | "none" | "bridge"))
}

fn published(port: &Port) -> String {
    let ip = match port.host_ip.as_deref() {
        Some(ip) if ip.contains(':') => format!("[{ip}]:"),
        Some(ip) => format!("{ip}:"),
        None => String::new(),
    };
    let protocol = if port.protocol == Protocol::Udp { "/udp" } else { "" };
    format!("{ip}{}:{}{protocol}", port.published, port.target)
}

fn restart(restart: Restart) -> &'static str {
    match restart {
        Restart::No => "no",
        Restart::OnFailure => "on-failure",
        Restart::Always | Restart::UnlessStopped => "always",
    }
}

fn option(section: &str, name: &str, value: impl Into<String>) -> UnitOption {
    UnitOption::new(section, name, value)
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
