//! The lab's keys, certificates and passwords, made once. Talks to ssh-keygen and openssl.

use std::path::Path;
use std::process::Command;

use super::{Settings, hosts};
use crate::shell::{self, Result};

/// The user of the registry that asks for one.
pub const USER: &str = "lab";
/// That user's password.
pub const PASSWORD: &str = "labpass";
/// The two as the registry keeps them; the lab listens on loopback addresses only.
const HTPASSWD: &str = "lab:$2y$05$Z/owKKl8Pffx9QhmjseATeSmYFou5v1ek9fHI72P6W3guRnLu/2aK\n";

/// Makes what is not there: the user's key, each host's key, the registry's certificate.
pub fn ensure(settings: &Settings, hosts: u8) -> Result<()> {
    let mount = settings.dir.join("mount");
    let services = settings.dir.join("services");
    for dir in [&mount.join("hostkeys"), &services] {
        std::fs::create_dir_all(dir).map_err(|error| format!("cannot make `{}`: {error}", dir.display()))?;
    }
    key(&settings.dir.join("id_ed25519"), &settings.name)?;
    copy(&settings.dir.join("id_ed25519.pub"), &mount.join("authorized_keys"))?;
    for number in 1..=hosts {
        let name = hosts::name(number);
        key(&mount.join("hostkeys").join(settings.container(&name)), &name)?;
    }
    certificate(settings, &services)?;
    write(&services.join("htpasswd"), HTPASSWD)?;
    copy(&services.join("ca.crt"), &mount.join("ca.crt"))
}

/// Reads a public key without its comment.
pub fn public_host_key(settings: &Settings, host: &str) -> Result<String> {
    let path = settings.dir.join("mount/hostkeys").join(format!("{}.pub", settings.container(host)));
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// Writes a file of the lab.
pub fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

fn key(path: &Path, comment: &str) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut command = Command::new("ssh-keygen");
    shell::output(command.args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"]).arg(path)).map(drop)
}

/// An authority of the lab's own and a certificate for all the names by which its registry is called.
fn certificate(settings: &Settings, dir: &Path) -> Result<()> {
    if dir.join("tls.crt").exists() {
        return Ok(());
    }
    let mut names =
        format!("subjectAltName=DNS:registry.lab,DNS:localhost,IP:127.0.0.1,IP:{}", settings.address(10));
    for subnet in hosts::SUBNETS {
        names += &format!(",IP:{}", services_address(subnet));
    }
    write(&dir.join("names"), &names)?;
    openssl(
        dir,
        "req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout ca.key -out ca.crt -subj /CN=cloudpad-lab-ca \
         -addext basicConstraints=critical,CA:TRUE",
    )?;
    openssl(dir, "req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=registry.lab")?;
    openssl(
        dir,
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile names -out tls.crt",
    )
}

fn services_address(subnet: &str) -> String {
    format!("{subnet}.{}", super::services::REGISTRY)
}

fn openssl(dir: &Path, args: &str) -> Result<()> {
    shell::output(Command::new("openssl").args(args.split_whitespace()).current_dir(dir)).map(drop)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).map(drop).map_err(|error| format!("cannot copy to `{}`: {error}", to.display()))
}
