//! What plugins cost, and looking for them. Talks to cargo, the example `plugin` and the program.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Row;
use super::measure::{cost, in_turns};
use crate::program::cargo;
use crate::shell::{self, Result};

const FILES: u32 = 3_000;
const TIMES: usize = 20;

/// Sessions with plugins of three sorts, calls and events in one of them, and a list of many files.
pub fn measure(program: &Path) -> Result<Vec<Row>> {
    shell::attached(&mut cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package=cloudpad",
        "--package=cloudpad-plugin-api",
        "--example=plugin",
        "--example=odd_program",
        "--example=odd_library",
    ]))?;
    let folder = Folder::new()?;
    let examples = program.with_file_name("examples");
    // The tests' plugin is written in Rust, and does nothing or tells much.
    let run = |plugin: &Path, configs: &[&str]| {
        let mut command = Command::new(examples.join("plugin"));
        let report = shell::output(command.arg(program).arg(plugin).args(configs))?;
        serde_json::from_str::<Value>(&report).map_err(|error| format!("no report in `{report}`: {error}"))
    };
    let executable = run(&examples.join("odd_program"), &[r#""""#, r#""events""#])?;
    let library = run(&examples.join("libodd_library.so"), &[r#""""#])?;
    let python = run(&folder.python(program)?, &["{}"])?;
    let mut rows = vec![
        session("an executable", &executable, 10.0)?,
        session("a library", &library, 15.0)?,
        session("a Python plugin", &python, 150.0)?,
        Row::limit("a call in an open session", "ms", number(&executable, "call_ms")?, 0.2),
        // 50,000 a second.
        Row::limit("an event of many", "µs", number(&executable, "event_us")?, 20.0),
    ];
    rows.push(list(program, &folder)?);
    Ok(rows)
}

fn session(what: &str, report: &Value, goal: f64) -> Result<Row> {
    let name = format!("session with {what}, one call");
    let mut row = Row::limit(&name, "ms", number(report, "session_ms")?, goal);
    row.reference = format!("{:.1} ms (a bare start of the same)", number(report, "spawn_ms")?);
    Ok(row)
}

fn list(program: &Path, folder: &Folder) -> Result<Row> {
    let path = folder.many()?;
    let run = |option: &str| {
        let mut command = Command::new(program);
        command.arg(option).env("PATH", &path).current_dir(&folder.0);
        cost(&mut command).map(|cost| cost.seconds * 1000.0)
    };
    let (ours, version) = in_turns(TIMES, || run("--list"), || run("--version"))?;
    let mut row = Row::limit("--list, 3,000 files on PATH", "ms", ours, 30.0);
    row.reference = format!("{version:.1} ms (--version)");
    Ok(row)
}

fn number(report: &Value, field: &str) -> Result<f64> {
    report[field].as_f64().ok_or_else(|| format!("no `{field}` in {report}"))
}

/// A folder of ours, until it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("cloudpad-bench-plugins-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// The plugin in Python with which one begins.
    fn python(&self, program: &Path) -> Result<PathBuf> {
        let new = ["plugin", "new", "bench", "--stage", "inventory", "--lang", "python"];
        cost(Command::new(program).args(new).current_dir(&self.0))?;
        Ok(self.0.join("cloudpad-bench-inventory").join("cloudpad-bench-inventory"))
    }

    /// A folder full of programs, every hundredth of which is named as a plugin.
    fn many(&self) -> Result<PathBuf> {
        let folder = self.0.join("bin");
        let fail = |error| format!("cannot fill `{}`: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(fail)?;
        for n in 0..FILES {
            let name = if n % 100 == 0 { format!("cloudpad-tool{n}") } else { format!("tool{n}") };
            let file = folder.join(name);
            std::fs::write(&file, "#!/bin/sh\n").map_err(fail)?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).map_err(fail)?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
