//! Gets programs from the machine's package manager. Talks to apt.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::Settings;
use crate::shell::{self, Result};

/// What has to be on the machine: a program or a file, and the package that brings it.
const NEEDED: [(&str, &str); 17] = [
    ("dockerd", "docker.io"),
    ("docker", "docker.io"),
    ("ssh", "openssh-client"),
    ("sshd", "openssh-server"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("openssl", "openssl"),
    ("ps", "procps"),
    // Of which hosts are made that units run on.
    ("/lib/systemd/systemd", "systemd"),
    ("busybox", "busybox-static"),
    ("git", "git"),
    ("curl", "curl"),
    ("tar", "tar"),
    ("age", "age"),
    // Tests of what `cloudpad plugin new` makes.
    ("jq", "jq"),
    ("python3", "python3"),
    ("/usr/include/cjson/cJSON.h", "libcjson-dev"),
];

/// Installs what the machine lacks.
pub fn install_missing() -> Result<()> {
    let missing: Vec<_> = NEEDED.iter().filter(|(program, _)| !shell::has(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    println!("installing {}", packages.join(" "));
    update()?;
    install(&packages)?;
    // Newer Debians have the client in a package of its own.
    if shell::has("docker") { Ok(()) } else { install(&["docker-cli"]) }
}

/// Unpacks a package into the lab's folder without installing it: no service of its starts here.
pub fn unpacked(settings: &Settings, package: &str) -> Result<PathBuf> {
    let target = settings.dir.join("packages").join(package);
    if target.exists() {
        return Ok(target);
    }
    update()?;
    let download = settings.dir.join("packages").join(format!("{package}.download"));
    let fail = |error| format!("cannot make `{}`: {error}", download.display());
    std::fs::create_dir_all(&download).map_err(fail)?;
    shell::output(apt(["-o", "APT::Sandbox::User=root", "download", package]).current_dir(&download))?;
    let script = "dpkg-deb -x ./*.deb root && mv root \"$1\"";
    shell::output(Command::new("sh").args(["-ec", script, "sh"]).arg(&target).current_dir(&download))?;
    std::fs::remove_dir_all(&download).map_err(fail)?;
    Ok(target)
}

/// Installs a package unless this command ends well, which tells whether it is there.
pub fn install_unless(there: &mut Command, package: &str) -> Result<()> {
    if shell::succeeds(there) {
        return Ok(());
    }
    update()?;
    install(&[package])
}

fn install(packages: &[&str]) -> Result<()> {
    let fixed = ["install", "--yes", "--no-install-recommends"];
    shell::output(&mut apt(fixed.iter().chain(packages))).map(drop)
}

/// Fetches the package lists, once.
fn update() -> Result<()> {
    static DONE: OnceLock<Result<()>> = OnceLock::new();
    DONE.get_or_init(|| {
        need_root()?;
        shell::output(&mut apt(["update"])).map(drop)
    })
    .clone()
}

fn apt<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-qq").args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Says so when we are not root, which apt and an engine of our own need.
pub fn need_root() -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let owner =
        std::fs::metadata("/proc/self").map_err(|error| format!("cannot read `/proc/self`: {error}"))?;
    if owner.uid() == 0 {
        return Ok(());
    }
    Err("the lab installs Debian packages and starts a Docker engine, which only root may\n\
         hint: install them and start the engine yourself, or run `sudo --preserve-env cargo xtask …`"
        .into())
}
