//! Decides which machines begin a cluster, join one, or are left as they are. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::model::Host;

use super::super::steps::as_root;
use super::super::{Init, Seen};
use super::{Becomes, Cluster, Here, Machine};
use crate::config::Problem;
use crate::plan::Note;

/// What a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// A member that was made by us.
    Member,
    /// It has all that it takes, and has not started yet.
    Prepared,
    /// None of this.
    Nothing,
}

/// Decides what becomes of the machines, each of which is to be a member. Without a member among them they begin a cluster; else
/// those that are none join it. What has data is started where it does not run, and otherwise left alone.
///
/// # Errors
/// What cannot be brought there; nothing is to be touched then.
pub fn judge(seen: &[(Arc<Host>, Seen)], here: &Here) -> Result<Cluster, Vec<Problem>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (host, seen) in seen {
        match is(host, seen) {
            Ok(is) => found.push((host, seen, is)),
            Err(problem) => problems.push(problem),
        }
    }
    let runs = found.iter().find(|(_, seen, is)| *is == Is::Member && !seen.facts.etcd.members.is_empty());
    let members = runs.map(|(_, seen, _)| seen.facts.etcd.members.clone()).unwrap_or_default();
    let has_member = found.iter().any(|(_, _, is)| *is == Is::Member);
    let mut cluster = Cluster { token: here.token.clone(), members, ..Cluster::default() };
    for (host, seen, is) in found {
        match add(&mut cluster, host, seen, (is, has_member)) {
            Ok(()) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if cluster.new_members().next().is_some() {
        problems.extend(seen.iter().find_map(|(host, seen)| stranger(host, seen, here)));
    }
    if problems.is_empty() { Ok(told(cluster, here, has_member)) } else { Err(problems) }
}

fn is(host: &Host, seen: &Seen) -> Result<Is, Problem> {
    let (name, facts, etcd) = (&host.name, &seen.facts, &seen.facts.etcd);
    match (etcd.is_member(), etcd.is_ours) {
        (true, true) => return Ok(Is::Member),
        (true, false) => {
            let what =
                if etcd.runs { "runs an etcd" } else { "has data of an etcd in `/var/lib/etcd/default`" };
            return Err(Problem::new(format!(
                "`{name}` {what} that `--etcd` has not set up, and that is left alone"
            ))
            .hint("name other hosts (`--host`), or purge it there, with its data, if nobody needs it"));
        }
        (false, _) => {}
    }
    if !facts.is_like_debian() {
        return Err(not_ours(name, seen));
    }
    if facts.root.is_none() {
        return Err(Problem::new(format!(
            "`{}` cannot become root on `{name}` without a password, which it takes to make it a member of etcd",
            facts.user
        ))
        .hint("log in as root (`address = \"root@…\"`), or allow `sudo` there to ask for none"));
    }
    if facts.init != Some(Init::Systemd) {
        return Err(Problem::new(format!("`{name}` has no systemd, which is to start etcd there"))
            .hint("leave `--etcd` out there, and name other hosts for it (`--host`)"));
    }
    Ok(if etcd.is_ours { Is::Prepared } else { Is::Nothing })
}

/// A system on which nothing is installed by us.
fn not_ours(name: &str, seen: &Seen) -> Problem {
    let commands = match (seen.facts.sealed, seen.facts.installer.as_deref()) {
        (true, _) => "its programs come with its image: run etcd there in a container, as etcd's manual says",
        (_, Some("dnf" | "yum")) => {
            "there, as root: `dnf install etcd`, and `systemctl enable --now etcd` once `/etc/etcd/etcd.conf` says who its peers are"
        }
        (_, Some("zypper")) => {
            "there, as root: `zypper install etcd`, and `systemctl enable --now etcd` once `/etc/sysconfig/etcd` says who its peers are"
        }
        _ => "install etcd there, as its manual says",
    };
    let system = seen.facts.system();
    Problem::new(format!(
        "`{name}` is {system}, and Cloudpad makes members of etcd only on Debian and Ubuntu"
    ))
    .hint(format!("{commands}; the manual on TLS: https://etcd.io/docs/latest/op-guide/security/"))
}

fn add(
    cluster: &mut Cluster,
    host: &Arc<Host>,
    seen: &Seen,
    (is, has_member): (Is, bool),
) -> Result<(), Problem> {
    let (name, etcd) = (&host.name, &seen.facts.etcd);
    let Some(address) = etcd.address else {
        return Err(Problem::new(format!("the address by which others reach `{name}` cannot be told there"))
            .hint("log in there by an address of its own; `ip route` there says whether it has one"));
    };
    let root = as_root(&seen.facts);
    let mut machine = Machine {
        host: host.clone(),
        root,
        address,
        is_installed: etcd.is_installed,
        becomes: Becomes::Itself,
    };
    machine.becomes = match (is, has_member) {
        (Is::Member, _) if etcd.runs && etcd.starts => Becomes::Itself,
        (Is::Member, _) | (Is::Prepared, true) => Becomes::Started,
        (Is::Nothing | Is::Prepared, false) => Becomes::Founder,
        (Is::Nothing, true) if cluster.members.is_empty() => {
            return Err(Problem::new(format!("`{name}` cannot join the cluster: no member of it among these hosts answers"))
                .hint("see to the members first: `hosts provision --etcd` of these alone starts those that do not run"));
        }
        (Is::Nothing, true) => Becomes::Joined { is_known: cluster.members.contains_key(&machine.peers()) },
    };
    cluster.machines.push(machine);
    Ok(())
}

/// A machine that trusts another authority than the one that we have.
fn stranger(host: &Host, seen: &Seen, here: &Here) -> Option<Problem> {
    let theirs = seen.facts.etcd.authority.trim();
    if theirs.is_empty()
        || !seen.facts.etcd.is_ours
        || here.authority.as_deref().map(str::trim) == Some(theirs)
    {
        return None;
    }
    let (name, folder) = (&host.name, &here.folder);
    Some(
        Problem::new(format!("etcd on `{name}` trusts an authority that is not the one in `{folder}`"))
            .hint("copy that folder from the machine from which the cluster was set up"),
    )
}

/// The same with what there is to be known of what it becomes.
fn told(mut cluster: Cluster, here: &Here, has_member: bool) -> Cluster {
    let new: Vec<_> = cluster.new_members().map(|machine| machine.host.name.clone()).collect();
    if new.is_empty() {
        return cluster;
    }
    let names = new.join(", ");
    let whole = match has_member {
        true => format!("joins the etcd cluster: {names}"),
        false => format!("a new etcd cluster of: {names}; to join one that there is, name a host of it too"),
    };
    let known = |machine: &&Machine| cluster.members.contains_key(&machine.peers());
    let many = cluster.members.len() + cluster.new_members().filter(|machine| !known(machine)).count();
    let made = if here.authority.is_some() { "is" } else { "will be" };
    let kept = format!(
        "what lets members and clients into etcd {made} in `{}` on this machine: keep it, and keep `ca.key` and `client.key` to \
         yourselves",
        here.folder
    );
    let notes = [Some(whole), odd(many), Some(kept)].into_iter().flatten();
    cluster.notes.extend(notes.map(|message| Note { incomplete: false, message }));
    cluster
}

/// What there is to say of a number of members.
fn odd(many: usize) -> Option<String> {
    match many {
        1 => Some("an etcd cluster of one is gone with its host; three bear the loss of one".to_owned()),
        _ if many % 2 == 1 => None,
        _ => Some(format!(
            "an etcd cluster of {many} bears the loss of no more members than one of {}: take an odd number",
            many - 1
        )),
    }
}
