//! A socket that leads to an engine, and can misbehave on the way.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happens when an image is about to be loaded; the last two, when images are about to be listed, and when files of a container
/// are about to be read.
pub enum Fault {
    /// This, once, before the engine hears of it.
    Before(Box<dyn FnOnce() + Send>),
    /// The connection is cut after so many more bytes, once.
    CutAfter(usize),
    /// The engine says, once, that this has kept it from listing them.
    Instead(&'static str),
    /// This, once, before the engine hears of it.
    BeforeFiles(Box<dyn FnOnce() + Send>),
}

/// Passes connections on to the engine that a command leads to.
pub struct Proxy {
    pub socket: PathBuf,
    fault: Arc<Mutex<Option<Fault>>>,
    loads: Arc<AtomicU64>,
    _dir: tempfile::TempDir,
}

impl Proxy {
    /// `command` joins its stdin and stdout to an engine.
    pub fn new(command: impl Fn() -> Command + Send + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (fault, loads): (Arc<Mutex<Option<Fault>>>, Arc<AtomicU64>) = Default::default();
        let shared = (fault.clone(), loads.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                pass(stream.unwrap(), child, shared.clone());
            }
        });
        Self { socket, fault, loads, _dir: dir }
    }

    pub fn path(&self) -> &Path {
        &self.socket
    }

    pub fn misbehave(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    /// How many images were loaded, or begun to be.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }
}

fn pass(mut near: UnixStream, mut child: Child, (fault, loads): (Arc<Mutex<Option<Fault>>>, Arc<AtomicU64>)) {
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = near.try_clone().unwrap();
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut answers);
        let _ = answers.shutdown(std::net::Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        let mut left = usize::MAX;
        while let Ok(n @ 1..) = near.read(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..n.min(100)]).into_owned();
            let overtakes =
                |fault: &mut Fault| request.contains("/images/json") && matches!(fault, Fault::Instead(_));
            let overtaken = fault.lock().unwrap().take_if(overtakes);
            if let Some(Fault::Instead(why)) = overtaken {
                let body = format!("{{\"message\":\"{why}\"}}");
                let head =
                    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length";
                near.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
                continue;
            }
            let reads =
                |fault: &mut Fault| request.contains("/archive?") && matches!(fault, Fault::BeforeFiles(_));
            let act = fault.lock().unwrap().take_if(reads);
            if let Some(Fault::BeforeFiles(act)) = act {
                act();
            }
            if buffer[..n].starts_with(b"POST /images/load") {
                loads.fetch_add(1, Ordering::SeqCst);
                match fault.lock().unwrap().take() {
                    Some(Fault::Before(act)) => act(),
                    Some(Fault::CutAfter(bytes)) => left = bytes,
                    Some(Fault::Instead(_) | Fault::BeforeFiles(_)) | None => {}
                }
            }
            if n > left || to.write_all(&buffer[..n]).is_err() {
                break;
            }
            left = left.saturating_sub(n);
        }
        drop(to);
        let _ = near.shutdown(std::net::Shutdown::Both);
        let _ = child.kill();
        let _ = child.wait();
    });
}
