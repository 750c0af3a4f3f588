//! The aws tool and moto, a double of EC2, for tests of `plugins/aws-inventory`. Talks to Python's package installer.

use std::fs;
use std::process::Command;

use super::settings::workspace;
use super::{Settings, packages};
use crate::shell::{self, Result};

/// What is installed, in the versions that the tests were written against.
const WANTED: &str = "plugins/aws-inventory/tests/requirements.txt";

/// Installs them into a Python environment of their own, `aws` in the lab's folder, unless they are there.
pub fn ensure(settings: &Settings) -> Result<()> {
    let wanted = workspace().join(WANTED);
    let text = fs::read(&wanted).map_err(|error| format!("cannot read `{}`: {error}", wanted.display()))?;
    let target = settings.dir.join("aws");
    // Written last, so that what was broken off is not taken for whole.
    let installed = target.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    println!("installing the aws tool and moto");
    packages::install_unless(Command::new("python3").args(["-c", "import ensurepip"]), "python3-venv")?;
    shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&target))?;
    let mut pip = Command::new(target.join("bin/python"));
    // Most of what comes along is never imported, so nothing is compiled ahead.
    pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"])
        .arg("--requirement")
        .arg(&wanted);
    shell::output(&mut pip)?;
    fs::write(&installed, text).map_err(|error| format!("cannot write `{}`: {error}", installed.display()))
}
