//! A machine that is real: a host whose first process is systemd, where the double does what fleet's agent does. It writes a unit's
//! file as it was declared, has systemd start and stop it, and tells what systemd says of it. I/O: `docker exec`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// Load state, active state, sub state.
pub type Words = [String; 3];

/// Where fleet has its units; systemd forgets them with the machine's next start.
const UNITS: &str = "/run/systemd/system";

/// What reaches into the machine.
pub struct Hands {
    container: String,
}

impl Hands {
    /// The host that is this container of the machine's engine.
    pub fn of(container: &str) -> Self {
        Self { container: container.to_owned() }
    }

    /// Writes a unit, and returns what systemd has to complain about in it.
    pub fn load(&self, unit: &str, text: &str) -> String {
        let script = "cat >\"$1/$2\"; systemctl daemon-reload; systemd-analyze verify \"$1/$2\" 2>&1 || true";
        self.run(script, &[UNITS, unit], text)
    }

    /// Has it begin, and does not wait for that.
    pub fn start(&self, unit: &str) {
        self.run("systemctl start --no-block \"$1\"", &[unit], "");
    }

    /// Has it end, and does not wait for that.
    pub fn stop(&self, unit: &str) {
        self.run("systemctl stop --no-block \"$1\"", &[unit], "");
    }

    /// Takes its file away, whatever of it runs.
    pub fn unload(&self, unit: &str) {
        let script = "systemctl stop --no-block \"$2\"; rm \"$1/$2\"; systemctl daemon-reload; \
                      systemctl reset-failed \"$2\" 2>/dev/null || true";
        self.run(script, &[UNITS, unit], "");
    }

    /// What systemd says of them.
    pub fn states(&self, units: &[&str]) -> BTreeMap<String, Words> {
        let script = "systemctl show --property=Id,LoadState,ActiveState,SubState -- \"$@\"";
        let told = self.run(script, units, "");
        let of = |block: &str, name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        let state = |block: &str| {
            (of(block, "Id"), ["LoadState", "ActiveState", "SubState"].map(|name| of(block, name)))
        };
        told.split("\n\n").map(state).collect()
    }

    fn run(&self, script: &str, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("docker");
        command.args(["exec", "--interactive", &self.container, "sh", "-ec", script, "sh"]).args(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} {arguments:?} in {}: {complaint}", self.container);
        String::from_utf8(output.stdout).unwrap()
    }
}
