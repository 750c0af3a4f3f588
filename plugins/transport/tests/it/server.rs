//! An SSH server for one test: a listener of our own, and one `sshd -i` for each connection.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::{Options, Transport};
use tempfile::TempDir;

/// The server, its keys, and the key of a user whom it lets in.
pub struct Server {
    dir: TempDir,
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    sessions: Mutex<Vec<Child>>,
    accepted: AtomicUsize,
    /// So many connections are closed at once.
    turn_away: AtomicUsize,
}

impl Server {
    /// A server with OpenSSH's defaults and an ed25519 host key.
    pub fn start() -> Self {
        Self::with(&["ed25519"], "")
    }

    /// A server with a host key of each of these types and more lines of `sshd_config`.
    pub fn with(host_keys: &[&str], lines: &str) -> Self {
        // Where sshd keeps its unprivileged part; distributions make it when the service starts.
        let _ = fs::create_dir_all("/run/sshd");
        let dir = tempfile::tempdir().unwrap();
        let mut config = format!(
            "AuthorizedKeysFile {0}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\nLogLevel DEBUG1\n{lines}\n",
            dir.path().display()
        );
        for key_type in host_keys {
            let key = dir.path().join(format!("host_{key_type}"));
            keygen(&key, &["-N", "", "-t", key_type]);
            config += &format!("HostKey {}\n", key.display());
        }
        fs::write(dir.path().join("sshd_config"), config).unwrap();
        keygen(&dir.path().join("client"), &["-N", "", "-t", "ed25519"]);
        fs::copy(dir.path().join("client.pub"), dir.path().join("authorized_keys")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        std::thread::spawn({
            let (state, dir) = (state.clone(), dir.path().to_owned());
            move || serve(&listener, &state, &dir)
        });
        let server = Self { dir, port, state };
        server.know(&server.known_hosts(host_keys[0]));
        server
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The line of `known_hosts` for one of its keys.
    pub fn known_hosts(&self, key_type: &str) -> String {
        format!("[127.0.0.1]:{} {}", self.port, self.public(&format!("host_{key_type}")))
    }

    /// A public key without its comment.
    pub fn public(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    /// Makes `text` all that the client knows of hosts.
    pub fn know(&self, text: &str) {
        fs::write(self.path("known_hosts"), format!("{text}\n")).unwrap();
    }

    /// Lets the user of this key in, and nobody else.
    pub fn authorize(&self, name: &str) {
        fs::write(self.path("authorized_keys"), format!("{}\n", self.public(name))).unwrap();
    }

    pub fn turn_away(&self, connections: usize) {
        self.state.turn_away.store(connections, SeqCst);
    }

    pub fn accepted(&self) -> usize {
        self.state.accepted.load(SeqCst)
    }

    /// The SSH configuration of the client: `lines` first, for what comes first counts.
    pub fn config(&self, lines: &str) -> String {
        format!(
            "{lines}\nHost *\n User {}\n IdentityFile {1}/client\n IdentityAgent none\n \
             UserKnownHostsFile {1}/known_hosts\n GlobalKnownHostsFile /dev/null\n",
            whoami(),
            self.dir.path().display()
        )
    }

    pub fn options(&self, lines: &str) -> Options {
        let path = self.path(&format!("ssh_config_{}", lines.len()));
        fs::write(&path, self.config(lines)).unwrap();
        Options { ssh_config: Some(path), ..Options::default() }
    }

    pub fn host(&self) -> Host {
        Host::new("srv", format!("127.0.0.1:{}", self.port))
    }

    pub async fn connect(&self) -> Arc<dyn Transport> {
        self.connect_with("").await.unwrap_or_else(|failure| panic!("{failure:#?}\n{}", self.log()))
    }

    pub async fn connect_with(&self, lines: &str) -> Result<Arc<dyn Transport>, Failure> {
        cloudpad_transport::connect(&self.host(), &self.options(lines), &Cancel::new()).await
    }

    pub async fn failure(&self, lines: &str) -> Failure {
        self.connect_with(lines).await.err().expect("it connects")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits until all sessions have ended.
    pub fn wait(&self) {
        for session in self.state.sessions.lock().unwrap().iter_mut() {
            session.wait().unwrap();
        }
    }

    /// Sends a signal to the processes of all sessions.
    pub fn signal(&self, name: &str) {
        for session in self.state.sessions.lock().unwrap().iter() {
            let group = format!("-{}", session.id());
            assert!(Command::new("kill").args(["-s", name, "--", &group]).status().unwrap().success());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for session in self.state.sessions.lock().unwrap().iter_mut() {
            let group = format!("-{}", session.id());
            let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
            let _ = session.wait();
        }
    }
}

fn serve(listener: &TcpListener, state: &State, dir: &Path) {
    for stream in listener.incoming().map_while(io::Result::ok) {
        if !dir.exists() {
            return;
        }
        state.accepted.fetch_add(1, SeqCst);
        if state.turn_away.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            continue;
        }
        state.sessions.lock().unwrap().push(sshd(stream, dir));
    }
}

fn sshd(stream: TcpStream, dir: &Path) -> Child {
    stream.set_nodelay(true).unwrap();
    Command::new("/usr/sbin/sshd")
        .args(["-i", "-f"])
        .arg(dir.join("sshd_config"))
        .arg("-E")
        .arg(dir.join("log"))
        .stdin(OwnedFd::from(stream.try_clone().unwrap()))
        .stdout(OwnedFd::from(stream))
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sshd is installed")
}

/// A port of this machine whose connections are neither accepted nor refused, for as long as the rest
/// of what is returned lives: the kernel answers nobody while the queue of a listener is full.
pub async fn silent_port() -> (std::net::SocketAddr, impl Sized) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let fill = |_| tokio::spawn(tokio::net::TcpStream::connect(address));
    let waiting: Vec<_> = (0..4).map(fill).collect();
    while waiting.iter().all(|one| !one.is_finished()) {
        tokio::task::yield_now().await;
    }
    (address, (listener, waiting))
}

/// Makes a key pair.
pub fn keygen(path: &Path, args: &[&str]) {
    let made = Command::new("ssh-keygen").args(["-q", "-C", "", "-f"]).arg(path).args(args).status();
    assert!(made.expect("ssh-keygen is installed").success(), "{args:?}");
}

pub fn whoami() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}
