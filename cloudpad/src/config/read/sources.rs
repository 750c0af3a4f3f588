//! `[sources.NAME]`. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use cloudpad_plugin_api::stage::source::{GitReference, Location};

use crate::config::grammar::{name, path};
use crate::config::section::Section;
use crate::config::{Problem, Source};

/// The directory of `Cloudpad.toml`.
pub(super) fn here(dir: &Path) -> Source {
    Source { location: Location::Directory { path: path::resolve(dir, ".") }, prepare: Vec::new() }
}

pub(super) fn read(file: &Section<'_>, dir: &Path) -> BTreeMap<String, Source> {
    let Some(section) = file.section("sources") else { return BTreeMap::new() };
    let read = |(name, section): (&str, Section<'_>)| Some((name.to_owned(), source(&section, dir)?));
    section.named(name::component).into_iter().filter_map(read).collect()
}

fn source(section: &Section<'_>, dir: &Path) -> Option<Source> {
    let prepare = section.commands("prepare");
    let location = match (section.has("git"), section.has("path")) {
        (true, false) => git(section),
        (false, true) => directory(section, dir),
        (true, true) => {
            section.problem_with_key(
                "path",
                Problem::new(format!("`{}` has both `git` and `path`", section.at))
                    .hint("a source is a git repository or a directory; remove one of them"),
            );
            None
        }
        (false, false) => {
            section.problem(
                "git",
                Problem::new(format!("`{}` has neither `git` nor `path`", section.at))
                    .hint("add `git = \"URL\"` or `path = \"DIRECTORY\"`"),
            );
            None
        }
    };
    Some(Source { location: location?, prepare })
}

fn git(section: &Section<'_>) -> Option<Location> {
    let chosen: Vec<&str> = ["branch", "tag", "rev"].into_iter().filter(|key| section.has(key)).collect();
    for more in chosen.iter().skip(1) {
        section.problem_with_key(
            more,
            Problem::new(format!("`{}` has both `{}` and `{more}`", section.at, chosen[0]))
                .hint("one of `branch`, `tag` and `rev` says which revision is meant"),
        );
    }
    let url = section.parse("git", url);
    let reference = match chosen.first() {
        Some(key) => section.parse(key, revision).map(|name| match *key {
            "branch" => GitReference::Branch(name),
            "tag" => GitReference::Tag(name),
            _ => GitReference::Revision(name),
        }),
        None => Some(GitReference::Default),
    };
    Some(Location::Git { url: url?, reference: reference? })
}

fn directory(section: &Section<'_>, dir: &Path) -> Option<Location> {
    for key in ["branch", "tag", "rev"].into_iter().filter(|key| section.has(key)) {
        section.problem_with_key(
            key,
            Problem::new(format!("`{key}` goes with `git`, but this source is a directory"))
                .hint("remove it, or name the repository with `git` in place of `path`"),
        );
    }
    Some(Location::Directory { path: path::resolve(dir, &section.parse("path", path::any)?) })
}

fn url(text: &str) -> Result<String, Problem> {
    match text {
        "" => Err(Problem::new("the repository's URL is empty")),
        // It would be an option to git.
        _ if text.starts_with('-') || text.contains(char::is_control) => {
            Err(Problem::new(format!("`{}` is no URL of a repository", text.escape_debug())))
        }
        _ => Ok(text.to_owned()),
    }
}

/// The rules of `git check-ref-format` that matter for a name on a command line.
fn revision(text: &str) -> Result<String, Problem> {
    let odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    match text.is_empty() || text.starts_with('-') || text.contains("..") || text.contains(odd) {
        true => Err(Problem::new(format!("`{}` is no name of a revision", text.escape_debug()))),
        false => Ok(text.to_owned()),
    }
}
