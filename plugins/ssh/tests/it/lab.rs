//! The lab's hosts: how tests reach them, by the provider and behind its back.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::proxy::Proxy;

/// The state directory of the lab that is up.
pub fn dir() -> PathBuf {
    let dir = std::env::var_os("CLOUDPAD_LAB");
    PathBuf::from(
        dir.expect("CLOUDPAD_LAB is not set: run `cargo xtask test`, or raise a lab and name its folder"),
    )
}

/// What the lab says of itself under `key`, such as `registry`.
pub fn says(key: &str) -> String {
    let text = std::fs::read(dir().join("lab.json")).unwrap();
    let lab: serde_json::Value = serde_json::from_slice(&text).unwrap();
    lab[key].as_str().unwrap().to_owned()
}

/// A socket that leads to the engine of `host`.
pub fn engine(host: &'static str) -> Proxy {
    Proxy::new(move || ssh(host, &["docker", "system", "dial-stdio"]))
}

/// The user's own ssh, on the way to `host`.
pub fn ssh(host: &str, command: &[&str]) -> Command {
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(dir().join("ssh_config")).arg(host).args(command);
    ssh
}

/// Runs docker on `host`.
pub fn docker(host: &str, arguments: &[&str]) -> Output {
    ssh(host, &[&["docker"], arguments].concat()).output().unwrap()
}

/// The same, which has to work; what it prints.
pub fn docker_ok(host: &str, arguments: &[&str]) -> String {
    let output = docker(host, arguments);
    assert!(
        output.status.success(),
        "docker {arguments:?} on {host}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
