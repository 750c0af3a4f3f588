//! `secrets` of a service: what its containers get that only they may see. Pure.

use std::collections::BTreeMap;

use crate::config::grammar::{name, path};
use crate::config::section::Section;
use crate::config::tree::{Table, Value};
use crate::config::{Problem, Secret};

const KEY: &str = "secrets";

/// The secrets, by where the container finds each: a list of those that are called as their variables, or a table by
/// variables and absolute paths.
pub(super) fn read(section: &Section<'_>) -> BTreeMap<String, Secret> {
    let listed = section.set(KEY, |text| secret(text).and_then(|name| variable(&name).map(|()| name)));
    let listed = listed.into_iter().map(|name| (name.clone(), Secret::named(name)));
    let mut secrets: BTreeMap<_, _> = listed.chain(section.map(KEY, target, value)).collect();
    secrets.retain(|target, secret| {
        let fits = Secret::is_file(target) || !is_special(secret);
        if !fits {
            let message = format!("`{target}` is a variable, so it has neither `mode` nor an owner");
            let hint = "write the path of a file, such as `/run/secrets/key`, in place of the variable";
            let keys = section.section(KEY);
            keys.inspect(|keys| keys.problem_with_key(target, Problem::new(message).hint(hint)));
        }
        fits
    });
    secrets
}

fn is_special(secret: &Secret) -> bool {
    secret.mode.is_some() || secret.uid.is_some() || secret.gid.is_some()
}

fn value(value: &Value) -> Result<Secret, Problem> {
    match value {
        Value::Text(text) => secret(text).map(Secret::named),
        Value::Table(table) => file(table),
        _ => Err(Problem::new("the secret's name is not a string")),
    }
}

/// A secret with more to it than its name.
fn file(table: &Table) -> Result<Secret, Problem> {
    let Some(Value::Text(name)) = get(table, "name") else {
        return Err(Problem::new("`name` is missing: what the secret is called where it is kept"));
    };
    let mode = match get(table, "mode") {
        Some(Value::Text(text)) => Some(mode(text)?),
        _ => None,
    };
    Ok(Secret { name: secret(name)?, mode, uid: id(table, "uid")?, gid: id(table, "gid")? })
}

fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    table.get(key).map(|entry| &entry.node.value)
}

/// Permission bits, in octal digits as `chmod` takes them.
fn mode(text: &str) -> Result<u32, Problem> {
    let bits = u32::from_str_radix(text, 8).ok().filter(|bits| *bits <= 0o777 && text.len() <= 4);
    let problem =
        || Problem::new(format!("`{text}` is no `mode`")).hint("three octal digits, such as `0440`");
    bits.ok_or_else(problem)
}

fn id(table: &Table, key: &str) -> Result<Option<u32>, Problem> {
    let Some(Value::Whole(number)) = get(table, key) else { return Ok(None) };
    // The highest one stands for none.
    let id = u32::try_from(*number).ok().filter(|id| *id < u32::MAX);
    id.map(Some).ok_or_else(|| Problem::new(format!("{number} is no `{key}`")))
}

/// What a secret is called where it is kept: that has rules of its own.
pub(super) fn secret(text: &str) -> Result<String, Problem> {
    match text {
        "" => Err(Problem::new("the secret's name is empty")),
        _ if text.contains(char::is_control) => {
            Err(Problem::new(format!("the secret's name `{}` has control characters", text.escape_debug())))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A variable, or the absolute path of a file.
fn target(text: &str) -> Result<(), Problem> {
    if !Secret::is_file(text) {
        return variable(text);
    }
    match path::absolute(text) {
        Some(path) if path == text && path != "/" && !text.contains(char::is_control) => Ok(()),
        _ => Err(Problem::new(format!("`{}` is no path of a file", text.escape_debug()))
            .hint("an absolute path in the container, such as `/run/secrets/key`")),
    }
}

fn variable(text: &str) -> Result<(), Problem> {
    let hint = "write `secrets = { VARIABLE = \"name\" }` where the secret is not called as its variable, \
                and `{ \"/run/secrets/FILE\" = \"name\" }` for a file";
    name::variable(text).map_err(|problem| Problem { hint: None, ..problem }.hint(hint))
}
