//! Asks a host all the time whether a project serves there. From the host itself, so that no port has to be published; where it has a
//! route, its proxy too.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use super::{Host, Project};

/// One look: whether any of the project's containers that run serves a page. Where none does, they are listed
/// once more: one may have ended, and another begun to serve, since they were. It starts as few processes as it can:
/// looks go on all through a test, and the docker command alone would keep half a core busy.
const SCRIPT: &str = r#"
looks=0
list="http://docker/containers/json?filters=%7B%22label%22:%5B%22cloudpad.project=$1%22%5D%7D"
exec 9<> <(:)
ask() { printf 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" | busybox nc -w 2 "$1" "$2"; }
while [ ! -e "$2" ]; do
  served=
  for again in 1 2; do
    rest=$(curl -s --unix-socket /run/docker.sock "$list")
    while [[ $rest =~ \"IPAddress\":\"([0-9.]+)\" ]]; do
      rest=${rest#*"${BASH_REMATCH[0]}"}
      page=$(ask "${BASH_REMATCH[1]}" 8080 "$1")
      [[ $page == "HTTP/1."?" 200 "* ]] && served=1 && break 2
    done
  done
  [ "$served" ] || echo "$(date +%T.%N): nobody serves of: $(docker ps -a --filter label=cloudpad.project="$1" --format '{{.Names}} {{.Status}}' | tr '\n' ';')"
  if [ "$3" ]; then
    page=$(ask "$4" 80 "$3")
    [[ $page == "HTTP/1."?" 200 "* ]] || echo "$(date +%T.%N): the proxy: $page"
  fi
  looks=$((looks + 1))
  read -r -t 0.1 -u 9
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
    /// Asks these hosts from now on.
    pub fn over(project: &Project, numbers: &[usize]) -> Vec<Self> {
        numbers.iter().map(|&number| Self::host(project, project.lab.host(number), "")).collect()
    }

    /// The same of one host, whose proxy is asked for that name.
    pub fn over_route(project: &Project, number: usize, name: &str) -> Self {
        Self::host(project, project.lab.host(number), name)
    }

    fn host(project: &Project, host: &Host, route: &str) -> Self {
        let enough = format!("/run/{}.enough", project.name);
        let mut docker = Command::new("docker");
        docker.args(["exec", &host.container, "bash", "-c", SCRIPT, "watch", &project.name, &enough]);
        docker.args([route, &host.direct]);
        let child = docker.stdout(Stdio::piped()).spawn().expect("docker does not start");
        Self { host: host.clone(), enough, child }
    }

    /// Ends it. Fails the test where it was ever not served.
    #[track_caller]
    pub fn always_served(mut self) {
        let said = self.end();
        assert!(said.lines().count() == 1 && said != "0 looks\n", "on {}:\n{said}", self.host.name);
    }

    /// Ends it, and returns what it has seen.
    fn end(&mut self) -> String {
        let Some(mut out) = self.child.stdout.take() else { return String::new() };
        self.host.run(&format!("touch {}", self.enough));
        let mut said = String::new();
        out.read_to_string(&mut said).expect("it is text");
        self.child.wait().expect("docker is lost");
        self.host.run(&format!("rm {}", self.enough));
        said
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}
