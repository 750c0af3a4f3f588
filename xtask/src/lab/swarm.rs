//! A swarm of the lab's first three hosts: all are its managers, so that one may be lost. I/O: the hosts' engines.

use super::{Settings, describe::Lab};
use crate::shell::{self, Result, docker};

const HOSTS: usize = 3;

/// The role that all have but the first, as a label of nodes.
const ROLE: &str = "cloudpad.role.app=true";

/// Makes the hosts a swarm, those that are none of it yet. With IPVS missing in a kernel, neither services' own addresses nor the mesh of
/// ports work in it; names that lead to all instances, and ports of hosts, do.
pub fn ensure(settings: &Settings, lab: &Lab) -> Result<()> {
    let hosts = &lab.hosts[..lab.hosts.len().min(HOSTS)];
    let Some((first, others)) = hosts.split_first() else { return Ok(()) };
    let inside = |host: &str, args: &[&str]| {
        let mut all = vec!["exec", host, "docker"];
        all.extend(args);
        docker(all)
    };
    let is_in = |host: &str| -> Result<bool> {
        let state = shell::output(&mut inside(host, &["info", "--format", "{{.Swarm.LocalNodeState}}"]))?;
        Ok(state.trim() == "active")
    };
    if !is_in(&first.container)? {
        shell::output(&mut inside(&first.container, &["swarm", "init", "--advertise-addr", &first.direct]))?;
    }
    let token = shell::output(&mut inside(&first.container, &["swarm", "join-token", "-q", "worker"]))?;
    for other in others {
        if !is_in(&other.container)? {
            let (token, address) = (token.trim(), format!("{}:2377", first.direct));
            shell::output(&mut inside(&other.container, &["swarm", "join", "--token", token, &address]))?;
        }
        let node = shell::output(&mut inside(&other.container, &["info", "--format", "{{.Swarm.NodeID}}"]))?;
        shell::output(&mut inside(
            &first.container,
            &["node", "update", "--role", "manager", "--label-add", ROLE, node.trim()],
        ))?;
    }
    println!("{}: a swarm of {} hosts, all of them managers", settings.name, hosts.len());
    Ok(())
}
