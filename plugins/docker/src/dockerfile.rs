//! The Dockerfile that is built: the project's own, with the values of its variables and with the services of runit. Pure.
//!
//! Templates are Jinja's, which people know from Ansible: `{{ NAME }}`, `{% if NAME == "x" %}`. Scripts are added by a `RUN`
//! whose arguments they are: files that are made would have to be in the context, where `COPY .` finds them too, and
//! here-documents are not known to engines before version 23.

pub mod outline;

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::Recipe;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use crate::identity;
use outline::Outline;

/// The stage that scripts are added to, where the one to build is not the last.
const STAGE: &str = "cloudpad-runit";

/// How much work a template may be, in about as many of its instructions; each 64 bytes that it makes count as one. That is more
/// than any Dockerfile needs, and takes less than a second.
const WORK: u64 = 200_000;

/// The longest line of a Dockerfile that is read (`bufio.MaxScanTokenSize` of Go, less one), in bytes.
const LONGEST_LINE: usize = 65_535;

/// Whether what is built is not the project's own Dockerfile as it is.
pub fn is_made(recipe: &Recipe) -> bool {
    !recipe.variables.is_empty() || !recipe.runit.is_empty()
}

/// The stage to build.
pub fn target(recipe: &Recipe) -> Option<&str> {
    let own = recipe.target.as_deref();
    if recipe.runit.is_empty() { own } else { own.map(|_| STAGE) }
}

/// Whether the services of a recipe can be added, as far as that can be told without its files.
///
/// # Errors
/// `invalid`, when its stage is told by a number, or scripts are too long.
pub fn check(recipe: &Recipe) -> Result<(), Failure> {
    services(recipe).map(drop)
}

/// What is built in place of the project's `own` Dockerfile, where `bases` are the references of the images that
/// variables name.
///
/// # Errors
/// `invalid`, with the line, when a template is none or has a variable that is not told; when there is no such stage as
/// the recipe names, or nothing can be added to the end.
pub fn made(recipe: &Recipe, own: &[u8], bases: &BTreeMap<String, String>) -> Result<Vec<u8>, Failure> {
    let mut text = match recipe.variables.is_empty() {
        true => own.to_vec(),
        false => rendered(recipe, own, bases)?.into_bytes(),
    };
    let outline = Outline::of(&String::from_utf8_lossy(&text));
    check_target(recipe, &outline)?;
    check_end(recipe, &outline)?;
    text.extend(services(recipe)?.into_bytes());
    Ok(text)
}

/// A stage that is none would be taken for an image of that name, be it anybody's, once services are added to it. What a
/// frontend of its own builds is left to that.
fn check_target(recipe: &Recipe, outline: &Outline) -> Result<(), Failure> {
    let Some(target) = &recipe.target else { return Ok(()) };
    if outline.has(target) || (outline.has_syntax && recipe.runit.is_empty()) {
        return Ok(());
    }
    let names: Vec<&str> = outline.names().collect();
    let has = match names.as_slice() {
        [] => "none of its stages has a name".to_owned(),
        names => format!("its stages are `{}`", names.join("`, `")),
    };
    Err(refused(recipe, None, &format!("it has no stage `{target}`, which is the image's `target`")).hint(
        format!(
            "{has}: name one with `target` in `[images.{}]`, or leave that out to build the last one",
            recipe.name
        ),
    ))
}

/// What is added would be part of an instruction that does not end.
fn check_end(recipe: &Recipe, outline: &Outline) -> Result<(), Failure> {
    match outline.unended.filter(|_| !recipe.runit.is_empty()) {
        None => Ok(()),
        line => Err(refused(
            recipe,
            line,
            "the instruction does not end, and the services of `runit` come after it",
        )
        .hint("end it: without a `\\` in its last line, and with the name that ends a `<<NAME`")),
    }
}

fn rendered(recipe: &Recipe, own: &[u8], bases: &BTreeMap<String, String>) -> Result<String, Failure> {
    let text = std::str::from_utf8(own).map_err(|error| {
        let line = own[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        refused(recipe, Some(line), "it is not in UTF-8, as a template has to be")
    })?;
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    jinja.set_fuel(Some(WORK));
    let template = jinja.template_from_named_str(&recipe.dockerfile, text);
    let template = template.map_err(|error| wrong(recipe, &error, ""))?;
    let values = recipe.variables.iter().map(|(name, value)| (name.as_str(), identity::value(value, bases)));
    let rendered = template.render(Value::from_pairs(values)).map_err(|error| {
        let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !recipe.variables.contains_key(name));
        unknown.sort();
        let unknown =
            if unknown.is_empty() { String::new() } else { format!(": `{}`", unknown.join("`, `")) };
        wrong(recipe, &error, &unknown)
    })?;
    // One end of a line at the end is taken away, as Jinja does.
    Ok(if text.ends_with('\n') { rendered + "\n" } else { rendered })
}

/// What is wrong with a template; `unknown` says which of its names have no value.
fn wrong(recipe: &Recipe, error: &minijinja::Error, unknown: &str) -> Failure {
    let kind = error.kind();
    let why = match kind {
        ErrorKind::OutOfFuel => format!("it is not made after {WORK} steps"),
        _ => error.detail().map_or_else(|| kind.to_string(), |why| format!("{kind}: {why}")),
    };
    let known: Vec<&str> = recipe.variables.keys().map(String::as_str).collect();
    refused(recipe, error.line(), &format!("{why}{unknown}")).hint(format!(
        "`variables` of `[images.{}]` are `{}`; a `{{{{` of its own is written `{{{{ '{{{{' }}}}`",
        recipe.name,
        known.join("`, `")
    ))
}

fn refused(recipe: &Recipe, line: Option<usize>, why: &str) -> Failure {
    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
    Failure::invalid(format!(
        "the Dockerfile of image `{}`, `{}`{line}: {why}",
        recipe.name, recipe.dockerfile
    ))
}

/// Writes scripts to where runit looks for them: its arguments are names, each with its script.
const WRITE: &str = r#"set -e; while [ $# -gt 0 ]; do mkdir -p "/etc/service/$1"; printf %s "$2" > "/etc/service/$1/run"; chmod 755 "/etc/service/$1/run"; shift 2; done"#;

/// The instructions that put the scripts of services where runit looks for them.
fn services(recipe: &Recipe) -> Result<String, Failure> {
    if recipe.runit.is_empty() {
        return Ok(String::new());
    }
    let stage = match &recipe.target {
        None => String::new(),
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(Failure::invalid(format!(
                "image `{}` has `runit`, and its `target` is the number of a stage",
                recipe.name
            ))
            .hint("give the stage a name in the Dockerfile, with `FROM … AS NAME`"));
        }
        // BuildKit takes a name that is not in lower case for no stage here.
        Some(name) => format!("\nFROM {} AS {STAGE}", name.to_lowercase()),
    };
    let scripts = recipe.runit.iter().flat_map(|(name, script)| [name.clone(), runnable(script)]);
    let words: Vec<String> =
        ["/bin/sh", "-c", WRITE, "sh"].map(str::to_owned).into_iter().chain(scripts).collect();
    // As JSON, words are as they are: no shell, and no variable of the Dockerfile, is looked for in them.
    let instruction = format!("RUN {}", serde_json::Value::from(words));
    if instruction.len() > LONGEST_LINE {
        return Err(Failure::invalid(format!(
            "the scripts of `runit` of image `{}` are too long: they make a line of {} bytes, and builders read {LONGEST_LINE}",
            recipe.name,
            instruction.len()
        ))
        .hint("have long scripts in files that the Dockerfile copies, and run these"));
    }
    Ok(format!("{stage}\n{instruction}\n"))
}

/// A script with its interpreter, and with a last line that ends.
fn runnable(script: &str) -> String {
    let interpreter = if script.starts_with("#!") { "" } else { "#!/bin/sh\n" };
    let end = if script.ends_with('\n') { "" } else { "\n" };
    format!("{interpreter}{script}{end}")
}

#[cfg(test)]
mod tests;
