//! Load on a host's proxy while a test goes on: what clients of all kinds are answered, and what they are not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Clients that go on until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    heard: Arc<Mutex<Heard>>,
    clients: Vec<JoinHandle<()>>,
}

/// What all clients together were told.
#[derive(Default)]
pub struct Heard {
    /// How often each page came.
    pub pages: BTreeMap<String, usize>,
    /// What went wrong.
    pub failures: Vec<String>,
    /// How long each websocket lived.
    pub sockets: Vec<Duration>,
}

/// Where the clients go.
#[derive(Clone)]
pub struct Site {
    pub address: String,
    pub port: u16,
    pub name: String,
}

type Client = fn(&Site, &AtomicBool, &Mutex<Heard>);

impl Load {
    /// On each of these sites: clients that keep their connections, with and without a body, clients that make a new one for each request,
    /// one that asks for what takes a second, and one with a websocket.
    pub fn on(sites: &[Site]) -> Self {
        let kinds: [Client; 7] = [kept, kept, posting, new, new, slow, socket];
        let (stop, heard) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut clients = Vec::new();
        for site in sites {
            for client in kinds {
                let (site, stop, heard) = (site.clone(), Arc::clone(&stop), Arc::clone(&heard));
                clients.push(std::thread::spawn(move || client(&site, &stop, &heard)));
            }
        }
        Self { stop, heard, clients }
    }

    /// Waits until this page has come a few times: by then requests are led to it.
    pub fn wait_for(&self, page: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let count =
            || self.heard.lock().expect("a client has panicked").pages.get(page).copied().unwrap_or(0);
        while count() < 20 {
            assert!(Instant::now() < deadline, "`{page}` does not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What they have heard.
    pub fn end(self) -> Heard {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().for_each(|client| client.join().expect("a client has panicked"));
        std::mem::take(&mut self.heard.lock().expect("a client has panicked"))
    }
}

fn kept(site: &Site, stop: &AtomicBool, heard: &Mutex<Heard>) {
    keep(site, "GET / HTTP/1.1", "", stop, heard);
}

fn posting(site: &Site, stop: &AtomicBool, heard: &Mutex<Heard>) {
    keep(site, "POST / HTTP/1.1", "a body", stop, heard);
}

fn keep(site: &Site, line: &str, body: &str, stop: &AtomicBool, heard: &Mutex<Heard>) {
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let answer = match connection.take().map_or_else(|| connect(site), Ok) {
            Ok(mut open) => ask(&mut open, site, line, body).map(|answer| (answer, open)),
            Err(error) => Err(error),
        };
        connection =
            record(heard, &format!("kept {line}"), answer.map(|((status, page), open)| (status, page, open)));
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn new(site: &Site, stop: &AtomicBool, heard: &Mutex<Heard>) {
    once(site, "GET / HTTP/1.1", stop, heard);
}

fn slow(site: &Site, stop: &AtomicBool, heard: &Mutex<Heard>) {
    once(site, "GET /slow HTTP/1.1", stop, heard);
}

fn once(site: &Site, line: &str, stop: &AtomicBool, heard: &Mutex<Heard>) {
    while !stop.load(Ordering::Relaxed) {
        let answer = connect(site).and_then(|mut open| ask(&mut open, site, line, ""));
        record(heard, &format!("new {line}"), answer.map(|(status, page)| (status, page, ())));
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn socket(site: &Site, stop: &AtomicBool, heard: &Mutex<Heard>) {
    while !stop.load(Ordering::Relaxed) {
        let mut open = match connect(site).and_then(|open| upgrade(open, site)) {
            Ok(open) => open,
            Err(error) => {
                heard.lock().expect("a client has panicked").failures.push(format!("websocket: {error}"));
                continue;
            }
        };
        let since = Instant::now();
        let mut echo = [0; 4];
        while !stop.load(Ordering::Relaxed) {
            let echoed = open.get_mut().write_all(b"ping").and_then(|()| open.read_exact(&mut echo));
            if echoed.is_err() {
                heard.lock().expect("a client has panicked").sockets.push(since.elapsed());
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn record<T>(heard: &Mutex<Heard>, what: &str, answer: Result<(u16, String, T)>) -> Option<T> {
    let mut heard = heard.lock().expect("a client has panicked");
    match answer {
        Ok((200, page, open)) => {
            *heard.pages.entry(page).or_default() += 1;
            return Some(open);
        }
        Ok((status, page, _)) => heard.failures.push(format!("{what}: {status} {page}")),
        Err(error) => heard.failures.push(format!("{what}: {error}")),
    }
    None
}

fn connect(site: &Site) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect((site.address.as_str(), site.port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(BufReader::new(stream))
}

/// Asks, and reads the whole answer.
fn ask(open: &mut BufReader<TcpStream>, site: &Site, line: &str, body: &str) -> Result<(u16, String)> {
    write!(open.get_mut(), "{line}\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}", site.name, body.len())?;
    let (status, headers) = head(open)?;
    let mut page = vec![0; headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    open.read_exact(&mut page)?;
    Ok((status, String::from_utf8_lossy(&page).into_owned()))
}

fn upgrade(mut open: BufReader<TcpStream>, site: &Site) -> Result<BufReader<TcpStream>> {
    write!(
        open.get_mut(),
        "GET /socket HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        site.name
    )?;
    match head(&mut open)?.0 {
        101 => Ok(open),
        status => Err(Error::other(format!("answered {status}"))),
    }
}

fn head(open: &mut BufReader<TcpStream>) -> Result<(u16, BTreeMap<String, String>)> {
    let mut line = String::new();
    if open.read_line(&mut line)? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "closed before an answer"));
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        open.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => _ = headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => return Ok((status, headers)),
        }
    }
}
