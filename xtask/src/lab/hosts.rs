//! The lab's network and its hosts: containers with an sshd and an engine each. Talks to the engine.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;
use std::time::{Duration, Instant};

use super::image::Variant;
use super::{Settings, describe, services};
use crate::shell::{self, Result, docker};

/// Networks to choose from: the first that nobody on this machine uses.
pub const SUBNETS: [&str; 8] =
    ["10.213.77", "10.214.77", "10.215.77", "10.216.77", "10.217.77", "10.218.77", "10.219.77", "10.220.77"];
/// The port of the hosts' sshd on their loopback addresses.
pub const SSH_PORT: u16 = 2222;

/// All that an engine in a container needs. Not `--privileged`: that asks for SYS_RESOURCE too, which
/// sandboxes withhold.
const RIGHTS: [&str; 9] = [
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
    "--cgroupns=private",
    "--device-cgroup-rule=a *:* rwm",
    "--stop-timeout=10",
    // In memory, as every distribution has it.
    "--tmpfs=/run:exec",
];

/// The name of a host.
pub fn name(number: u8) -> String {
    format!("h{number}")
}

/// The last number of a host's addresses.
pub fn last(number: u8) -> u8 {
    10 + number
}

/// Makes the lab's network if it is not there, and returns the first three numbers of its addresses.
pub fn network(settings: &Settings) -> Result<String> {
    let inspect = ["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", &settings.name];
    if let Ok(subnet) = shell::output(&mut docker(inspect)) {
        return Ok(subnet.trim_end_matches(".0/24").to_owned());
    }
    let mut refusals = String::new();
    for subnet in SUBNETS {
        let range = format!("{subnet}.0/24");
        let create = docker(["network", "create"])
            .args(settings.labels())
            .args(["--subnet", &range])
            .arg(&settings.name)
            .output();
        match create {
            Ok(output) if output.status.success() => return Ok(subnet.to_owned()),
            Ok(output) => refusals += &String::from_utf8_lossy(&output.stderr),
            Err(error) => return Err(format!("cannot start `docker`: {error}")),
        }
    }
    Err(format!("the lab's network cannot be made\n{refusals}"))
}

/// Starts what does not run, each host of its image, and removes hosts beyond these.
pub fn ensure(settings: &Settings, subnet: &str, images: &[(Variant, String)]) -> Result<()> {
    let hosts: Vec<(u8, &(Variant, String))> = (1..).zip(images).collect();
    // A few at a time: starting a host costs the engine a second of work.
    for some in hosts.chunks(8) {
        each(some, |(number, image)| host(settings, subnet, *number, image))?;
    }
    remove_beyond(settings, hosts.last().map_or(0, |(number, _)| *number))
}

/// Waits until each host's engine answers over SSH.
pub fn wait(settings: &Settings, hosts: u8) -> Result<()> {
    each(&(1..=hosts).collect::<Vec<_>>(), |number| wait_for(settings, &name(*number)))
}

/// Removes the lab's containers, network and volumes.
pub fn remove(settings: &Settings) -> Result<()> {
    let filter = settings.filter();
    let containers = shell::output(&mut docker(["ps", "--all", "--quiet", "--filter", &filter]))?;
    if !containers.is_empty() {
        shell::output(&mut docker(["rm", "--force", "--volumes"].into_iter().chain(containers.lines())))?;
    }
    let networks = shell::output(&mut docker(["network", "ls", "--quiet", "--filter", &filter]))?;
    for network in networks.lines() {
        shell::output(&mut docker(["network", "rm", network]))?;
    }
    shell::output(&mut docker(["volume", "rm", "--force", &settings.container("registry")])).map(drop)
}

/// Keeps a container that is as it should be, starts one that is stopped, replaces any other.
pub fn container(
    settings: &Settings,
    name: &str,
    args: &[String],
    image: &str,
    command: &[&str],
) -> Result<()> {
    let spec = fingerprint(settings, args, image, command);
    let format = "{{index .Config.Labels \"cloudpad-lab.spec\"}} {{.State.Running}} {{.State.Paused}}";
    let found = shell::output(&mut docker(["inspect", "--format", format, name])).unwrap_or_default();
    match found.split(' ').collect::<Vec<_>>().as_slice() {
        [label, "true", "false"] if *label == spec => return Ok(()),
        [label, "true", "true"] if *label == spec => {
            return shell::output(&mut docker(["unpause", name])).map(drop);
        }
        [label, "false", _] if *label == spec => {
            return shell::output(&mut docker(["start", name])).map(drop);
        }
        [_, _, _] => shell::output(&mut docker(["rm", "--force", "--volumes", name])).map(drop)?,
        _ => {}
    }
    let mut run = docker(["run", "--detach", &format!("--label=cloudpad-lab.spec={spec}")]);
    run.args(settings.labels()).args(["--name", name, "--hostname", name, "--network", &settings.name]);
    shell::output(run.args(args).arg(image).args(command)).map(drop)
}

/// The arguments with which the engine runs a machine of the lab that is no host yet: one of nobody's, that a test makes and removes.
/// `variant` says what its first process is.
pub fn bare(settings: &Settings, image: &str, variant: Variant) -> Vec<String> {
    let entry = matches!(variant, Variant::Systemd).then(|| "--entrypoint=/usr/bin/bare-systemd".to_owned());
    let own = [
        variant.first_process().to_owned(),
        format!("--network={}", settings.name),
        format!("--volume={}:/lab:ro", settings.dir.join("mount").display()),
    ];
    let labels = settings.labels();
    RIGHTS
        .map(String::from)
        .into_iter()
        .chain(labels)
        .chain(own)
        .chain(entry)
        .chain([image.to_owned()])
        .collect()
}

fn host(settings: &Settings, subnet: &str, number: u8, (variant, image): &(Variant, String)) -> Result<()> {
    let loopback = settings.address(services::PUBLISHED);
    let (registry, etcd) =
        (format!("{subnet}.{}", services::REGISTRY), format!("{subnet}.{}", services::ETCD));
    let forward = format!(
        "--env=FORWARD={loopback}:5000>{registry}:5000 {loopback}:5443>{registry}:5443 {loopback}:2379>{etcd}:2379"
    );
    let own = [
        variant.first_process().to_owned(),
        format!("--ip={subnet}.{}", last(number)),
        format!("--publish={}:{SSH_PORT}:22", settings.address(last(number))),
        format!("--add-host=registry.lab:{registry}"),
        format!("--add-host=etcd.lab:{etcd}"),
        format!("--volume={}:/lab:ro", settings.dir.join("mount").display()),
        forward,
        format!("--env=DOCKERD_ARGS=--insecure-registry {subnet}.0/24 {}", resolver()),
    ];
    let args: Vec<String> = RIGHTS.map(String::from).into_iter().chain(own).collect();
    container(settings, &settings.container(name(number)), &args, image, &[])
}

/// The engine in a host drops the address of Docker's own resolver, so it is told the machine's.
fn resolver() -> String {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut servers = text.lines().filter_map(|line| line.strip_prefix("nameserver ")).map(str::trim);
    let server = servers.find(|server| !server.starts_with("127.") && !server.contains(':'));
    server.map(|server| format!("--dns {server}")).unwrap_or_default()
}

/// Waits until a host's engine answers over SSH.
pub fn wait_for(settings: &Settings, host: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(describe::ssh_config(settings)).args([host, "docker", "info"]);
        match shell::output(&mut ssh) {
            Ok(_) => return Ok(()),
            Err(last) if Instant::now() > deadline => return Err(did_not_come_up(settings, host, &last)),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn did_not_come_up(settings: &Settings, host: &str, last: &str) -> String {
    let container = settings.container(host);
    let logs = "tail -n 15 /var/log/sshd.log /var/log/dockerd.log";
    let logs =
        shell::output(&mut docker(["exec", &container, "sh", "-c", logs])).unwrap_or_else(|error| error);
    format!("`{container}` did not come up\n{last}\n{logs}")
}

fn remove_beyond(settings: &Settings, hosts: u8) -> Result<()> {
    let list = ["ps", "--all", "--filter", &settings.filter(), "--format", "{{.Names}}"];
    let prefix = settings.container("h");
    for name in shell::output(&mut docker(list))?.lines() {
        let number = name.strip_prefix(&prefix).and_then(|number| number.parse::<u8>().ok());
        if number.is_some_and(|number| number > hosts) {
            shell::output(&mut docker(["rm", "--force", "--volumes", name]))?;
        }
    }
    Ok(())
}

fn fingerprint(settings: &Settings, args: &[String], image: &str, command: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    (&settings.dir, args, image, command).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Does the same for several hosts at once; the first error is the answer.
fn each<T: Sync>(hosts: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(move || work(host))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().map_err(|_| "a thread has panicked".to_owned())?
        };
        threads.into_iter().map(join).collect::<Vec<_>>().into_iter().collect()
    })
}
