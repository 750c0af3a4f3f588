//! The rules of the house that no compiler checks, as tests. Reads the workspace's own files.
//!
//! A rule is a function of a file's path and text, so that it can be tried on a made-up file: each has
//! a test that it finds what it forbids, and all are run over the workspace by one test.

use std::path::Path;

use crate::lab::workspace;

/// A rule: what to do about a violation, and which lines (from 1) of a file violate it.
struct Rule {
    advice: &'static str,
    check: fn(path: &str, text: &str) -> Vec<usize>,
}

const RULES: [Rule; 8] = [
    Rule {
        advice: "open the file with `//!`: what the room is for, and whether it is pure or whom it talks to",
        check: opening,
    },
    Rule { advice: "split the file: nobody finds anything in more than 500 lines", check: length },
    Rule {
        advice: "say `Pure` in the opening `//!`: this room decides, and acts on nothing",
        check: declared_pure,
    },
    Rule {
        advice: "a pure room has no I/O, clock, thread or hash order: take the value as an argument, or use \
                 a BTreeMap; or move the code to a room that acts",
        check: pure,
    },
    Rule {
        advice: "commands do not import commands: put what both need into a room below, or into `cmd.rs`",
        check: commands,
    },
    Rule {
        advice: "only `cloudpad/src/term.rs` writes to the terminal: hand it the text or an event",
        check: prints,
    },
    Rule {
        advice: "a plugin may use `cloudpad-plugin-api`, `cloudpad-engine` and `cloudpad-transport`, and no other \
                 crate of the workspace; the contract and the libraries use no plugin",
        check: dependencies,
    },
    Rule {
        advice: "write paths relative to the workspace, or take them from the environment",
        check: machine_paths,
    },
];

/// Rooms that decide and never act.
const PURE_ROOMS: &[&str] = &[
    "cloudpad/src/config",
    "cloudpad/src/instances.rs",
    "cloudpad/src/interleave.rs",
    "cloudpad/src/inventory.rs",
    "cloudpad/src/manifest.rs",
    "cloudpad/src/observed.rs",
    "cloudpad/src/plan",
    "cloudpad/src/report.rs",
    "plugin-api/src/context.rs",
    "plugin-api/src/failure.rs",
    "plugin-api/src/lenient.rs",
    "plugin-api/src/model.rs",
    "plugin-api/src/plugin.rs",
    "plugin-api/src/provider.rs",
    "plugin-api/src/secret.rs",
    "plugin-api/src/stage",
    "plugin-api/src/wire",
];

const IMPURE: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::net::ToSocketAddrs",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "HashMap",
    "HashSet",
    "rand::",
    "tokio::",
    "std::io::std",
];

const IMPURE_IN_A_LIST: [&str; 5] = ["fs", "env", "net", "process", "thread"];

/// What each library and the contract may use of the workspace; plugins may use all three. The contract's
/// tests use its own test kit.
const LIBRARIES: [(&str, &[&str]); 3] = [
    ("plugin-api", &["plugin-api"]),
    ("plugins/engine", &["plugin-api", "transport"]),
    ("plugins/transport", &["plugin-api"]),
];

#[test]
fn the_workspace_keeps_its_rules() {
    let mut violations = String::new();
    let mut files = 0;
    for (path, text) in workspace_files() {
        files += 1;
        for rule in &RULES {
            for line in (rule.check)(&path, &text) {
                violations += &format!("{path}:{line}: {}\n", rule.advice);
            }
        }
    }
    assert!(files > 50, "only {files} files were looked at: the search is broken");
    assert!(violations.is_empty(), "\n{violations}");
}

fn opening(path: &str, text: &str) -> Vec<usize> {
    // Starter projects are somebody else's code.
    let exempt = !path.ends_with(".rs") || path.starts_with("templates/");
    let found = text.starts_with("//! ");
    if exempt || found { Vec::new() } else { vec![1] }
}

fn length(path: &str, text: &str) -> Vec<usize> {
    if path.ends_with(".rs") && text.lines().count() > 500 { vec![501] } else { Vec::new() }
}

fn declared_pure(path: &str, text: &str) -> Vec<usize> {
    let room = PURE_ROOMS.iter().any(|room| path.starts_with(room));
    if room && path.ends_with(".rs") && !is_test_file(path) && !says_pure(text) {
        vec![1]
    } else {
        Vec::new()
    }
}

fn pure(path: &str, text: &str) -> Vec<usize> {
    let room = PURE_ROOMS.iter().any(|room| path.starts_with(room));
    if !path.ends_with(".rs") || is_test_file(path) || !(room || says_wholly_pure(text)) {
        return Vec::new();
    }
    lines_where(text, |line| {
        // A moment is a value; only asking the clock for one is not.
        let line = &line.replace("tokio::time::Instant;", "");
        IMPURE.iter().any(|word| line.contains(word))
            || line.trim_start().starts_with("use std::{")
                && words(line).any(|word| IMPURE_IN_A_LIST.contains(&word))
    })
}

fn commands(path: &str, text: &str) -> Vec<usize> {
    let Some(own) = path.strip_prefix("cloudpad/src/cmd/").and_then(|name| name.strip_suffix(".rs")) else {
        return Vec::new();
    };
    // What stands beside the commands and is none itself, such as shared arguments, may be used.
    let list = std::fs::read_to_string(workspace().join("cloudpad/src/cmd.rs")).unwrap_or_default();
    let is_another = |name: &str| name != own && list.contains(&format!("({name}::Args)"));
    lines_where(text, |line| siblings(line).any(is_another))
}

/// The names that a line takes from a command's own level: `x` of `super::x` and `crate::cmd::x`.
fn siblings(line: &str) -> impl Iterator<Item = &str> {
    let after = ["cmd::", "super::"].into_iter().flat_map(|parent| line.split(parent).skip(1));
    after.flat_map(|rest| {
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
        let count = if rest.starts_with('{') { usize::MAX } else { 1 };
        words(list).filter(|word| !word.is_empty()).take(count)
    })
}

fn prints(path: &str, text: &str) -> Vec<usize> {
    let shipped = path.contains("/src/") && path.ends_with(".rs") && !is_test_file(path);
    if !shipped
        || path.starts_with("xtask/")
        || path.starts_with("templates/")
        || path == "cloudpad/src/term.rs"
    {
        return Vec::new();
    }
    lines_where(text, |line| {
        words(line).any(|word| ["println", "print", "eprintln", "eprint"].contains(&word)) && {
            ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|call| line.contains(call))
        }
    })
}

fn dependencies(path: &str, text: &str) -> Vec<usize> {
    let Some(package) = path.strip_suffix("/Cargo.toml") else { return Vec::new() };
    let libraries: &[&str] = &["plugin-api", "engine", "transport"];
    let allowed = match LIBRARIES.iter().find(|(library, _)| *library == package) {
        Some((_, allowed)) => allowed,
        None if package.starts_with("plugins/") => libraries,
        None => return Vec::new(),
    };
    let named = |line: &str| {
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default().to_owned();
        name.strip_prefix("cloudpad").map(|rest| rest.trim_start_matches('-').to_owned())
    };
    lines_where(text, |line| named(line).is_some_and(|name| !allowed.contains(&name.as_str())))
}

fn machine_paths(path: &str, text: &str) -> Vec<usize> {
    // Scripts of the lab's hosts speak of those hosts' own paths.
    if path.starts_with("xtask/lab/") {
        return Vec::new();
    }
    // Put together here, so that this file keeps the rule too.
    let forbidden = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat(), ["/home/", "user"].concat()];
    let found = |(number, line): (usize, &str)| {
        let bad = forbidden.iter().any(|word| line.contains(word.as_str()));
        bad.then_some(number + 1)
    };
    text.lines().enumerate().filter_map(found).collect()
}

/// The lines (from 1) of shipped code that a test holds for: not comments, and not a file's own tests.
fn lines_where(text: &str, test: impl Fn(&str) -> bool) -> Vec<usize> {
    let shipped = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let code = shipped.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter(|(_, line)| test(line)).map(|(number, _)| number + 1).collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn says_pure(text: &str) -> bool {
    let opening = text.lines().take_while(|line| line.starts_with("//!"));
    opening.flat_map(words).any(|word| word == "Pure" || word == "PURE")
}

/// `Pure.` and not `Pure, but for …`.
fn says_wholly_pure(text: &str) -> bool {
    text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("Pure."))
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/")
}

/// Every file of the workspace that holds text, by its path from the workspace.
fn workspace_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&workspace(), &mut files);
    files
}

fn collect(dir: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let relative = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        let ours = !["target", ".git", ".lab", ".cloudpad"].contains(&name.as_str());
        if path.is_dir() && ours {
            collect(&path, files);
        } else if ours && let Ok(text) = std::fs::read_to_string(&path) {
            files.push((relative, text));
        }
    }
}

#[test]
fn a_file_without_an_opening_is_found() {
    assert_eq!(opening("cloudpad/src/x.rs", "use a;\n"), [1]);
    assert_eq!(opening("cloudpad/src/x.rs", "//! A room.\n"), [0; 0]);
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(length("a.rs", &"x\n".repeat(501)), [501]);
    assert_eq!(length("a.rs", &"x\n".repeat(500)), [0; 0]);
}

#[test]
fn an_impure_pure_room_is_found() {
    let path = "cloudpad/src/plan/queue.rs";
    assert_eq!(declared_pure(path, "//! A queue.\n"), [1]);
    assert_eq!(pure(path, "//! A queue. Pure.\nuse std::collections::HashMap;\n"), [2]);
    assert_eq!(pure(path, "//! A queue. Pure.\nuse std::{fmt, fs};\n"), [2]);
    assert_eq!(pure(path, "//! A queue. Pure.\n// No HashMap here.\n#[cfg(test)]\nuse std::fs;\n"), [0; 0]);
}

#[test]
fn what_a_command_imports_is_found() {
    let found = |line| siblings(line).collect::<Vec<_>>();
    assert_eq!(found("use super::deploy::run;"), ["deploy"]);
    assert_eq!(found("    crate::cmd::plan::show(x)"), ["plan"]);
    assert_eq!(found("use super::{Common, push};"), ["Common", "push"]);
    assert_eq!(found("use crate::plan::Plan;"), [""; 0]);
}

#[test]
fn a_print_outside_the_terminal_is_found() {
    assert_eq!(prints("plugins/git/src/lib.rs", "//! X.\nprintln!(\"x\");\n"), [2]);
    assert_eq!(prints("cloudpad/src/term.rs", "//! X.\nprintln!(\"x\");\n"), [0; 0]);
}

#[test]
fn a_plugin_that_uses_a_plugin_is_found() {
    let toml = "[dependencies]\ncloudpad-git.workspace = true\ncloudpad-engine.workspace = true\n";
    assert_eq!(dependencies("plugins/ssh/Cargo.toml", toml), [2]);
    assert_eq!(dependencies("plugins/transport/Cargo.toml", toml), [2, 3]);
    assert_eq!(dependencies("plugins/ssh/Cargo.toml", "cloudpad = { path = \"../../cloudpad\" }\n"), [1]);
}

#[test]
fn a_path_of_this_machine_is_found() {
    let text = ["see /wo", "rk/main"].concat();
    assert_eq!(machine_paths("README.md", &text), [1]);
}
