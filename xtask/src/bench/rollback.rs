//! Going back to a release on three hosts, against its first start with all that goes before it, by the same program; and
//! against the stop and start that it takes at the least, by hand. Talks to the lab.

use std::path::Path;

use super::Row;
use super::measure::in_turns;
use super::project::{Project, by_hand, each, noise};
use crate::lab::Lab;
use crate::shell::Result;

const TIMES: usize = 5;
const HOSTS: usize = 3;

/// What of an image is new with each release: about as much as an application's own code.
const NEW: usize = 2 << 20;

/// Measures both, in turns: each release is started once, and gone back from once.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let project = Project::new(program, lab, "bench-rollback")?;
    let dockerfile = format!(
        "FROM {}\nCOPY index.html /www/\nSTOPSIGNAL SIGKILL\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n",
        lab.base_image
    );
    project.write("Dockerfile", dockerfile.as_bytes())?;
    project.configure(
        HOSTS,
        "ports = [\"9482:8080\"]\nhealth = { http = \"/\", interval = \"50ms\" }\n[deploy]\nbatch = \"100%\"",
    )?;
    let first = || {
        project.write("index.html", &noise(NEW)?)?;
        project.deploy().map(|cost| cost.seconds)
    };
    first()?;
    first()?;
    let back = || project.run(&["rollback", "--yes", "--json"]).map(|cost| cost.seconds);
    let (ours, theirs) = in_turns(TIMES, back, first)?;
    let image = project.image(lab.hosts.first().ok_or("the lab has no host")?)?;
    by_hand(lab, &each(&two(&image)))?;
    let mut names = ["bench-rollback-byhand-1", "bench-rollback-byhand-2"];
    let again = || first().and_then(|_| back());
    let (again, least) = in_turns(TIMES, again, || {
        names.reverse();
        by_hand(lab, &each(&switch(names)))
    })?;
    project.clean()?;
    let by_hand = "docker stop and start over ssh, in parallel";
    Ok(vec![
        Row::ratio(
            "rollback, 3 hosts",
            "s",
            ours,
            (theirs, "the first deploy of a release, with its build"),
            0.5,
        ),
        Row::ratio("rollback, 3 hosts", "s", again, (least, by_hand), 1.0),
    ])
}

/// Two containers by hand, of which the second runs.
fn two(image: &str) -> String {
    format!(
        "docker create --name bench-rollback-byhand-1 -p 9483:8080 {image} && \
         docker run -d --name bench-rollback-byhand-2 -p 9483:8080 {image}"
    )
}

/// The least one can do by hand to go from one to the other: stop, start, wait until it answers.
fn switch([from, to]: [&str; 2]) -> String {
    format!(
        "docker stop {from} >/dev/null && docker start {to} >/dev/null && \
         until wget -q -O /dev/null http://127.0.0.1:9483/; do sleep 0.05; done"
    )
}
