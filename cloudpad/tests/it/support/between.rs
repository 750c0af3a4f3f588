//! A shipped plugin as a file of its own, with somebody in between who writes down what is said, and kills the plugin's
//! process where the test says so. Both carriers: `between/program.py`, `between/library.c`.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::json;
use tempfile::TempDir;

/// How a plugin runs that is not built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Program,
    Library,
}

/// When the plugin is killed.
#[derive(Clone, Copy)]
pub struct Death<'a> {
    /// The method that is under way.
    pub method: &'a str,
    /// The host that it is about; any where none is named.
    pub host: Option<&'a str>,
    pub at: At<'a>,
    /// How often it happens.
    pub times: u32,
    /// Whether the plugin works on one call at a time, so that no other is under way.
    pub alone: bool,
}

/// How far the call is.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// The plugin has it, and this script of the shell has come to its end.
    Call(&'a str),
    /// The plugin has done it and answered. Cloudpad does not get the answer.
    Answer,
}

/// The plugin of a test.
pub struct Between {
    folder: TempDir,
    path: PathBuf,
}

impl Between {
    /// The plugin of crate `cloudpad-NAME`.
    pub fn of(name: &str, carrier: Carrier) -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let path = match carrier {
            Carrier::Program => program(folder.path(), &made(&format!("cloudpad-{name}"))),
            Carrier::Library => {
                let file = format!("examples/{DLL_PREFIX}{name}_library{DLL_SUFFIX}");
                library(folder.path(), &made(&file))
            }
        };
        Self { folder, path }
    }

    /// What makes a project use it, as `[plugins.NAME]` in its config.
    pub fn table(&self, name: &str) -> String {
        format!("[plugins.{name}]\npath = \"{}\"\n", self.path.display())
    }

    /// Begins a new log. The plugin's processes that start from now on die so.
    pub fn dies(&self, death: &Death<'_>) {
        let Death { method, host, at, times, alone } = death;
        let (at, until) = match at {
            At::Call(until) => ("call", *until),
            At::Answer => ("answer", "true"),
        };
        let rule = json!({ "method": method, "host": host, "at": at, "until": until, "times": times, "one_at_a_time": alone });
        fs::write(self.folder.path().join("rule"), rule.to_string()).expect("it can be written");
        self.begin_log();
    }

    /// Begins a new log.
    pub fn begin_log(&self) {
        fs::write(self.folder.path().join("log"), "").expect("it can be written");
    }

    /// It does not die any more.
    pub fn lives(&self) {
        fs::remove_file(self.folder.path().join("rule")).expect("it was to die");
    }

    /// What was said and done, in its order: `start PID`, `call METHOD HOST`, `result` or `error` likewise,
    /// `killed WHEN METHOD HOST`.
    pub fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Those lines of the log that begin so.
    pub fn logged(&self, word: &str) -> Vec<String> {
        self.log().into_iter().filter(|line| line.starts_with(&format!("{word} "))).collect()
    }

    /// Fails the test unless the plugin ran, and nothing that it has started runs any more. What was killed may take a
    /// moment to go.
    #[track_caller]
    pub fn is_gone(&self) {
        let started = self.logged("start");
        let sessions: Vec<_> = started.iter().map(|line| &line["start ".len()..]).collect();
        assert!(!sessions.is_empty(), "the plugin was never started");
        let left = Command::new("ps").args(["-o", "pid=,args=", "-s", &sessions.join(",")]).output();
        let left = String::from_utf8_lossy(&left.expect("ps does not start").stdout).into_owned();
        let left: Vec<_> = left.lines().filter(|line| !ends(line)).collect();
        assert!(left.is_empty(), "{left:#?}\n{:#?}", self.log());
    }
}

/// Waits for the end of the process whose number the line begins with; no when that takes longer than anything does.
pub fn ends(line: &str) -> bool {
    let pid = line.split_whitespace().next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    let Ok(process) = pidfd_open(pid.expect("a process's number"), PidfdFlags::empty()) else { return true };
    let patience = Timespec { tv_sec: 30, tv_nsec: 0 };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)) == Ok(1)
}

/// What `cargo test --workspace` has made, below the folder with all that it makes.
fn made(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a file");
    let path = test.ancestors().nth(2).expect("it is in two folders").join(name);
    assert!(
        path.exists(),
        "`cargo test --workspace --no-run` makes `{}`, but not with `--test`",
        path.display()
    );
    path
}

fn program(folder: &Path, plugin: &Path) -> PathBuf {
    let text = include_str!("../between/program.py");
    let text = text.replace("@FOLDER", &folder.display().to_string());
    let text = text.replace("@PLUGIN", &plugin.display().to_string());
    let path = folder.join("plugin");
    // Another process writes it: what a child of this one has open for writing meanwhile does not run.
    let script = "cat >\"$1\" && chmod 755 \"$1\"";
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", script, "sh"]).arg(&path).stdin(Stdio::piped()).spawn();
    let mut shell = shell.expect("sh does not start");
    shell.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    assert!(shell.wait().expect("it ends").success());
    path
}

fn library(folder: &Path, plugin: &Path) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/between/library.c");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-api/include");
    let path = folder.join(format!("plugin{DLL_SUFFIX}"));
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-pthread", "-I"])
        .arg(include);
    cc.arg(format!("-DFOLDER=\"{}\"", folder.display())).arg(format!("-DPLUGIN=\"{}\"", plugin.display()));
    let built = cc.arg("-o").arg(&path).arg(tests).args(["-lcjson", "-ldl"]).status();
    assert!(
        built.expect("these tests need a C compiler, `cc`").success(),
        "these tests need libcjson-dev, which `cargo xtask lab up` installs: {cc:?}"
    );
    path
}
