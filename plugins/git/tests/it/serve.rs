//! Repositories served on loopback: by git's own daemon, and as plain files over HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Accepts connections until the test's process ends, each handled in its own thread.
fn listen(handle: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let handle = handle.clone();
            thread::spawn(move || handle(connection));
        }
    });
    address
}

fn git_daemon(base: &Path) -> Command {
    let mut command = Command::new("git");
    command.args(["daemon", "--inetd", "--export-all"]).arg(format!("--base-path={}", base.display()));
    command.stderr(Stdio::null());
    command
}

/// Serves all repositories below `base` by git's protocol; the URL of `base`.
pub fn daemon(base: &Path) -> String {
    let base = base.to_owned();
    let address = listen(move |connection| {
        let (input, output) = (connection.try_clone().unwrap(), connection);
        let mut daemon = git_daemon(&base);
        daemon.stdin(OwnedFd::from(input)).stdout(OwnedFd::from(output)).status().unwrap();
    });
    format!("git://{address}")
}

/// As [`daemon`], but each answer stops after `limit` bytes: that is told, and the connection stays open.
pub fn stalling_daemon(base: &Path, limit: u64) -> (String, Receiver<()>) {
    let base = base.to_owned();
    let (tell, told) = channel();
    let address = listen(move |connection| stall(&base, limit, connection, &tell));
    (format!("git://{address}"), told)
}

fn stall(base: &Path, limit: u64, mut connection: TcpStream, tell: &Sender<()>) {
    let input = OwnedFd::from(connection.try_clone().unwrap());
    let mut daemon = git_daemon(base).stdin(input).stdout(Stdio::piped()).spawn().unwrap();
    let mut answer = daemon.stdout.take().unwrap();
    let sent = std::io::copy(&mut (&mut answer).take(limit), &mut connection).unwrap_or_default();
    if sent == limit {
        tell.send(()).unwrap();
        // Until the other side is gone.
        let _ = connection.read(&mut [0]);
    }
    drop(answer);
    daemon.wait().unwrap();
}

/// Serves the one repository at `path` by the first version of git's protocol, in which a server hands
/// out the tips of its branches and tags and refuses all other commits.
pub fn old_server(path: &Path) -> String {
    let path = path.to_owned();
    let address = listen(move |mut connection| {
        read_request(&mut connection);
        let (input, output) = (connection.try_clone().unwrap(), connection);
        let mut server = Command::new("git");
        // That no version is asked for is said by this variable's absence.
        server.arg("upload-pack").arg(&path).env_remove("GIT_PROTOCOL");
        server
            .stdin(OwnedFd::from(input))
            .stdout(OwnedFd::from(output))
            .stderr(Stdio::null())
            .status()
            .unwrap();
    });
    format!("git://{address}/")
}

/// Reads the packet that names the repository: four hexadecimal digits say how long it is, themselves
/// included.
fn read_request(input: &mut impl Read) {
    let mut length = [0; 4];
    input.read_exact(&mut length).unwrap();
    let length = usize::from_str_radix(std::str::from_utf8(&length).unwrap(), 16).unwrap();
    input.read_exact(&mut vec![0; length - 4]).unwrap();
}

/// Serves the files below `base` over HTTP, as the simplest of web servers; its URL.
pub fn files(base: &Path) -> String {
    let base = base.to_owned();
    format!("http://{}", listen(move |connection| answer(connection, |path| file(&base, path))))
}

/// A web server that asks everyone for a password; its URL.
pub fn locked() -> String {
    const LOCKED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    format!("http://{}", listen(|connection| answer(connection, |_| (LOCKED, Vec::new()))))
}

fn file(base: &Path, path: &str) -> (&'static str, Vec<u8>) {
    let path = path.split('?').next().unwrap_or_default();
    match fs::read(PathBuf::from(format!("{}{path}", base.display()))) {
        Ok(bytes) => ("HTTP/1.1 200 OK\r\n", bytes),
        Err(_) => ("HTTP/1.1 404 Not Found\r\n", Vec::new()),
    }
}

fn answer(mut connection: TcpStream, body: impl Fn(&str) -> (&'static str, Vec<u8>)) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut header = String::new();
    while reader.read_line(&mut header).unwrap() > 2 {
        header.clear();
    }
    let (head, body) = body(request.split(' ').nth(1).unwrap_or("/"));
    let rest = format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = connection.write_all(&[head.as_bytes(), rest.as_bytes(), &body].concat());
}
