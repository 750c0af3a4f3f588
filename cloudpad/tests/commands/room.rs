//! A home, a project and a folder on PATH for one test, and the program in them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A config that is fine, to which a test adds.
pub const CONFIG: &str =
    "[project]\nname = \"shop\"\n[images.web]\nreference = \"web:1\"\n[services.web]\nimage = \"web\"\n";

/// Where a test takes place.
pub struct Room(TempDir);

/// What has come of a run.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Room {
    /// A room with a project that uses no plugins.
    pub fn new() -> Self {
        let room = Self::bare();
        room.config("");
        room
    }

    /// A room without a project.
    pub fn bare() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        for folder in ["home", "project", "bin"] {
            std::fs::create_dir(room.at(folder)).unwrap();
        }
        room
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Writes the project's config.
    pub fn config(&self, more: &str) {
        self.write("project/Cloudpad.toml", &(CONFIG.to_owned() + more));
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    /// A file that can be run. Another process writes it: a child of this one that is just being started holds
    /// everything open that this process has open, and what is open for writing does not run.
    pub fn program(&self, path: &str, text: &str) -> &Self {
        let path = self.at(path);
        let script = "mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\" && chmod 755 \"$1\"";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script, "sh"]).arg(&path).stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        self
    }

    /// A command that says that it has run, and with what.
    pub fn says(&self, path: &str, what: &str) -> &Self {
        self.program(path, &format!("#!/bin/sh\necho '{what}'\nfor word; do echo \"<$word>\"; done\n"))
    }

    /// A plugin that nobody may run.
    pub fn trap(&self, path: &str) -> &Self {
        let witness = self.at("has-run");
        self.program(path, &format!("#!/bin/sh\ntouch '{}'\n", witness.display()))
    }

    /// Fails the test if a trap has been run.
    #[track_caller]
    pub fn nothing_has_run(&self) {
        assert!(!self.at("has-run").exists(), "a plugin was run");
    }

    /// A plugin that says hello with this version, for provider `NAME` of stage `inventory`, and nothing more.
    pub fn greets(&self, path: &str, name: &str, version: &str) -> &Self {
        let hello = serde_json::json!({
            "t": "hello", "name": name, "version": version, "protocols": [1],
            "provides": [{ "stage": "inventory", "provider": name, "methods": ["inventory.list"] }],
        });
        self.program(path, &format!("#!/bin/sh\necho '{hello}'\ncat >/dev/null\n"))
    }

    pub fn mode(&self, path: &str, mode: u32) -> &Self {
        std::fs::set_permissions(self.at(path), std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// The program in a folder of the room.
    pub fn command(&self, folder: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad"));
        let path = std::env::var("PATH").unwrap();
        command.args(args).current_dir(self.at(folder)).env_clear().env("HOME", self.at("home"));
        command.env("PATH", format!("{}:{path}", self.at("bin").display())).stdin(Stdio::null());
        command
    }

    /// Runs the program in the project.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command("project", args))
    }
}

impl Run {
    pub fn of(mut command: Command) -> Self {
        let output = command.output().expect("it does not start");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails the test unless the exit code is this.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails the test unless standard error says this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no `{words}` in {self:#?}");
        self
    }

    /// Fails the test unless standard output shows this, however much space is between the words.
    #[track_caller]
    pub fn shows(self, words: &str) -> Self {
        assert!(self.lines().iter().any(|line| line.contains(words)), "no `{words}` in {self:#?}");
        self
    }

    /// The lines of standard output, with one space between the words.
    pub fn lines(&self) -> Vec<String> {
        self.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A path as it is shown.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
