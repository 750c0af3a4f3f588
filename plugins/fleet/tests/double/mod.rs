//! A double of fleetd 1.0, written from what a real one was seen to do, and stricter than it. I/O: a TCP port, a unix socket.
//!
//! Its world stands still: a second passes when a test says so, or some with each question about states where it was made for a
//! program that has a clock of its own. What no client should do is answered as fleet would, and written down. Machines are its
//! own, and what becomes of units there is made up; or they are real ([`Hands`]), and it is what systemd makes of them.

#![allow(dead_code, unused_imports, reason = "each test program that has it uses a part")]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

mod api;
mod hands;
mod http;
mod rules;
mod tick;
mod world;

pub use hands::Hands;
pub use world::{Behaviour, World};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status, and nothing is done.
    Status(u16),
    /// It is done, and the connection closed without an answer.
    Lost,
    /// It is not done, and the connection closed.
    Closed,
    /// It is taken, and never answered.
    Silent,
}

/// A running double.
pub struct Double {
    shared: Arc<Shared>,
    port: u16,
    folder: tempfile::TempDir,
}

/// What its threads share.
pub(crate) struct Shared {
    pub world: Mutex<World>,
    pub silent: Condvar,
}

impl Double {
    /// With three machines, `role=web` on two and `role=db` on one.
    pub fn start() -> Self {
        let shared = Arc::new(Shared { world: Mutex::new(World::default()), silent: Condvar::new() });
        let folder = tempfile::tempdir().unwrap();
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let unix = std::os::unix::net::UnixListener::bind(folder.path().join("fleet.sock")).unwrap();
        let (one, other) = (shared.clone(), shared.clone());
        std::thread::spawn(move || tcp.incoming().flatten().for_each(|stream| http::serve(&one, stream)));
        std::thread::spawn(move || unix.incoming().flatten().for_each(|stream| http::serve(&other, stream)));
        Self { shared, port, folder }
    }

    /// Its port at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        Path::join(self.folder.path(), "fleet.sock")
    }

    /// Looks at the world, or changes it.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world.lock().unwrap())
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.world(|world| (0..seconds).for_each(|_| world.tick()));
    }

    /// Has the next requests go wrong.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world(|world| world.faults = faults.into_iter().collect::<VecDeque<_>>());
    }

    /// Comes back once a request is taken that is never answered.
    pub fn until_silent(&self) {
        let mut world = self.shared.world.lock().unwrap();
        while !std::mem::take(&mut world.is_silent) {
            world = self.shared.silent.wait(world).unwrap();
        }
    }

    /// The requests since this was asked last, as `METHOD PATH`.
    pub fn asked(&self) -> Vec<String> {
        self.world(|world| std::mem::take(&mut world.asked))
    }

    /// What it was asked that no client should ask.
    pub fn wrongs(&self) -> Vec<String> {
        self.world(|world| world.wrongs.clone())
    }
}
