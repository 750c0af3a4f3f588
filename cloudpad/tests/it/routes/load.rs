//! Load on hosts' proxies while a test goes on: HTTP clients of all kinds, what they are answered, and what they are not.

mod client;
mod heard;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use client::{Connection, Error, words};
use heard::Ear;
pub use heard::Heard;

/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(8);
/// What takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// For how long a conversation on a websocket goes: less than the time that old containers are given.
const TALK: Duration = Duration::from_millis(2_500);

/// Clients that go on until they are told to stop.
pub struct Load {
    runtime: Runtime,
    ear: Arc<Ear>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
    sites: usize,
}

/// Where the clients go.
#[derive(Clone)]
pub struct Site {
    pub host: String,
    pub address: String,
    pub port: u16,
    pub name: String,
}

/// A client of one site.
#[derive(Clone)]
struct Client {
    site: Site,
    ear: Arc<Ear>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// On each of these sites: clients that keep their connections, with and without a body, clients that make a new one for each
    /// request, some that ask for what takes two seconds, one that has short conversations on websockets, and one whose websocket
    /// lives for as long as it can.
    pub fn on(sites: &[Site]) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("no runtime");
        let (ear, stop) = (Arc::new(Ear::default()), Arc::new(AtomicBool::new(false)));
        let mut clients = Vec::new();
        for site in sites {
            let client = Client { site: site.clone(), ear: Arc::clone(&ear), stop: Arc::clone(&stop) };
            for (method, body) in [(Method::GET, ""), (Method::GET, ""), (Method::POST, "a body")] {
                clients.push(runtime.spawn(client.clone().kept(method, body)));
            }
            for (method, path) in
                [(Method::GET, "/"), (Method::GET, "/"), (Method::GET, "/slow"), (Method::POST, "/slow")]
            {
                clients.push(runtime.spawn(client.clone().anew(method, path)));
            }
            clients.push(runtime.spawn(client.clone().talks()));
            clients.push(runtime.spawn(client.stays()));
        }
        Self { runtime, ear, stop, clients, sites: sites.len() }
    }

    /// From now on, any version may answer, since this is done.
    pub fn while_doing(&self, what: &str) {
        self.ear.mark(what, None);
    }

    /// What is asked from now on has to be answered by this page, and by no other. Comes back when there were so many answers
    /// in all, and some of each host by this page.
    #[track_caller]
    pub fn settles_on(&self, page: &str, answers: usize) {
        self.ear.mark(&format!("all serve {page:?}"), Some(page));
        self.ear.wait(page, answers, self.sites);
    }

    /// A request that fails with these words is as good as answered.
    pub fn excuse(&self, why: &'static str) {
        self.ear.excuse(why);
    }

    /// What they have heard.
    pub fn end(self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            self.runtime.block_on(client).expect("a client has panicked");
        }
        self.ear.take()
    }
}

impl Client {
    fn is_to_go_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Has something done and takes note of what comes of it.
    async fn told<T>(
        &self,
        what: &str,
        done: impl Future<Output = Result<(u16, String, T), Error>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let done = timeout(PATIENCE, done).await.unwrap_or_else(|_| Err("no answer".into()));
        match done {
            Ok((200, page, open)) => {
                self.ear.answer(&self.site.host, what, begun, page);
                return Some(open);
            }
            Ok((status, page, _)) => {
                self.ear.failure(&self.site.host, what, begun, &format!("{status} {page}"))
            }
            Err(error) => self.ear.failure(&self.site.host, what, begun, &words(&error)),
        }
        None
    }

    async fn kept(self, method: Method, body: &'static str) {
        let mut kept = None;
        while self.is_to_go_on() {
            let open = kept.take();
            let asked = async {
                let mut open = match open {
                    Some(open) => open,
                    None => Connection::open(&self.site).await?,
                };
                let (status, page) = open.ask(method.clone(), "/", body).await?;
                Ok((status, page, open))
            };
            kept = self.told(&format!("{method} / on a kept connection"), asked).await;
            sleep(PAUSE).await;
        }
    }

    async fn anew(self, method: Method, path: &'static str) {
        while self.is_to_go_on() {
            let asked = async {
                let (status, page) =
                    Connection::open(&self.site).await?.ask(method.clone(), path, "").await?;
                Ok((status, page, ()))
            };
            self.told(&format!("{method} {path} on a new connection"), asked).await;
            sleep(PAUSE).await;
        }
    }

    async fn talks(self) {
        while self.is_to_go_on() {
            let talked = async {
                let mut socket = Connection::open(&self.site).await?.upgrade().await?;
                let since = Instant::now();
                while since.elapsed() < TALK {
                    echo(&mut socket).await?;
                }
                Ok((200, String::new(), ()))
            };
            self.told("a conversation on a websocket", talked).await;
        }
    }

    async fn stays(self) {
        while self.is_to_go_on() {
            let opened =
                async { Ok((200, String::new(), Connection::open(&self.site).await?.upgrade().await?)) };
            let Some(mut socket) = self.told("a new websocket", opened).await else { continue };
            while self.is_to_go_on() {
                if echo(&mut socket).await.is_err() {
                    self.ear.ended();
                    break;
                }
            }
        }
    }
}

/// Says something on a websocket, and hears it again.
async fn echo(socket: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> Result<(), Error> {
    let mut echo = [0; 4];
    socket.write_all(b"ping").await?;
    timeout(PATIENCE, socket.read_exact(&mut echo)).await??;
    sleep(2 * PAUSE).await;
    if echo == *b"ping" { Ok(()) } else { Err("something else was heard".into()) }
}
