//! Names that the user makes up. Pure.

use crate::config::{Problem, vars};

/// The longest name; DNS has no longer label, and a service's name is one.
const LONGEST: usize = 63;

/// The longest name of a host: that of DNS.
const LONGEST_HOST: usize = 253;

/// A name that becomes part of the names of containers and images, so it obeys the rules of both: a
/// path component of an [image reference](https://github.com/distribution/reference), without dots.
pub fn component(name: &str) -> Result<(), Problem> {
    let fault = if name.is_empty() {
        "is empty"
    } else if name.len() > LONGEST {
        "is longer than 63 characters"
    } else if let Some(other) = name.chars().find(|c| !is_component(*c)) {
        return Err(Problem::new(format!("the name `{name}` contains {}", shown(other))).hint(COMPONENT));
    } else if !ends_well(name) {
        "does not begin and end with a letter or a digit"
    } else if name.contains("___") || name.contains("-_") || name.contains("_-") {
        "has separators in a row that Docker does not take"
    } else {
        return Ok(());
    };
    Err(Problem::new(format!("the name `{name}` {fault}")).hint(COMPONENT))
}

const COMPONENT: &str = "a name consists of lower-case letters and digits, with `-` or `_` between them";

fn is_component(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}

fn ends_well(name: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    name.starts_with(end) && name.ends_with(end)
}

fn shown(c: char) -> String {
    match c {
        ' ' => "a space".into(),
        c => format!("`{}`", c.escape_debug()),
    }
}

/// A name that is only ever compared: of a role, a group, a volume or a network.
pub fn word(name: &str) -> Result<(), Problem> {
    if name.is_empty() {
        return Err(Problem::new("the name is empty"));
    }
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-')) {
        Some(other) => Err(Problem::new(format!("the name `{name}` contains {}", shown(other)))
            .hint("a name consists of letters, digits, `.`, `_` and `-`")),
        None if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
            Err(Problem::new(format!("the name `{name}` does not begin with a letter or a digit")))
        }
        None => Ok(()),
    }
}

/// As [`word`], of a host: one may be called as DNS knows it, and no longer.
pub fn host(name: &str) -> Result<(), Problem> {
    match name.len() > LONGEST_HOST {
        true => Err(Problem::new(format!("the name of a host is longer than {LONGEST_HOST} characters"))),
        false => word(name),
    }
}

/// Whether it can be the name of a provider or a plugin, which is part of a file's name.
pub fn is_provider(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(word)
}

/// A provider or a plugin.
pub fn provider(name: &str) -> Result<(), Problem> {
    match is_provider(name) {
        true => Ok(()),
        false => Err(Problem::new(format!("`{name}` cannot be the name of a provider"))
            .hint("it begins with a lower-case letter, and consists of lower-case letters, digits and `-`")),
    }
}

/// As [`word`], handing the name back.
pub fn owned_word(name: &str) -> Result<String, Problem> {
    word(name).map(|()| name.to_owned())
}

/// An environment variable of a container: anything that the kernel takes.
pub fn env(name: &str) -> Result<(), Problem> {
    match name {
        "" => Err(Problem::new("the variable's name is empty")),
        _ if name.contains(['=', '\0']) => Err(Problem::new(format!(
            "the variable's name `{}` contains `=` or a zero byte",
            name.escape_debug()
        ))),
        _ => Ok(()),
    }
}

/// A build argument or a variable of the caller.
pub fn variable(name: &str) -> Result<(), Problem> {
    match vars::is_name(name) {
        true => Ok(()),
        false => Err(Problem::new(format!("`{name}` cannot be the name of a variable"))
            .hint("it consists of letters, digits and `_`, and does not begin with a digit")),
    }
}

/// A label of a host.
pub fn any_label(name: &str) -> Result<(), Problem> {
    if name.is_empty() { Err(Problem::new("the label's name is empty")) } else { Ok(()) }
}

/// A label of an image or a container.
pub fn label(name: &str) -> Result<(), Problem> {
    if name.starts_with("cloudpad.") {
        return Err(Problem::new(format!("the label `{name}` is Cloudpad's own"))
            .hint("labels that begin with `cloudpad.` say which containers belong to whom"));
    }
    any_label(name)
}
