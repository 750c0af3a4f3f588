//! An update of a service in a swarm, against `docker service update`. Talks to the lab's hosts, its registry and the program.
//!
//! Both are measured until only new instances run. Docker's command by itself comes back earlier: a swarm first tells all nodes, for two
//! seconds, that an instance with a network is going away, and it still serves meanwhile.

use std::path::Path;

use super::Row;
use super::measure::in_turns;
use super::project::{Project, by_hand, on};
use crate::lab::{self, Host, Lab, Settings};
use crate::shell::Result;

const TIMES: usize = 5;
/// Of the update, for both.
const REPLICAS: usize = 3;
/// What an instance does: nothing, and ends when it is told to.
const RUN: &str = "trap 'exit 0' TERM; sleep 3600 & wait";
/// The service that is updated by hand, and its network: Cloudpad's has one too.
const BY_HAND: &str = "bench-swarm-byhand";

/// All instances of a service at once, the new ones before the old ones, watched for a second.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    lab::be_swarm(&Settings::from_environment()?, lab)?;
    let project = Project::new(program, lab, "bench-swarm")?;
    let manager = lab.hosts.first().ok_or("the lab has no hosts")?;
    remove(manager)?;
    let mut version = 0;
    let mut next = || {
        version += 1;
        configure(&project, version)?;
        project.deploy().map(|cost| cost.seconds)
    };
    next()?;
    let create = "docker service create --quiet --update-monitor 1s --update-order start-first --env V=0";
    let name =
        format!("--name {BY_HAND} --network {BY_HAND} --replicas {REPLICAS} --update-parallelism {REPLICAS}");
    on(manager, &format!("docker network create --driver overlay {BY_HAND}"))?;
    on(manager, &format!("{create} {name} {} sh -c \"{RUN}\"", lab.base_image))?;
    let old = format!(
        "docker service ps {BY_HAND} --filter desired-state=shutdown --format \"{{{{.CurrentState}}}}\""
    );
    let gone = format!("until ! {old} | grep -q ^Running; do sleep 0.05; done");
    let mut theirs_version = 0;
    let theirs = || {
        theirs_version += 1;
        let update = format!("docker service update --quiet --env-add V={theirs_version} {BY_HAND}");
        by_hand(lab, &format!("$SSH {} '{update}; {gone}'", manager.direct_name()))
    };
    let measured = in_turns(TIMES, next, theirs);
    remove(manager)?;
    project.clean()?;
    let (ours, theirs) = measured?;
    let reference = (theirs, "ssh, docker service update, and the old ones gone");
    Ok(vec![Row::ratio("update of 3 instances in a swarm, until only they run", "s", ours, reference, 1.0)])
}

/// What others made is taken as it is: only the variable changes.
fn configure(project: &Project<'_>, version: u32) -> Result<()> {
    let lab = project.lab;
    let manager = lab.hosts.first().ok_or("the lab has no hosts")?;
    let config = format!(
        r#"[project]
name = "{name}"
[stages]
push = {{ provider = "registry", config = {{ registry = "{registry}", namespace = "{name}" }} }}
deploy = {{ provider = "swarm", config = {{ managers = ["{manager}"], ssh_config = "{ssh_config}" }} }}
[hosts.{manager}]
address = "{address}"
[deploy]
batch = "100%"
settle = "1s"
[images.web]
reference = "{image}"
[services.web]
replicas = {REPLICAS}
command = ["sh", "-c", "{RUN}"]
env = {{ V = "{version}" }}
"#,
        name = project.name,
        registry = lab.registry,
        manager = manager.name,
        address = manager.direct_name(),
        ssh_config = lab.ssh_config.display(),
        image = lab.base_image,
    );
    project.write("Cloudpad.toml", config.as_bytes())
}

/// Removes the services of both, and the networks, which can go when no task is left in them.
fn remove(manager: &Host) -> Result<()> {
    let of =
        |what: &str| format!("docker {what} ls -q --filter name=bench-swarm | xargs -r docker {what} rm");
    let tries = format!("for try in $(seq 60); do {} && break; sleep 0.5; done", of("network"));
    on(manager, &format!("{}; {tries}", of("service"))).map(drop)
}
