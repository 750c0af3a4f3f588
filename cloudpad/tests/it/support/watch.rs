//! Asks a host all the time whether a project serves there. From the host itself, so that no port has to be published.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use super::{Host, Project};

/// One look: whether any of the project's containers that run serves a page. Where none does, they are listed
/// once more: one may have ended, and another begun to serve, since they were.
const SCRIPT: &str = r#"
looks=0
while [ ! -e "$2" ]; do
  served=
  for again in 1 2; do
    addresses=$(docker ps -q --filter label=cloudpad.project="$1" | xargs -r docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}')
    for address in $addresses; do
      curl -sf -m 2 -o /dev/null "http://$address:8080/" && served=1 && break 2
    done
  done
  [ "$served" ] || echo "$(date +%T.%N): nobody serves of: $(docker ps -a --filter label=cloudpad.project="$1" --format '{{.Names}} {{.Status}}' | tr '\n' ';')"
  looks=$((looks + 1))
  sleep 0.1
done
echo "$looks looks"
"#;

/// Somebody who asks a host.
pub struct Watch {
    host: Host,
    enough: String,
    child: Child,
}

impl Watch {
    /// Asks each of the three hosts from now on.
    pub fn over(project: &Project) -> Vec<Self> {
        (1..=3).map(|number| Self::host(project, project.lab.host(number))).collect()
    }

    fn host(project: &Project, host: &Host) -> Self {
        let enough = format!("/run/{}.enough", project.name);
        let mut docker = Command::new("docker");
        docker.args(["exec", &host.container, "bash", "-c", SCRIPT, "watch", &project.name, &enough]);
        let child = docker.stdout(Stdio::piped()).spawn().expect("docker does not start");
        Self { host: host.clone(), enough, child }
    }

    /// Ends it. Fails the test where it was ever not served.
    #[track_caller]
    pub fn always_served(mut self) {
        self.end();
        let mut said = String::new();
        let mut out = self.child.stdout.take().expect("a pipe");
        out.read_to_string(&mut said).expect("it is text");
        assert!(said.lines().count() == 1 && said != "0 looks\n", "on {}:\n{said}", self.host.name);
    }

    fn end(&self) {
        self.host.run(&format!("touch {}", self.enough));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}
