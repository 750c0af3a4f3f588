//! `logs -f` of thirty instances, against as many `docker logs -f` over `ssh`: until all that was printed has come. Talks to
//! the lab.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Row;
use super::measure::{in_turns, until};
use super::project::{Project, on};
use crate::lab::{Host, Lab};
use crate::shell::Result;

const TIMES: usize = 3;
const HOSTS: usize = 3;
const PER_HOST: usize = 10;
/// How many lines each of them has printed.
const LINES: usize = 10_000;

/// Measures both, in turns.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let project = Project::new(program, lab, "bench-logs")?;
    project.write("Dockerfile", format!("FROM {}\nSTOPSIGNAL SIGKILL\n", lab.base_image).as_bytes())?;
    let script = format!(
        "i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo $i GET /shop/things/{{}}?page=2 200 12 ms of somebody; done; exec sleep 100000"
    );
    let service = format!(
        "per_host = {PER_HOST}\ncommand = [\"sh\", \"-c\", \"{script}\"]\n[deploy]\nbatch = \"100%\""
    );
    project.configure(HOSTS, &service)?;
    project.deploy()?;
    let mut followed = Vec::new();
    for host in lab.hosts.iter().take(HOSTS) {
        let names = on(
            host,
            &format!("docker ps --filter label=cloudpad.project={} --format '{{{{.Names}}}}'", project.name),
        )?;
        for name in names.lines() {
            wait_for(host, name)?;
            followed.push((host.direct_name(), name.to_owned()));
        }
    }
    let lines = LINES * followed.len();
    let (mut our_peak, mut their_peak) = (0.0, 0.0);
    let ours = || {
        let cost = until(vec![project.command(&["logs", "-f"])], lines)?;
        our_peak = cost.peak;
        Ok(cost.seconds)
    };
    let theirs = || {
        let follow = |(host, name): &(String, String)| {
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg(&lab.ssh_config).args([host, "docker", "logs", "-f", name]);
            ssh
        };
        let cost = until(followed.iter().map(follow).collect(), lines)?;
        their_peak = cost.peak;
        Ok(cost.seconds)
    };
    let (ours, theirs) = in_turns(TIMES, ours, theirs)?;
    project.clean()?;
    let by_hand = "docker logs -f over ssh, 30 of them";
    let rate = |seconds: f64| lines as f64 / seconds / 1000.0;
    println!("logs -f: {:.0} thousand lines a second, by hand {:.0}", rate(ours), rate(theirs));
    Ok(vec![
        Row::ratio(
            &format!("logs -f of {} instances: {lines} lines", followed.len()),
            "s",
            ours,
            (theirs, by_hand),
            1.0,
        ),
        Row::ratio("the same: peak memory", "MB", our_peak, (their_peak, by_hand), 1.0),
    ])
}

/// Waits until a container has printed all that it prints.
fn wait_for(host: &Host, name: &str) -> Result<()> {
    let count = || {
        on(host, &format!("docker logs {name} | wc -l"))?.trim().parse::<usize>().map_err(|e| e.to_string())
    };
    while count()? < LINES {
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
