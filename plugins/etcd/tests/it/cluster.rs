//! Clusters of etcd, each member a process on ports of its own, gone after the test.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How long a cluster may take to come up. etcd tells nobody when it has, so it is asked.
const LIMIT: Duration = Duration::from_secs(60);

/// A running cluster.
pub struct Cluster {
    pub dir: TempDir,
    pub endpoints: Vec<String>,
    members: Vec<Option<Child>>,
    etcdctl: Vec<String>,
}

impl Cluster {
    /// One without TLS and users.
    pub fn plain(members: usize) -> Self {
        Self::start(members, "http", &[], &[])
    }

    /// One that shows a certificate of its own, and asks for one where `mutual`. `ca.pem`, `cert.pem` and `key.pem` are in its folder.
    pub fn with_tls(mutual: bool) -> Self {
        let server = ["--cert-file=cert.pem", "--key-file=key.pem"];
        let mutual = if mutual { vec!["--client-cert-auth", "--trusted-ca-file=ca.pem"] } else { vec![] };
        let client = ["--cacert=ca.pem", "--cert=cert.pem", "--key=key.pem"];
        Self::start(1, "https", &[&server[..], &mutual].concat(), &client)
    }

    fn start(count: usize, scheme: &str, options: &[&str], etcdctl: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if scheme == "https" {
            certificates(dir.path());
        }
        let ports = free_ports(2 * count);
        let (clients, peers) = ports.split_at(count);
        let initial: Vec<_> =
            peers.iter().enumerate().map(|(at, port)| format!("m{at}=http://127.0.0.1:{port}")).collect();
        let endpoints: Vec<_> = clients.iter().map(|port| format!("{scheme}://127.0.0.1:{port}")).collect();
        let start = |at: usize| {
            let (client, peer) = (&endpoints[at], format!("http://127.0.0.1:{}", peers[at]));
            let mut command = Command::new("etcd");
            command.current_dir(dir.path()).args(options).args([
                format!("--name=m{at}"),
                format!("--data-dir=m{at}"),
                format!("--listen-client-urls={client}"),
                format!("--advertise-client-urls={client}"),
                format!("--listen-peer-urls={peer}"),
                format!("--initial-advertise-peer-urls={peer}"),
                format!("--initial-cluster={}", initial.join(",")),
                "--heartbeat-interval=50".to_owned(),
                "--election-timeout=500".to_owned(),
            ]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            Some(command.spawn().expect("these tests need Debian's package `etcd-server`"))
        };
        let members = (0..count).map(start).collect();
        let etcdctl = etcdctl.iter().map(|arg| (*arg).to_owned()).collect();
        let cluster = Self { dir, members, etcdctl, endpoints };
        let since = std::time::Instant::now();
        while !cluster.run(&["endpoint", "health"]).status.success() {
            assert!(since.elapsed() < LIMIT, "the cluster does not come up");
        }
        cluster
    }

    /// Writes a key.
    #[track_caller]
    pub fn put(&self, key: &str, value: &str) {
        self.ctl(&["put", "--", key, value]);
    }

    /// Runs `etcdctl` against all endpoints, which has to work.
    #[track_caller]
    pub fn ctl(&self, args: &[&str]) {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs `etcdctl` with a text as its input.
    #[track_caller]
    pub fn input(&self, args: &[&str], text: &str) {
        let mut child =
            self.command(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{args:?}");
    }

    /// Asks for users from now on: `root`, and `name`, who may read hosts; their passwords are `right`.
    pub fn let_in(&self, name: &str) {
        self.ctl(&["role", "add", "hosts"]);
        self.ctl(&["role", "grant-permission", "hosts", "--prefix=true", "read", "/cloudpad/hosts/"]);
        for user in ["root", name] {
            self.ctl(&["user", "add", &format!("{user}:right")]);
        }
        self.ctl(&["user", "grant-role", "root", "root"]);
        self.ctl(&["user", "grant-role", name, "hosts"]);
        self.ctl(&["auth", "enable"]);
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        self.command(args).output().expect("these tests need Debian's package `etcd-client`")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("etcdctl");
        command.current_dir(self.dir.path()).env("ETCDCTL_API", "3").args(&self.etcdctl);
        // A member that is lost takes a busy machine more time than the five seconds that it has by itself.
        command.args(["--command-timeout=60s", "--endpoints", &self.endpoints.join(",")]).args(args);
        command
    }

    /// Kills a member.
    pub fn kill(&mut self, at: usize) {
        if let Some(mut member) = self.members[at].take() {
            member.kill().unwrap();
            member.wait().unwrap();
        }
    }

    /// The path of a file in its folder.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for at in 0..self.members.len() {
            self.kill(at);
        }
    }
}

/// Ports that nobody listens on. All are held until the last is known, so that they differ.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Who signs, and a certificate for servers on 127.0.0.1 and for clients.
fn certificates(dir: &Path) {
    fs::write(dir.join("ext"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
        .unwrap();
    for args in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.csr -subj /CN=etcd",
        "x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile ext",
    ] {
        let output =
            Command::new("openssl").args(args.split(' ')).current_dir(dir).output().expect("`openssl`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
