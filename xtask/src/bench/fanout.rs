//! A command on fifty hosts, against `ssh` in parallel and the tools that people have for that. Talks to SSH servers of
//! this machine.

use std::path::Path;
use std::process::Command;

use super::Row;
use super::light::Light;
use super::measure::{cost, in_turns};
use crate::lab::Settings;
use crate::shell::{self, Result};

const HOSTS: u8 = 50;
const TIMES: usize = 3;

/// `hosts exec -- true` on all of them, against each tool that is there.
pub fn measure(program: &Path) -> Result<Vec<Row>> {
    let light = Light::start(&Settings::from_environment()?, HOSTS)?;
    prepare(&light)?;
    let mut rows = Vec::new();
    for (name, needs, script) in REFERENCES {
        if !shell::has(needs) {
            println!("{name} is not installed, and left out");
            continue;
        }
        let ours = || {
            let mut command = Command::new(program);
            command.args(["hosts", "exec", "--", "true"]).current_dir(light.path(""));
            cost(&mut command).map(|cost| cost.seconds)
        };
        let theirs = || {
            let mut command = Command::new("sh");
            command.args(["-ec", script]).current_dir(light.path(""));
            cost(&mut command).map(|cost| cost.seconds)
        };
        let (ours, theirs) = in_turns(TIMES, ours, theirs)?;
        rows.push(Row::ratio("a command on 50 hosts", "s", ours, (theirs, name), 1.0));
    }
    Ok(rows)
}

/// Each tool by its name, the program that it needs, and how it does the same.
const REFERENCES: [(&str, &str, &str); 4] = [
    ("xargs -P 50 ssh", "ssh", "xargs -P 50 -I {} ssh -F ssh_config {} true < names"),
    ("pssh", "parallel-ssh", "parallel-ssh -p 50 -x '-F ssh_config' -h names true"),
    ("ansible", "ansible", "ANSIBLE_SSH_ARGS='-F ssh_config' ansible all -i names -f 50 -m raw -a true"),
    (
        "pyinfra",
        "pyinfra",
        "pyinfra --yes --parallel 50 --data ssh_config_file=ssh_config \"$(paste -sd , names)\" exec -- true",
    ),
];

/// What the tools read, beside the servers' own files.
fn prepare(light: &Light) -> Result<()> {
    let write = |name: &str, text: String| {
        std::fs::write(light.path(name), text).map_err(|error| format!("cannot write `{name}`: {error}"))
    };
    write("names", light.names.join("\n") + "\n")?;
    let hosts: String =
        light.names.iter().map(|name| format!("[hosts.{name}]\naddress = \"{name}\"\n")).collect();
    write(
        "Cloudpad.toml",
        format!(
            "[project]\nname = \"bench\"\n\n[stages.deploy.config]\nssh_config = \"ssh_config\"\n\n{hosts}\n\
             [images.web]\nreference = \"busybox:1\"\n\n[services.web]\n"
        ),
    )
}
