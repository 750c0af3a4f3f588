//! Hosts that are not there for a while.

use super::{Host, Project, docker};

/// A host that is broken until this is dropped.
pub struct Broken {
    host: Host,
}

impl Broken {
    /// Breaks host `number` by `docker kill` or `docker pause`.
    pub fn by(project: &Project, number: usize, how: &str) -> Self {
        let host = project.lab.host(number).clone();
        docker(&[how, &host.container]);
        Self { host }
    }

    /// Hangs the engine of host `number`.
    pub fn engine(project: &Project, number: usize) -> Self {
        let host = project.lab.host(number).clone();
        host.run("kill -STOP $(cat /run/docker.pid)");
        Self { host }
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        let container = &self.host.container;
        let paused = docker(&["inspect", "--format", "{{.State.Paused}}", container]);
        docker(&[if paused == "true" { "unpause" } else { "start" }, container]);
        // The host is back when its engine is; the next test counts on it.
        self.host.run("kill -CONT $(cat /run/docker.pid) || :");
        self.host.wait_for_engine();
    }
}
