//! Provider `command`: a program prints hosts as JSON. I/O: processes.
//!
//! Two forms are understood, and told apart by what they look like: plain hosts (`plain`), and what a dynamic inventory
//! prints for Ansible (`ansible`). A document that is broken anywhere is refused as a whole: whoever is missing from half
//! a list would count as gone.

mod ansible;
mod each;
mod json;
mod plain;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure};
use serde_json::{Map, Value};

/// How many further faults of a document are told beside the first.
const MORE: usize = 9;

/// What has Ansible's programs list hosts, and tell of one.
const LIST: &str = "--list";
const HOST: &str = "--host";

pub(crate) struct Printed;

/// What `[stages.inventory.config]` may say.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The program and its arguments.
    command: Vec<String>,
}

impl Config {
    fn of(cx: &Context) -> Result<Self, Failure> {
        let config: Self = cx.config()?;
        match config.command.first() {
            Some(program) if !program.is_empty() => Ok(config),
            _ => Err(Failure::invalid("`command` is missing: the program that prints hosts")
                .hint("for one, `config = { command = [\"./hosts.py\", \"--list\"] }`")),
        }
    }

    fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }
}

impl Inventory for Printed {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::of(cx).map(drop)
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let config = Config::of(cx)?;
        let printed = run(cx, &config.command)?;
        let document = json::read(&printed).map_err(|why| unreadable(&config, &why))?;
        let hosts = match document {
            Value::Object(groups) if ansible::is_meant(&groups) => by_groups(cx, &config, &groups)?,
            document => plain::hosts(&document).map_err(|faults| unusable(&config, faults))?,
        };
        Ok(Hosts { hosts, ..Hosts::default() })
    }
}

/// The hosts of a dynamic inventory. Where it does not tell their variables, it is asked for those of each.
fn by_groups(cx: &Context, config: &Config, groups: &Map<String, Value>) -> Result<Vec<Host>, Failure> {
    let broken = |faults| unusable(config, faults);
    let listed = ansible::Listed::read(groups).map_err(broken)?;
    let variables = match ansible::variables(groups).map_err(|fault| broken(vec![fault]))? {
        Some(told) => told,
        None if config.command.iter().any(|argument| argument == LIST) => {
            each::ask(cx, &listed.hosts(), |cx, name| variables_of(cx, config, name))?
        }
        None => ansible::Variables::new(),
    };
    listed.with(&variables).map_err(broken)
}

/// What the program says of one host.
fn variables_of(cx: &Context, config: &Config, name: &str) -> Result<Map<String, Value>, Failure> {
    let told = config.command.iter().flat_map(|argument| match argument == LIST {
        true => vec![HOST.to_owned(), name.to_owned()],
        false => vec![argument.clone()],
    });
    let asked = |why: String| Failure::failed(format!("`{}` with `{HOST} {name}` {why}", config.program()));
    let printed = run(cx, &told.collect::<Vec<_>>())
        .map_err(|failure| Failure { message: format!("host `{name}`: {}", failure.message), ..failure })?;
    if printed.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match json::read(&printed).map_err(|why| asked(format!("has printed no JSON: {why}")))? {
        Value::Object(variables) => Ok(variables),
        other => Err(asked(format!("has printed {}, and no object of variables", json::kind(&other)))),
    }
}

fn run(cx: &Context, command: &[String]) -> Result<Vec<u8>, Failure> {
    Tool::in_project(cx, command.iter().cloned())
        .hint("the inventory provider `command` runs it; `[stages.inventory.config]` names it")
        .output(cx)
}

fn unreadable(config: &Config, why: &str) -> Failure {
    Failure::failed(format!("`{}` has printed no list of hosts: {why}", config.program()))
        .hint("it prints JSON on standard output, and what is for people on standard error")
}

fn unusable(config: &Config, faults: Vec<String>) -> Failure {
    let (program, mut faults) = (config.program(), faults.into_iter());
    let first = faults.next().unwrap_or_default();
    let rest = faults.len();
    let failure = Failure::failed(format!("the hosts that `{program}` has printed cannot be used: {first}"));
    let failure = faults.take(MORE).fold(failure, Failure::cause);
    if rest > MORE { failure.cause(format!("and {} more", rest - MORE)) } else { failure }
}
