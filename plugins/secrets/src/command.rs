//! Provider `command`: a program prints one value, or all of them as a JSON object. I/O: processes.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::secrets::{Found, Get, Secrets, Values};
use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure, Secret};

/// What stands for the secret's name in an argument.
const NAME: &str = "{name}";

pub(crate) struct Printed;

/// What `[stages.secrets.config]` may say.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The program and its arguments. With `{name}` in one of them, it is run once for each secret and prints the
    /// value; else it is run once and prints a JSON object with the values by name.
    command: Vec<String>,
}

impl Config {
    fn of(cx: &Context) -> Result<Self, Failure> {
        let config: Self = cx.config()?;
        match config.command.first() {
            Some(program) if !program.is_empty() => Ok(config),
            _ => Err(Failure::invalid("`command` is missing: the program that prints secrets").hint(
                "for one, `config = { command = [\"op\", \"read\", \"op://production/{name}/password\"] }`",
            )),
        }
    }

    fn is_for_one(&self) -> bool {
        self.command.iter().any(|argument| argument.contains(NAME))
    }
}

impl Secrets for Printed {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::of(cx).map(|_| ())
    }

    fn get(&self, cx: &Context, request: &Get) -> Result<Found, Failure> {
        let config = Config::of(cx)?;
        let values = if config.is_for_one() {
            request
                .names
                .iter()
                .map(|name| Ok((name.clone(), one(cx, &config, name)?)))
                .collect::<Result<_, _>>()?
        } else {
            let mut all = all(cx, &config)?;
            all.retain(|name, _| request.names.contains(name));
            all
        };
        Ok(Found { values: Values(values) })
    }
}

fn one(cx: &Context, config: &Config, name: &str) -> Result<Secret, Failure> {
    let printed = run(cx, &config.command, name)
        .map_err(|failure| Failure { message: format!("secret `{name}`: {}", failure.message), ..failure })?;
    let mut value = text(&config.command, printed)?;
    // A command ends what it prints with an end of line, which is not the value's.
    if value.ends_with('\n') {
        value.pop();
    }
    if value.is_empty() {
        let program = &config.command[0];
        return Err(Failure::failed(format!("secret `{name}`: `{program}` has printed nothing")));
    }
    Ok(Secret::from(value))
}

fn all(cx: &Context, config: &Config) -> Result<BTreeMap<String, Secret>, Failure> {
    let printed = text(&config.command, run(cx, &config.command, "")?)?;
    // What serde says of a value would show it.
    serde_json::from_str(&printed).map_err(|error| {
        let (program, line) = (&config.command[0], error.line());
        Failure::failed(format!(
            "`{program}` has not printed a JSON object of strings: it goes wrong in line {line}"
        ))
        .hint(format!("where the command prints one value only, say which by `{NAME}` in an argument"))
    })
}

fn run(cx: &Context, command: &[String], name: &str) -> Result<Vec<u8>, Failure> {
    Tool::in_project(cx, command.iter().map(|argument| argument.replace(NAME, name)))
        .hint("the secrets provider `command` runs it; `[stages.secrets.config]` names it")
        .output(cx)
}

fn text(command: &[String], printed: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(printed)
        .map_err(|_| Failure::failed(format!("`{}` has not printed UTF-8 text", command[0])))
}
