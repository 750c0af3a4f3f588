//! `cargo xtask test`: all that has to be so before a change is merged, lab included. Talks to cargo.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use crate::demo;
use crate::lab::{self, Settings};
use crate::program::{cargo, target};
use crate::shell::{self, Result};

/// A section: its name, and what it does; what it returns is told beside its time.
type Section<'a> = (&'a str, &'a dyn Fn() -> Result<String>);

/// Runs every section in turn, and stops after the first that fails.
pub fn run() -> Result<ExitCode> {
    let settings = Settings::from_environment()?;
    let mut passed = Vec::new();
    // The lab waits for its engine and for packages half of the time, in which compilers can have the processors.
    let result = std::thread::scope(|scope| {
        let lab =
            scope.spawn(|| lab::up_for_tests(&settings).map(|lab| format!("{} hosts", lab.hosts.len())));
        in_turn(&[("format", &format), ("lints", &lints), ("documentation", &documentation)], &mut passed)?;
        let lab = Cell::new(Some(lab));
        let raised = || match lab.take().map(ScopedJoinHandle::join) {
            Some(Ok(raised)) => raised,
            _ => Err("what raises the lab has ended early".to_owned()),
        };
        let rest: [Section<'_>; 3] = [
            ("lab", &raised),
            ("tests", &|| tests(&settings)),
            ("demonstration", &|| demo::run().map(|_| String::new())),
        ];
        in_turn(&rest, &mut passed)
    });
    println!("\n=== summary\n{}", passed.join("\n"));
    result.map(|()| ExitCode::SUCCESS)
}

/// Runs sections, and notes what became of each.
fn in_turn(sections: &[Section<'_>], passed: &mut Vec<String>) -> Result<()> {
    for (name, section) in sections {
        println!("\n=== {name}");
        let since = Instant::now();
        let result = section();
        let (word, detail) = match &result {
            Ok(detail) => ("ok", detail.as_str()),
            Err(_) => ("FAILED", ""),
        };
        passed.push(format!("{name:14}{word:8}{:6.1} s  {detail}", since.elapsed().as_secs_f32()));
        result?;
    }
    Ok(())
}

/// The plugin that is no member of the workspace.
const APART: &str = "--manifest-path=plugins/aws-inventory/Cargo.toml";

/// `cargo COMMAND` for the workspace, and for the plugin that is not in it. Both build into one folder, so that what
/// they share is built once.
fn everywhere(command: &str) -> Result<[Command; 2]> {
    let mut apart = cargo(&[command, APART, "--target-dir"]);
    apart.arg(target()?);
    Ok([cargo(&[command, "--workspace"]), apart])
}

fn format() -> Result<String> {
    shell::attached(&mut cargo(&["fmt", "--all", "--check"]))?;
    shell::attached(&mut cargo(&["fmt", APART, "--check"])).map(|()| String::new())
}

fn lints() -> Result<String> {
    for mut command in everywhere("clippy")? {
        shell::attached(command.args(["--all-targets", "--", "-D", "warnings"]))?;
    }
    Ok(String::new())
}

fn documentation() -> Result<String> {
    for mut command in everywhere("doc")? {
        shell::attached(command.arg("--no-deps").env("RUSTDOCFLAGS", "-Dwarnings"))?;
    }
    Ok(String::new())
}

/// Runs all tests, prints what they print, and counts them.
fn tests(settings: &Settings) -> Result<String> {
    let path = lab::path_for_tests(settings)?;
    // A test of the lab waits for hosts about a third of its time.
    let threads = std::thread::available_parallelism().map_or(2, usize::from) * 3 / 2;
    let mut count = Count::default();
    let mut failed = Ok(());
    for mut command in everywhere("test")? {
        command.arg("--no-fail-fast").env("CLOUDPAD_LAB", &settings.dir).env("PATH", &path);
        command.env("RUST_TEST_THREADS", threads.to_string());
        failed = failed.and(counted(&mut command, &mut count));
    }
    println!("\n{}", count.text());
    failed.map_err(|why: String| format!("{why}: {}", count.text()))?;
    Ok(count.text())
}

/// Runs some tests.
fn counted(command: &mut Command, count: &mut Count) -> Result<()> {
    let before = count.passed;
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start `cargo`: {error}"))?;
    let out = child.stdout.take().ok_or("`cargo test` has no output")?;
    for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
        println!("{line}");
        count.add(&line);
    }
    let status = child.wait().map_err(|error| format!("`cargo test` was lost: {error}"))?;
    match count.passed > before {
        _ if !status.success() => Err(format!("{} ended with {status}", shell::line(command))),
        true => Ok(()),
        false => Err(format!("{} ran no test", shell::line(command))),
    }
}

/// The sum of the lines in which each test binary sums itself up.
#[derive(Default)]
struct Count {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Count {
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in numbers.split("; ") {
            match part.split_once(' ').map(|(number, what)| (number.parse().unwrap_or(0), what)) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }

    fn text(&self) -> String {
        format!("{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_added_up() {
        let mut count = Count::default();
        count.add("test a ... ok");
        count.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        count.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s");
        assert_eq!(count.text(), "5 passed, 1 failed, 1 ignored");
    }
}
