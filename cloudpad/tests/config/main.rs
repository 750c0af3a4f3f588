//! `Cloudpad.toml` as users write it: right, wrong in every way, and at random.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod documents;
mod good;
mod init;
mod noise;
mod problems;
mod values;

use std::path::Path;

use cloudpad::config::{self, Config, Input, Places, Problem};

/// A file of this folder: its text, with the environment and the variables that its first lines
/// choose (`# environment: staging`, `# var: NAME=value`).
struct Case<'a> {
    text: &'a str,
}

impl<'a> Case<'a> {
    fn environment(&self) -> Option<&'a str> {
        self.text.lines().find_map(|line| line.strip_prefix("# environment: "))
    }

    fn var(&self, name: &str) -> Option<String> {
        let mut vars = self.text.lines().filter_map(|line| line.strip_prefix("# var: ")?.split_once('='));
        vars.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }

    fn load(&self) -> Result<Config, Vec<Problem>> {
        load(self.text, self.environment(), &|name| self.var(name))
    }
}

fn load(
    text: &str,
    environment: Option<&str>,
    var: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    config::load(&Input { text, dir: Path::new("/srv/shop"), environment, var })
}

fn render(problems: &[Problem], text: &str) -> String {
    config::render(problems, &Places::default(), text, "Cloudpad.toml", false)
}

/// Every `.toml` file of a folder, by name.
fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(folder);
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of cases can be read") {
        let path = entry.expect("an entry of the folder").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            cases.push((name, std::fs::read_to_string(&path).expect("a case is UTF-8")));
        }
    }
    cases.sort();
    cases
}

/// Compares with `FOLDER/NAME.snap`.
fn compare(folder: &str, name: &str, value: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, value));
}
