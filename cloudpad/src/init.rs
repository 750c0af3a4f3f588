//! What `cloudpad init` writes: a first `Cloudpad.toml`, made from a starter project in `templates/`
//! and from what is in the directory already. Pure.

mod dockerfile;
mod template;

use std::collections::BTreeSet;

use crate::config::Problem;
pub use template::Template;

/// The names by which a Dockerfile is found, the usual one first.
pub const DOCKERFILES: [&str; 2] = ["Dockerfile", "Containerfile"];
const CONFIG: &str = "Cloudpad.toml";
const IGNORE: &str = ".dockerignore";
const SECRETS: &str = ".env";
const STATE: &str = ".cloudpad";
const LOCK: &str = "Cloudpad.lock";

/// The parts of the template that depend on the directory.
const NAME: &str = r#"name = "app""#;
const FILE: &str = r#"dockerfile = "Dockerfile""#;
const PORTS: &str = r#"ports = ["8080:8080"]"#;
const HEALTH: &str = "health = { tcp = 8080 }";
const TEMPLATE_PORT: &str = "8080";

/// What is in the directory.
#[derive(Clone, Debug, Default)]
pub struct Found<'a> {
    /// What kind of project it is to be.
    pub template: Template,
    /// The directory's own name, without what is above it.
    pub dir_name: &'a str,
    /// Whether it has a `Cloudpad.toml`.
    pub config: bool,
    /// The Dockerfile's name, one of [`DOCKERFILES`], and its text.
    pub dockerfile: Option<(&'a str, &'a str)>,
    /// Those of the template's files that it has.
    pub there: BTreeSet<&'a str>,
    /// The text of its `.dockerignore`.
    pub ignore: Option<&'a str>,
    /// What git passes over there: the text of its `.gitignore`, and of those above it in the same work tree. None where git
    /// has nothing to do with it.
    pub git: Option<(Option<&'a str>, &'a [String])>,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// Files to write. None of them is there.
    pub files: Vec<NewFile>,
    /// The whole text of its `.gitignore`, where that is to be another, and may be there.
    pub gitignore: Option<String>,
    /// What the user should see to: lower case, no full stop.
    pub advice: Vec<String>,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its name in the directory.
    pub name: &'static str,
    /// What it holds.
    pub text: String,
}

/// Decides what to write. Files that are there are left as they are, and read for what they say.
///
/// # Errors
/// When there is a `Cloudpad.toml` already.
pub fn scaffold(found: &Found<'_>) -> Result<Scaffold, Problem> {
    if found.config {
        return Err(Problem::new(format!("`{CONFIG}` is there already, and is not overwritten"))
            .hint("`cloudpad check` tells whether it is right; to begin anew, remove it first"));
    }
    let (mut files, mut advice) = (Vec::new(), Vec::new());
    for &(name, text) in found.template.files() {
        let is_there = found.there.contains(name) || (name == DOCKERFILES[0] && found.dockerfile.is_some());
        if name == CONFIG {
            files.push(NewFile { name, text: config(found, text, &mut advice) });
        } else if !is_there {
            files.push(NewFile { name, text: text.to_owned() });
        } else if found.template != Template::App {
            advice.push(format!("`{name}` is there, and left as it is: see that `{CONFIG}` fits it"));
        }
    }
    let has_own = found.template.files().iter().any(|(name, _)| name.ends_with(IGNORE));
    match found.ignore.filter(|_| !has_own) {
        Some(ignore) => advice.extend(ignore_advice(ignore)),
        None if has_own => {}
        None => files.push(NewFile { name: IGNORE, text: template::IGNORE.to_owned() }),
    }
    Ok(Scaffold { files, gitignore: found.git.and_then(|(own, above)| gitignore(own, above)), advice })
}

/// The text of a `.gitignore` that has git pass over `.env` and its like of environments, the places of secrets; none where
/// `.env` is spoken of already.
fn gitignore(own: Option<&str>, above: &[String]) -> Option<String> {
    let lines = own.into_iter().chain(above.iter().map(String::as_str)).flat_map(str::lines);
    let mut patterns = lines.map(|line| line.trim().trim_start_matches(['!', '/']).trim_start_matches("**/"));
    if patterns.any(|pattern| [".env", ".env*", "*.env", ".*", "*"].contains(&pattern)) {
        return None;
    }
    let own = own.unwrap_or_default();
    let end = if own.is_empty() || own.ends_with('\n') { "" } else { "\n" };
    Some(format!("{own}{end}{SECRETS}\n{SECRETS}.*\n"))
}

fn config(found: &Found<'_>, template: &str, advice: &mut Vec<String>) -> String {
    let dockerfile = found.dockerfile.map_or(DOCKERFILES[0], |(name, _)| name);
    let text = template
        .replace(NAME, &format!("name = \"{}\"", project_name(found.dir_name)))
        .replace(FILE, &format!("dockerfile = \"{dockerfile}\""));
    match found.dockerfile {
        Some((_, own)) if found.template == Template::App => {
            let port = dockerfile::exposed(own);
            if port.is_none() {
                advice.push(format!(
                    "`{dockerfile}` has no `EXPOSE`, so no port is published: add `ports` in `{CONFIG}`"
                ));
            }
            with_port(&text, port)
        }
        _ => text,
    }
}

/// The config of one service with the port that its Dockerfile exposes.
fn with_port(text: &str, port: Option<u16>) -> String {
    let Some(port) = port else {
        return text.replace(PORTS, &format!("# {PORTS}")).replace(HEALTH, &format!("# {HEALTH}"));
    };
    let lines = text.lines().map(|line| match line.starts_with(PORTS) {
        true => line.replace(PORTS, &format!("ports = [\"{}:{port}\"]", host_port(port))),
        false => line.replace(TEMPLATE_PORT, &port.to_string()),
    });
    lines.map(|line| line + "\n").collect()
}

/// The port itself, unless it is one of those that a host has for its own services.
fn host_port(port: u16) -> u16 {
    if port < 1024 { 8080 } else { port }
}

/// The directory's name as the name of a project: what no container may be called becomes `-`.
fn project_name(dir_name: &str) -> String {
    const LONGEST: usize = 63;
    let lower = dir_name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    match name[..name.len().min(LONGEST)].trim_end_matches('-') {
        "" => "app".to_owned(),
        name => name.to_owned(),
    }
}

/// What a new ignore file has of the project's own, and what in another one has the same effect. Secrets and history are nobody's to see in an image.
/// Each run writes into `.cloudpad`, `plugin lock` the lock, `secrets set` the file of secrets: in the build context that makes
/// every image a new one.
const APART: [(&str, &[&str]); 6] = [
    (".git", &[".*", ".git*"]),
    (STATE, &[".*"]),
    (CONFIG, &["Cloudpad.*", "Cloudpad*"]),
    (LOCK, &["Cloudpad.*", "Cloudpad*", "*.lock"]),
    ("secrets.age", &["*.age", "secrets.*", "secrets*"]),
    ("**/.env*", &[".*", ".env*", SECRETS]),
];

fn ignore_advice(ignore: &str) -> Option<String> {
    let bare = |line: &'_ str| line.trim().trim_start_matches('/').trim_end_matches('/').to_owned();
    let lines: Vec<String> = ignore.lines().map(bare).collect();
    let covered = |own: &str, wider: &[&str]| {
        lines.iter().any(|line| {
            let anywhere = line.trim_start_matches("**/");
            *line == *own || matches!(anywhere, "*" | "**") || anywhere == own || wider.contains(&anywhere)
        })
    };
    let missing = APART.iter().filter(|(own, wider)| !covered(own, wider));
    let named = missing.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!named.is_empty()).then(|| format!("add to `{IGNORE}` what is no part of the image: {named}"))
}
