//! Breaks hosts in the ways in which hosts break. Talks to the engine and, inside a host, to iptables.

use clap::ValueEnum;

use super::{Settings, hosts};
use crate::shell::{self, Result, docker};

/// What can happen to a host, and what a deployer sees of it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Fault {
    /// Hangs: connections are taken and nothing is said
    Freeze,
    /// Running connections end at once, new ones are refused
    Poweroff,
    /// The same, but its containers are stopped first
    Shutdown,
    /// Starts it after `poweroff` or `shutdown`
    Poweron,
    /// Loses its network
    Unplug,
    /// Drops every packet (by its direct address: a connect timeout)
    Blackhole,
    /// Drops packets to sshd only
    DropSsh,
    /// Resets connections to sshd
    ResetSsh,
    /// Loses this share of packets (0.2)
    Loss,
    /// Sends at this rate (8mbit)
    Rate,
    /// Resets an SSH connection after so many bytes (20000000)
    CutAfter,
    /// Stalls an SSH connection after so many bytes (20000000)
    StallAfter,
    /// Cannot reach the registry
    NoRegistry,
    /// Ends every SSH session
    KillSessions,
    /// Ends sshd; open sessions live on
    SshdDown,
    /// Kills the engine, which comes back
    DockerdKill,
    /// Ends the engine
    DockerdDown,
    /// Hangs the engine
    DockerdHang,
    /// Undoes all of these
    Clear,
}

/// The interface with the default route: its name changes when a network is unplugged and plugged in.
const INTERFACE: &str = r#"dev=$(ip -o -4 route show default | sed 's/.* dev \([^ ]*\).*/\1/')"#;

const CLEAR: &str = "rm -f /run/hold.*; kill -CONT $(cat /run/docker.pid) 2>/dev/null; \
    iptables -F INPUT; iptables -F OUTPUT; tc qdisc del dev $dev root 2>/dev/null; true";

impl Fault {
    /// Does it to a host.
    pub fn inject(self, settings: &Settings, host: &str, argument: Option<&str>) -> Result<()> {
        let container = settings.container(host);
        let network = settings.name.as_str();
        let on_machine = |args: &[&str]| shell::output(&mut docker(args)).map(drop);
        match self {
            Fault::Freeze => on_machine(&["pause", &container]),
            Fault::Poweroff => on_machine(&["kill", &container]),
            Fault::Shutdown => on_machine(&["stop", &container]),
            Fault::Poweron => on_machine(&["start", &container]),
            Fault::Unplug => on_machine(&["network", "disconnect", network, &container]),
            Fault::Clear => clear(settings, host, &container),
            inside => inside_host(&container, &inside.script(argument)),
        }
    }

    /// What is run inside the host.
    fn script(self, argument: Option<&str>) -> String {
        let size = |default| argument.unwrap_or(default).to_owned();
        let after = |then: &str| {
            format!(
                "iptables -I INPUT -p tcp --dport 22 -m connbytes --connbytes {}: --connbytes-dir original \
                 --connbytes-mode bytes -j {then}",
                size("20000000")
            )
        };
        match self {
            Fault::Blackhole => {
                "iptables -I INPUT -i $dev -j DROP; iptables -I OUTPUT -o $dev -j DROP".into()
            }
            Fault::DropSsh => "iptables -I INPUT -p tcp --dport 22 -j DROP".into(),
            Fault::ResetSsh => "iptables -I INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset".into(),
            Fault::Loss => {
                format!(
                    "iptables -I INPUT -i $dev -m statistic --mode random --probability {} -j DROP",
                    size("0.2")
                )
            }
            Fault::Rate => {
                format!("tc qdisc add dev $dev root tbf rate {} burst 32kbit latency 400ms", size("8mbit"))
            }
            Fault::CutAfter => after("REJECT --reject-with tcp-reset"),
            Fault::StallAfter => after("DROP"),
            Fault::NoRegistry => "iptables -I OUTPUT -p tcp -m multiport --dports 5000,5443 -j DROP".into(),
            Fault::KillSessions => "for p in $(pgrep -f 'sshd: (root|deploy)'); do kill -9 $p; done".into(),
            Fault::SshdDown => "touch /run/hold.sshd; kill $(cat /run/sshd.pid)".into(),
            Fault::DockerdKill => "kill -9 $(cat /run/docker.pid)".into(),
            Fault::DockerdDown => "touch /run/hold.dockerd; kill $(cat /run/docker.pid)".into(),
            Fault::DockerdHang => "kill -STOP $(cat /run/docker.pid)".into(),
            _ => CLEAR.into(),
        }
    }
}

/// Brings a host back, whatever was done to it.
fn clear(settings: &Settings, host: &str, container: &str) -> Result<()> {
    let state = |format: &str| shell::output(&mut docker(["inspect", "--format", format, container]));
    if state("{{.State.Paused}}")? == "true" {
        shell::output(&mut docker(["unpause", container]))?;
    }
    let connected =
        format!("{{{{with index .NetworkSettings.Networks \"{}\"}}}}yes{{{{end}}}}", settings.name);
    if state(&connected)?.is_empty() {
        let lab = super::Lab::read(settings)?;
        let found = lab.hosts.iter().find(|known| known.name == host);
        let direct =
            found.map(|known| known.direct.as_str()).ok_or_else(|| format!("there is no host `{host}`"))?;
        shell::output(&mut docker(["network", "connect", "--ip", direct, &settings.name, container]))?;
    }
    if state("{{.State.Running}}")? != "true" {
        shell::output(&mut docker(["start", container]))?;
    }
    inside_host(container, CLEAR)?;
    hosts::wait_for(settings, host)
}

fn inside_host(container: &str, script: &str) -> Result<()> {
    shell::output(&mut docker(["exec", container, "bash", "-c", &format!("{INTERFACE}; {script}")])).map(drop)
}
