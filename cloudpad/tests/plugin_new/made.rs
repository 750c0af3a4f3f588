//! A plugin that the program has made, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A plugin, as `cloudpad plugin new` has left it.
pub struct Made {
    _folder: TempDir,
    /// Its own folder.
    pub dir: PathBuf,
}

impl Made {
    /// A plugin called `acme`.
    #[track_caller]
    pub fn new(stage: &str, language: &str) -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let dir = make(folder.path(), "acme", stage, language);
        Self { _folder: folder, dir }
    }

    /// Replaces `old`, which has to be there, in a file of the plugin.
    #[track_caller]
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.dir.join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(old), "no `{old}` in:\n{text}");
        std::fs::write(path, text.replace(old, new)).expect("the file can be written");
    }

    /// Cloudpad, with the config of its README, starts it and asks it whether that is fine.
    #[track_caller]
    pub fn is_taken(&self) {
        is_taken(self.dir.parent().expect("it is in a folder"), &config(&self.dir));
    }

    /// Runs a shell's line in its folder, which has to end well; both of its outputs.
    #[track_caller]
    pub fn run(&self, line: &str) -> String {
        run(&self.dir, line)
    }
}

/// The config in the README of the plugin in `dir`.
pub fn config(dir: &Path) -> String {
    let readme = std::fs::read_to_string(dir.join("README.md")).expect("it is made");
    let config = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    config.expect("a config").to_owned()
}

/// Checks `folder` as a project with this config, and again with a key in it that no plugin knows; then the plugin, by
/// the rules of the protocol.
#[track_caller]
pub fn is_taken(folder: &Path, config: &str) {
    let check = |config: &str| {
        let project =
            "[project]\nname = \"shop\"\n\n[images.web]\nreference = \"web:1\"\n\n[services.web]\n\n";
        std::fs::write(folder.join("Cloudpad.toml"), project.to_owned() + config).expect("a config");
        let output = cloudpad(folder, &["check"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = check(config);
    assert_eq!(code, Some(0), "{config}\n{said}");
    let odd = match config.contains("config = { ") {
        true => config.replace("config = { ", "config = { colour = 1, "),
        false => config.to_owned() + "config = { colour = 1 }\n",
    };
    let (code, said) = check(&odd);
    assert!(code == Some(2) && said.contains("colour"), "{odd}\n{code:?} {said}");
    let name = config.split("[plugins.").nth(1).and_then(|rest| rest.split(']').next()).expect("a plugin");
    let output = cloudpad(folder, &["plugin", "check", name]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" 0 warnings, 0 failed"), "{said}");
}

/// Makes a plugin in `folder`; its own folder.
#[track_caller]
pub fn make(folder: &Path, name: &str, stage: &str, language: &str) -> PathBuf {
    let output = cloudpad(folder, &["plugin", "new", name, "--stage", stage, "--lang", language]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join(format!("cloudpad-{name}-{stage}"))
}

/// Runs the program in `folder`.
pub fn cloudpad(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command.output().expect("cloudpad does not start")
}

/// Runs a shell's line, which has to end, and well; both of its outputs.
#[track_caller]
pub fn run(folder: &Path, line: &str) -> String {
    let mut command = Command::new("timeout");
    command.args(["500", "sh", "-c", &format!("exec 2>&1; {line}")]).current_dir(folder).stdin(Stdio::null());
    let output = command.output().expect("sh does not start");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "`{line}` in `{}` ended with {}:\n{text}",
        folder.display(),
        output.status
    );
    text
}

/// Fails the test, and says what to install, where a shell's `line` does not end well.
#[track_caller]
pub fn need(line: &str, package: &str) {
    let ran = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output().expect("sh does not start");
    let advice = "`cargo xtask lab up` installs what tests need";
    assert!(
        ran.status.success(),
        "this test needs Debian's package `{package}`, and it is missing; {advice}"
    );
}
