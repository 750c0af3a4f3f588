//! The whole way from a file's text to a [`Config`]. Pure.

use std::path::Path;

use super::grammar::name;
use super::read::Read;
use super::section::Problems;
use super::tree::{self, Entry, Table, Value};
use super::vars::{Told, Used, Vars};
use super::{Config, Place, Places, Problem, check, keys, nearest, overlay, read, shape};

/// All that a config is made from.
pub struct Input<'a> {
    /// The content of `Cloudpad.toml`.
    pub text: &'a str,
    /// The absolute directory it lies in, from which relative paths start.
    pub dir: &'a Path,
    /// The chosen environment.
    pub environment: Option<&'a str>,
    /// The value of an environment variable of the caller.
    pub var: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads a config.
///
/// # Errors
/// Every problem that can be told, each with its bytes in the text. Where the text is no TOML, there
/// are only the problems with that.
pub fn load(input: &Input<'_>) -> Result<Config, Vec<Problem>> {
    let mut table = tree::parse(input.text)?;
    let mut found = Vec::new();
    shape::check("", &mut table, &keys::FILE, &mut found);
    choose(&mut table, input.environment, &mut found);
    let used = put_in(&mut table, input, &mut found);

    let problems = Problems::default();
    let places = tree::places(&table);
    let Read { config, hosts_known } = read::read(&table, input.dir, input.environment, places, &problems);
    found.extend(problems.into_inner());
    found.extend(check::all(&config, hosts_known));
    let in_clear = check::in_clear(&config, &used);
    // That such a variable is not set is no reason to set it.
    found.retain(|problem| !in_clear.iter().any(|other| other.place == problem.place));
    found.extend(in_clear);
    if found.is_empty() { Ok(config) } else { Err(locate(found, &config.places)) }
}

/// Puts the values of variables into the file's strings, and returns those whose values are shown: what `[stages]` says goes to
/// providers alone.
fn put_in(table: &mut Table, input: &Input<'_>, problems: &mut Vec<Problem>) -> Vec<Used> {
    let vars = Vars { text: input.text, get: input.var };
    let stages = table.remove_entry("stages");
    let mut told = Told::default();
    vars.replace(table, &mut told);
    let used = std::mem::take(&mut told.used);
    if let Some((name, stages)) = stages {
        let mut alone = Table::from([(name, stages)]);
        vars.replace(&mut alone, &mut told);
        table.append(&mut alone);
    }
    problems.extend(told.problems);
    used
}

/// Takes the environments out of `table` and lays the chosen one over it.
fn choose(table: &mut Table, chosen: Option<&str>, problems: &mut Vec<Problem>) {
    let entry = table.remove("environments");
    let place = entry.as_ref().map_or(0..0, |entry| entry.node.span.clone());
    let mut environments = match entry.map(|entry| entry.node.value) {
        Some(Value::Table(environments)) => environments,
        _ => Table::new(),
    };
    for (name, Entry { key, .. }) in &environments {
        problems.extend(name::component(name).err().map(|problem| problem.at(key.clone())));
    }
    let Some(chosen) = chosen else { return };
    match environments.remove(chosen).map(|entry| entry.node.value) {
        Some(Value::Table(over)) => overlay::merge(table, over, &keys::FILE),
        Some(_) => {}
        None => problems.push(unknown(chosen, &environments).at(place)),
    }
}

fn unknown(chosen: &str, environments: &Table) -> Problem {
    let known: Vec<&str> = environments.keys().map(String::as_str).collect();
    let problem = Problem::new(format!("there is no environment `{chosen}`"));
    match known[..] {
        [] => problem.hint(format!("add `[environments.{chosen}]`, or choose none")),
        _ => problem.hint(nearest::hint(chosen, &known)),
    }
}

/// Puts bytes in the place of keys, since who gets the problems gets no config to look them up in.
fn locate(problems: Vec<Problem>, places: &Places) -> Vec<Problem> {
    let bytes = |place| match place {
        Place::Key(key) => Place::Bytes(places.find(&key).unwrap_or(0..0)),
        bytes => bytes,
    };
    problems.into_iter().map(|problem| Problem { place: problem.place.map(bytes), ..problem }).collect()
}
