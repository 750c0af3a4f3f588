//! `cargo xtask test`: all that has to be so before a change is merged, lab included. Talks to cargo.

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

use crate::demo;
use crate::lab::{self, Settings};
use crate::program::cargo;
use crate::shell::{self, Result};

/// Runs every section in turn, and stops after the first that fails.
pub fn run() -> Result<ExitCode> {
    let settings = Settings::from_environment()?;
    let mut passed = Vec::new();
    let sections: [(&str, &dyn Fn() -> Result<String>); 6] = [
        ("format", &|| attached(&["fmt", "--all", "--check"]).map(|()| String::new())),
        ("lints", &|| {
            attached(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
                .map(|()| String::new())
        }),
        ("documentation", &documentation),
        ("lab", &|| lab::up_for_use(&settings).map(|lab| format!("{} hosts", lab.hosts.len()))),
        ("tests", &|| tests(&settings)),
        ("demonstration", &|| demo::run().map(|_| String::new())),
    ];
    for (name, section) in sections {
        println!("\n=== {name}");
        let since = Instant::now();
        match section() {
            Ok(detail) => {
                passed.push(format!("{name:14}ok      {:6.1} s  {detail}", since.elapsed().as_secs_f32()))
            }
            Err(why) => {
                println!("\n=== summary\n{}", passed.join("\n"));
                println!("{name:14}FAILED  {:6.1} s", since.elapsed().as_secs_f32());
                return Err(why);
            }
        }
    }
    println!("\n=== summary\n{}", passed.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn attached(args: &[&str]) -> Result<()> {
    shell::attached(&mut cargo(args))
}

fn documentation() -> Result<String> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps"]);
    shell::attached(command.env("RUSTDOCFLAGS", "-Dwarnings")).map(|()| String::new())
}

/// Runs all tests, prints what they print, and counts them.
fn tests(settings: &Settings) -> Result<String> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.env("CLOUDPAD_LAB", &settings.dir).env("PATH", lab::path_for_tests(settings)?);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start `cargo`: {error}"))?;
    let mut count = Count::default();
    let out = child.stdout.take().ok_or("`cargo test` has no output")?;
    for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
        println!("{line}");
        count.add(&line);
    }
    let status = child.wait().map_err(|error| format!("`cargo test` was lost: {error}"))?;
    println!("\n{}", count.text());
    if !status.success() {
        return Err(format!("`cargo test` ended with {status}: {}", count.text()));
    }
    if count.passed == 0 {
        return Err("`cargo test` ran no test".into());
    }
    Ok(count.text())
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
