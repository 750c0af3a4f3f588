//! Going back to a release, against its first start with all that goes before it: on three hosts, by the same program. Talks
//! to the lab.

use std::path::Path;

use super::Row;
use super::measure::in_turns;
use super::project::{Project, noise};
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
    project.clean()?;
    Ok(vec![Row::ratio(
        "rollback, 3 hosts",
        "s",
        ours,
        (theirs, "the first deploy of a release, with its build"),
        0.5,
    )])
}
