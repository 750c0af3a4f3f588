//! Debian's own registry in all its forms, each a process with ports of its own, gone after the test. Tests of the program use this file too.
//! I/O: processes, the engine, `/etc/docker/certs.d`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// The service of tokens. It knows user `ann` with the password `right`, who may do all in `team/` and push to `public/`, from which all
/// may pull.
const TOKEN_SERVICE: &str = include_str!("../token_service.py");

/// Where a registry listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On loopback, where engines ask for no TLS.
    Loopback,
    /// At an address that engines take for another machine's, and that hosts of a lab reach.
    Elsewhere,
}

/// A running registry.
pub struct Registry {
    pub address: String,
    pub dir: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    network: Option<String>,
    processes: Vec<Child>,
}

impl Registry {
    /// One that lets everybody do everything.
    pub fn open(place: Place) -> Self {
        Self::start(place, false, false)
    }

    /// The same with TLS, whose authority nobody knows yet.
    pub fn tls() -> Self {
        Self::start(Place::Elsewhere, true, false)
    }

    /// One that wants tokens; with TLS, as the service of tokens, where it is elsewhere.
    pub fn token(place: Place) -> Self {
        Self::start(place, place == Place::Elsewhere, true)
    }

    fn start(place: Place, tls: bool, token: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (network, ip) = match place {
            Place::Loopback => (None, "127.0.0.1".to_owned()),
            Place::Elsewhere => network(),
        };
        certificates(dir.path(), &ip);
        let root = dir.path().display().to_string();
        let mut config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}/data}}, delete: {{enabled: true}}}}\nhttp:\n  addr: {ip}:0\n"
        );
        if tls {
            config += &format!("  tls: {{certificate: {root}/tls.crt, key: {root}/tls.key}}\n");
        }
        let mut registry =
            Self { address: String::new(), dir, asked: Arc::default(), network, processes: Vec::new() };
        if token {
            let port = registry.give_tokens(&ip, tls);
            let scheme = if tls { "https" } else { "http" };
            config += &format!(
                "auth:\n  token:\n    realm: {scheme}://{ip}:{port}/token\n    service: registry.test\n    issuer: issuer.test\n    rootcertbundle: {root}/tokens.crt\n"
            );
        }
        registry.serve(&config);
        registry
    }

    fn give_tokens(&mut self, ip: &str, tls: bool) -> String {
        let mut command = Command::new("python3");
        command.args(["-c", TOKEN_SERVICE, ip]).arg(self.dir.path()).args(tls.then_some("--tls"));
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        self.processes.push(process);
        let port = lines.next().expect("the service of tokens has ended");
        let asked = self.asked.clone();
        std::thread::spawn(move || lines.for_each(|line| asked.lock().unwrap().push(line)));
        port
    }

    fn serve(&mut self, config: &str) {
        let file = self.dir.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("these tests need Debian's package `docker-registry`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        self.processes.push(process);
        let listening = log.find(|line| line.contains("listening on ")).expect("the registry has ended");
        // What nobody reads would block it.
        std::thread::spawn(move || log.for_each(drop));
        let address = listening.split("listening on ").nth(1).unwrap();
        self.address = address.split(['"', ',']).next().unwrap().to_owned();
    }

    /// The tokens that were given or refused: to whom, and for what.
    pub fn tokens(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Who signs the certificate, in PEM.
    pub fn ca(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("ca.crt")).unwrap()
    }

    /// Has this machine's engine trust the registry.
    #[must_use]
    pub fn trusted(&self) -> Trusted {
        let folder = Path::new("/etc/docker/certs.d").join(&self.address);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ca.crt"), self.ca()).unwrap();
        Trusted(folder)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some(network) = &self.network {
            let _ = Command::new("docker").args(["network", "rm", network]).output();
        }
    }
}

/// As long as it is there, this machine's engine knows the registry's authority.
pub struct Trusted(PathBuf);

impl Drop for Trusted {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A network of this machine's engine, and the machine's address there. It is one of those for measurements (RFC 2544): those from which
/// engines choose are networks of hosts in containers too, whose own would be asked then.
fn network() -> (Option<String>, String) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    for _ in 0..50 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloudpad-registry-test-{process}-{number}");
        // Tests of another process choose from the same.
        let at = process.wrapping_mul(37).wrapping_add(number) % (1 << 13);
        let address =
            |of: u32| format!("198.{}.{}.{}", 18 + (at >> 12), (at >> 4) & 255, ((at & 15) << 4) + of);
        let (subnet, gateway) = (format!("{}/28", address(0)), address(1));
        let mut create = Command::new("docker");
        create.args(["network", "create", "--subnet", &subnet, "--gateway", &gateway, &name]);
        let made = create.output().unwrap();
        if made.status.success() {
            return (Some(name), gateway);
        }
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(why.contains("overlap"), "{create:?}: {why}");
    }
    panic!("all networks overlap with others");
}

/// An authority, a certificate of its for this address, and a key for tokens.
fn certificates(dir: &Path, ip: &str) {
    std::fs::write(dir.join("names"), format!("subjectAltName=IP:{ip}")).unwrap();
    for args in [
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt -subj /CN=test-ca",
        "req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=registry",
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out tls.crt",
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout tokens.key -out tokens.crt -subj /CN=tokens",
    ] {
        run(Command::new("openssl").args(args.split_whitespace()).current_dir(dir));
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
