//! The caller's end of the streams of a process: a socket on which the test listens.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use cloudpad_plugin_api::frames::{Frames, STDERR, STDIN, STDOUT, frame};
use tempfile::TempDir;

/// A socket that is listened to.
pub struct Listening {
    folder: TempDir,
    listener: UnixListener,
}

/// A process's streams.
pub struct Streams {
    to: UnixStream,
    pieces: Receiver<(u8, Vec<u8>)>,
    /// What it has printed so far.
    pub out: String,
    pub err: String,
}

impl Listening {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("stream")).unwrap();
        Self { folder, listener }
    }

    pub fn path(&self) -> Option<String> {
        Some(self.folder.path().join("stream").to_str().unwrap().to_owned())
    }

    /// Waits for the provider.
    pub fn accept(self) -> Streams {
        let (mut from, _) = self.listener.accept().unwrap();
        let to = from.try_clone().unwrap();
        let (tell, pieces) = channel();
        thread::spawn(move || {
            let (mut frames, mut piece) = (Frames::default(), [0; 4096]);
            while let Ok(read @ 1..) = from.read(&mut piece) {
                frames.push(&piece[..read]);
                while let Some(frame) = frames.next_frame().unwrap() {
                    let _ = tell.send((frame.stream, frame.bytes));
                }
            }
        });
        Streams { to, pieces, out: String::new(), err: String::new() }
    }
}

impl Streams {
    pub fn send(&mut self, bytes: &[u8]) {
        self.to.write_all(&frame(STDIN, bytes)).unwrap();
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).unwrap();
    }

    /// Waits until the process has printed this.
    pub fn await_text(&mut self, text: &str) {
        while !self.out.contains(text) {
            let piece = self.pieces.recv_timeout(Duration::from_secs(60));
            let piece = piece.unwrap_or_else(|_| panic!("no `{text}` in {:?}", self.out));
            self.take(piece);
        }
    }

    /// Waits until the process prints no more.
    pub fn finish(mut self) -> (String, String) {
        while let Ok(piece) = self.pieces.recv() {
            self.take(piece);
        }
        (self.out, self.err)
    }

    /// Closes the connection.
    pub fn hang_up(self) {
        let _ = self.to.shutdown(std::net::Shutdown::Both);
    }

    fn take(&mut self, (stream, bytes): (u8, Vec<u8>)) {
        let text = String::from_utf8_lossy(&bytes);
        match stream {
            STDOUT => self.out += &text,
            STDERR => self.err += &text,
            other => panic!("a frame of stream {other}"),
        }
    }
}
