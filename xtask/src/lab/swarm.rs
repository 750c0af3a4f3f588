//! A swarm of the lab's first three hosts: the first is its manager. I/O: the hosts' engines.

use super::{Settings, describe::Lab};
use crate::shell::{self, Result, docker};

const HOSTS: usize = 3;

/// Makes the hosts a swarm, those that are none of it yet. With IPVS missing in a kernel, neither services' own addresses nor the mesh of
/// ports work in it; names that lead to all instances, and ports of hosts, do.
pub fn ensure(settings: &Settings, lab: &Lab) -> Result<()> {
    let hosts = &lab.hosts[..lab.hosts.len().min(HOSTS)];
    let Some((manager, workers)) = hosts.split_first() else { return Ok(()) };
    let inside = |host: &str, args: &[&str]| {
        let mut all = vec!["exec", host, "docker"];
        all.extend(args);
        docker(all)
    };
    let is_in = |host: &str| -> Result<bool> {
        let state = shell::output(&mut inside(host, &["info", "--format", "{{.Swarm.LocalNodeState}}"]))?;
        Ok(state.trim() == "active")
    };
    if !is_in(&manager.container)? {
        shell::output(&mut inside(
            &manager.container,
            &["swarm", "init", "--advertise-addr", &manager.direct],
        ))?;
    }
    let token = shell::output(&mut inside(&manager.container, &["swarm", "join-token", "-q", "worker"]))?;
    for worker in workers {
        if !is_in(&worker.container)? {
            let (token, address) = (token.trim(), format!("{}:2377", manager.direct));
            shell::output(&mut inside(&worker.container, &["swarm", "join", "--token", token, &address]))?;
        }
    }
    println!("{}: a swarm of {} hosts, managed by {}", settings.name, hosts.len(), manager.name);
    Ok(())
}
