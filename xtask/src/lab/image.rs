//! The lab's images, made from Debian packages: no registry is asked. Talks to the engine.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use super::{Settings, packages};
use crate::shell::{self, Result, docker};

const HOST_INIT: &str = include_str!("../../lab/host-init.sh");
const HOST_IMAGE: &str = include_str!("../../lab/host-image.sh");
const BARE_IMAGE: &str = include_str!("../../lab/bare-image.sh");
const HOST26_IMAGE: &str = include_str!("../../lab/host26-image.sh");
const SYSTEMD_IMAGE: &str = include_str!("../../lab/host-systemd-image.sh");
const SERVICES_IMAGE: &str = include_str!("../../lab/services-image.sh");
const BASE_IMAGE: &str = include_str!("../../lab/base-image.sh");
const PROXY_IMAGE: &str = include_str!("../../lab/proxy-image.sh");

/// What hosts are made of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Variant {
    /// This machine's own engine and sshd
    Lite,
    /// Docker Engine 26 with the containerd image store, from the next Debian
    Lite26,
    /// As `lite`, with systemd as its first process
    Systemd,
}

impl Variant {
    /// What host `number` is made of unless something else was asked for. One of the first three has the newer
    /// engine and the other image store, so that whatever is tested on three hosts meets both. The next two are machines that
    /// units run on.
    pub fn of(number: u8) -> Self {
        match number {
            3 => Self::Lite26,
            4 | 5 => Self::Systemd,
            _ => Self::Lite,
        }
    }

    /// What `docker run` is told about its first process. systemd has to be that itself, and is asked to end by another signal.
    pub fn first_process(self) -> &'static str {
        match self {
            Self::Lite | Self::Lite26 => "--init",
            Self::Systemd => "--stop-signal=SIGRTMIN+3",
        }
    }
}

/// References of the images of a lab.
pub struct Images {
    /// Each host: sshd and an engine.
    pub hosts: Vec<(Variant, String)>,
    /// A machine that is no host yet: sshd and no engine.
    pub bare: String,
    /// The registry and etcd.
    pub services: String,
    /// What test applications are built on: busybox.
    pub base: String,
    /// The proxy that routes requests: Caddy.
    pub proxy: String,
}

/// Makes the images that are not there. Their tags are hashes of the scripts that make them.
pub fn ensure(settings: &Settings, variants: &[Variant]) -> Result<Images> {
    let busybox = || packages::unpacked(settings, "busybox-static");
    let base = make(settings, "base", &[BASE_IMAGE], || Ok(vec![path(&busybox()?)]))?;
    let services = make(settings, "services", &[SERVICES_IMAGE], || {
        let names = ["busybox-static", "docker-registry", "etcd-server", "etcd-client"];
        names.map(|name| Ok(path(&packages::unpacked(settings, name)?))).into_iter().collect()
    })?;
    let lite = make(settings, "host", &[HOST_IMAGE, HOST_INIT], || Ok(vec![path(&busybox()?)]))?;
    let sudo = || packages::unpacked(settings, "sudo");
    let bare = make(settings, "bare", &[BARE_IMAGE, HOST_INIT], || Ok(vec![path(&sudo()?)]))?;
    let keyring = "usr/share/keyrings/debian-archive-keyring.gpg";
    let keys = || packages::unpacked(settings, "debian-archive-keyring").map(|at| path(&at.join(keyring)));
    let proxy = make(settings, "proxy", &[PROXY_IMAGE], || Ok(vec![keys()?]))?;
    let host = |variant: &Variant| match variant {
        Variant::Lite => Ok(lite.clone()),
        Variant::Lite26 => {
            let scripts = [HOST26_IMAGE, HOST_IMAGE, HOST_INIT];
            make(settings, "host26", &scripts, || Ok(vec![lite.clone(), keys()?]))
        }
        Variant::Systemd => {
            let scripts = [SYSTEMD_IMAGE, HOST_IMAGE, HOST_INIT];
            make(settings, "host-systemd", &scripts, || Ok(vec![lite.clone()]))
        }
    };
    let host = |variant: &Variant| Ok((*variant, host(variant)?));
    Ok(Images { hosts: variants.iter().map(host).collect::<Result<_>>()?, bare, services, base, proxy })
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// Removes every image of every lab.
pub fn remove() -> Result<()> {
    let listed = shell::output(&mut docker(["images", "--quiet", "--filter", "reference=cloudpad-lab/*"]))?;
    if listed.is_empty() {
        return Ok(());
    }
    shell::output(&mut docker(["rmi", "--force"].into_iter().chain(listed.lines()))).map(drop)
}

/// `scripts[0]` is run with the image's reference and `args` as arguments; the others lie beside it.
fn make(
    settings: &Settings,
    name: &str,
    scripts: &[&str],
    args: impl Fn() -> Result<Vec<String>>,
) -> Result<String> {
    let image = format!("cloudpad-lab/{name}:{}", fingerprint(scripts));
    if shell::succeeds(&mut docker(["image", "inspect", &image])) {
        return Ok(image);
    }
    println!("making {image}");
    let dir = settings.dir.join("scripts").join(name);
    std::fs::create_dir_all(&dir).map_err(|error| format!("cannot make `{}`: {error}", dir.display()))?;
    for (number, script) in scripts.iter().enumerate() {
        let path = dir.join(number.to_string());
        std::fs::write(&path, script)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    let mut command = Command::new("sh");
    command.arg("0").arg(&image).args(args()?).current_dir(&dir);
    let path = std::env::var("PATH").unwrap_or_default();
    shell::output(command.env("PATH", format!("{path}:/usr/sbin:/sbin")))?;
    Ok(image)
}

fn fingerprint(scripts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    scripts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
