//! Sending an image straight to a host, against `docker save | ssh docker load`. Talks to the lab.

use std::path::Path;

use super::Row;
use super::measure::{Cost, in_turns};
use super::project::{Project, by_hand, noise, on};
use crate::lab::{Host, Lab};
use crate::shell::Result;

const MEGABYTE: usize = 1_000_000;
const LARGE: usize = 200 * MEGABYTE;
const TIMES: usize = 3;
/// Prints the project's images.
const LIST: &str = "docker images --format '{{.Repository}}:{{.Tag}}' | grep ^bench-push[.]";

/// A layer of 200 MB, then a change of 1 MB on top of it, to one host.
pub fn measure(program: &Path, lab: &Lab) -> Result<Vec<Row>> {
    let project = Project::new(program, lab, "bench-push")?;
    let dockerfile =
        format!("FROM {}\nCOPY large /large\nCOPY small /small\nCMD [\"sleep\", \"1000\"]\n", lab.base_image);
    project.write("Dockerfile", dockerfile.as_bytes())?;
    project.write("large", &noise(LARGE)?)?;
    project.write("small", &noise(MEGABYTE)?)?;
    project.configure(1, "stop_signal = \"SIGKILL\"")?;
    project.run(&["build"])?;
    let mut last = None;
    let ours = || {
        forget(&project, 0)?;
        let push = project.run(&["push", "--json"])?;
        let seconds = push.seconds;
        last = Some(push);
        Ok(seconds)
    };
    let (ours, theirs) = in_turns(TIMES, ours, || by_loading(&project))?;
    let push = last.ok_or("nothing was pushed")?;

    project.write("small", &noise(MEGABYTE)?)?;
    project.run(&["build"])?;
    let change = project.run(&["push", "--json"])?;
    project.clean()?;
    let (first, second) = (sent(&push)?, sent(&change)?);
    Ok(vec![
        Row::ratio("push of 200 MB to a host", "s", ours, (theirs, "docker save | ssh docker load"), 1.0),
        Row::ratio("bytes of a 1 MB change on top", "MB", second, (first, "the whole image"), 0.05),
        Row::limit("push of 200 MB: peak memory", "MB", push.peak, 40.0),
    ])
}

/// The reference loads the same image on another host.
fn by_loading(project: &Project<'_>) -> Result<f64> {
    let host = forget(project, 1)?;
    by_hand(
        project.lab,
        &format!(
            "set -o pipefail; docker save $({LIST} | head -1) | $SSH {} docker load",
            host.direct_name()
        ),
    )
}

/// Removes the image from a host.
fn forget<'a>(project: &Project<'a>, index: usize) -> Result<&'a Host> {
    let host = project.lab.hosts.get(index).ok_or("the lab has too few hosts")?;
    on(host, &format!("{LIST} | xargs -r docker rmi -f"))?;
    Ok(host)
}

/// The megabytes that a run has sent, by its own report.
pub fn sent(cost: &Cost) -> Result<f64> {
    let last = cost.stdout.lines().last().unwrap_or_default();
    let report: serde_json::Value =
        serde_json::from_str(last).map_err(|error| format!("no report: {error}"))?;
    report["sent"].as_f64().map(|bytes| bytes / 1e6).ok_or_else(|| format!("no bytes in the report: {last}"))
}
