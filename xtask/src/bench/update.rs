//! A deploy that changes nothing, and one that changes one container on each host: requests to the
//! engines, time against `ssh` and `docker` by hand, memory. Talks to the lab.

use std::path::Path;

use super::Row;
use super::measure::in_turns;
use super::project::{Project, by_hand, each, on};
use crate::lab::{Host, Lab};
use crate::shell::Result;

const TIMES: usize = 5;
const HOSTS: usize = 3;

/// Measures both on three hosts.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let project = Project::new(program, lab, "bench-update")?;
    let dockerfile = format!(
        "FROM {}\nRUN mkdir /www && echo one > /www/index.html\nSTOPSIGNAL SIGKILL\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
        lab.base_image
    );
    project.write("Dockerfile", dockerfile.as_bytes())?;
    let mut version = 0;
    configure(&project, version)?;
    project.deploy()?;
    let host = lab.hosts.first().ok_or("the lab has no host")?;

    let idle = project.deploy()?;
    let idle_requests = requests(host, || project.deploy().map(drop))?;
    let (idle_ours, idle_theirs) =
        in_turns(TIMES, || project.deploy().map(|cost| cost.seconds), || look(lab))?;

    let mut next = || {
        version += 1;
        configure(&project, version)?;
        project.deploy()
    };
    let busy = next()?;
    let busy_requests = requests(host, || next().map(drop))?;
    let image = project.image(host)?;
    by_hand(
        lab,
        &each(
            "docker run -d --name bench-update-byhand -p 9481:8080 -e V=0 IMAGE"
                .replace("IMAGE", &image)
                .as_str(),
        ),
    )?;
    let (busy_ours, busy_theirs) =
        in_turns(TIMES, || next().map(|cost| cost.seconds), || replace(lab, &image))?;
    project.clean()?;

    let by_hand = "ssh and docker by hand, in parallel";
    Ok(vec![
        Row::limit("no-change deploy: requests per host", "requests", idle_requests, 4.0),
        Row::limit("one-container update: requests per host", "requests", busy_requests, 12.0),
        Row::ratio("no-change deploy, 3 hosts", "s", idle_ours, (idle_theirs, by_hand), 1.0),
        Row::ratio("one-container update, 3 hosts", "s", busy_ours, (busy_theirs, by_hand), 1.0),
        Row::limit("no-change deploy: peak memory", "MB", idle.peak, 40.0),
        Row::limit("one-container update: peak memory", "MB", busy.peak, 40.0),
    ])
}

fn configure(project: &Project<'_>, version: u32) -> Result<()> {
    let service = format!(
        "ports = [\"9480:8080\"]\nhealth = {{ http = \"/\", interval = \"50ms\" }}\nenv = {{ V = \"{version}\" }}\n[deploy]\nbatch = \"100%\"\nkeep = 1"
    );
    project.configure(HOSTS, &service)
}

/// The least one can do by hand to see what runs: one command per host, all at once.
fn look(lab: &Lab) -> Result<f64> {
    by_hand(lab, &each("docker ps -a --no-trunc --filter label=cloudpad.project --format \"{{json .}}\""))
}

/// The least one can do by hand to replace a container: stop, run, wait until it answers, clean up;
/// in one connection per host, all at once.
fn replace(lab: &Lab, image: &str) -> Result<f64> {
    let steps = format!(
        "docker stop bench-update-byhand >/dev/null && docker rename bench-update-byhand bench-update-byhand-old && \
         docker run -d --name bench-update-byhand -p 9481:8080 -e V=1 {image} >/dev/null && \
         until wget -q -O /dev/null http://127.0.0.1:9481/; do sleep 0.05; done && docker rm bench-update-byhand-old >/dev/null"
    );
    by_hand(lab, &each(&steps))
}

/// How many requests a host's engine gets from `work`, by the engine's own log.
fn requests(host: &Host, work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let reload = "kill -HUP $(cat /run/docker.pid); sleep 1";
    on(host, &format!("echo '{{\"debug\": true}}' > /etc/docker/daemon.json; {reload}"))?;
    let count = || {
        on(host, "grep -c 'Calling ' /var/log/dockerd.log || true")?.parse::<u32>().map_err(|e| e.to_string())
    };
    let before = count()?;
    work()?;
    let after = count()?;
    on(host, &format!("echo '{{}}' > /etc/docker/daemon.json; {reload}"))?;
    Ok(f64::from(after - before))
}
