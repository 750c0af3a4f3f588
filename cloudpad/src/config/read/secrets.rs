//! `secrets` of a service: what its containers get that only they may see. Pure.

use std::collections::BTreeMap;

use crate::config::Problem;
use crate::config::grammar::name;
use crate::config::section::Section;
use crate::config::tree::Value;

const KEY: &str = "secrets";

/// The secrets' names, by the environment variable in which the container finds each: a list of those that are called
/// as their variables, or a table.
pub(super) fn read(section: &Section<'_>) -> BTreeMap<String, String> {
    let listed = section.set(KEY, |text| secret(text).and_then(|name| variable(&name).map(|()| name)));
    let listed = listed.into_iter().map(|name| (name.clone(), name));
    listed.chain(section.map(KEY, variable, value)).collect()
}

fn value(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) => secret(text),
        _ => Err(Problem::new("the secret's name is not a string")),
    }
}

/// What a secret is called where it is kept: that has rules of its own.
fn secret(text: &str) -> Result<String, Problem> {
    match text {
        "" => Err(Problem::new("the secret's name is empty")),
        _ if text.contains(char::is_control) => {
            Err(Problem::new(format!("the secret's name `{}` has control characters", text.escape_debug())))
        }
        _ => Ok(text.to_owned()),
    }
}

fn variable(text: &str) -> Result<(), Problem> {
    let hint = "write `secrets = { VARIABLE = \"name\" }` where the secret is not called as its variable";
    name::variable(text).map_err(|problem| Problem { hint: None, ..problem }.hint(hint))
}
