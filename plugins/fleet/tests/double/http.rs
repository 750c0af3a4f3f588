//! Just enough of HTTP/1.1 for a double: requests from a stream, answers as fleetd writes them. I/O: the stream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::{Fault, Shared, api};

/// A stream that two can have.
pub trait Both: Read + Write + Send + Sized + 'static {
    fn other(&self) -> Self;
}

impl Both for TcpStream {
    fn other(&self) -> Self {
        self.try_clone().unwrap()
    }
}

impl Both for UnixStream {
    fn other(&self) -> Self {
        self.try_clone().unwrap()
    }
}

/// A request.
pub struct Asked {
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    pub content_types: Vec<String>,
    pub body: Vec<u8>,
}

/// An answer; none closes the connection.
pub struct Answer {
    pub status: u16,
    /// Whether there is a JSON body, and which.
    pub body: Option<String>,
}

/// Answers the requests of one stream, on a thread of its own.
pub fn serve(shared: &Arc<Shared>, stream: impl Both) {
    let shared = shared.clone();
    std::thread::spawn(move || {
        let mut writer = stream.other();
        let mut reader = BufReader::new(stream);
        while let Some(asked) = read(&mut reader) {
            let fault = {
                let mut world = shared.world.lock().unwrap();
                world.asked.push(format!("{} {}", asked.method, asked.target));
                world.faults.pop_front()
            };
            let answer = match fault {
                Some(Fault::Closed) => None,
                Some(Fault::Status(status)) => Some(api::error(status, "")),
                Some(Fault::Silent) => {
                    shared.world.lock().unwrap().is_silent = true;
                    shared.silent.notify_all();
                    // Until whoever asked has gone.
                    let _ = reader.read(&mut [0]);
                    None
                }
                Some(Fault::Lost) => api::answer(&mut shared.world.lock().unwrap(), &asked).and(None),
                None => api::answer(&mut shared.world.lock().unwrap(), &asked),
            };
            match answer {
                Some(answer) if write(&mut writer, &answer).is_ok() => {}
                _ => return,
            }
        }
    });
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut content_types, mut has_host) = (0, Vec::new(), false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "content-type" => content_types.push(value.trim().to_owned()),
            "host" => has_host = true,
            _ => {}
        }
    }
    assert!(has_host, "Go refuses a request without a host");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, content_types, body })
}

fn write(writer: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\nServer: fleetd/1.0.0\r\n", answer.status);
    let body = match &answer.body {
        None if answer.status == 204 => String::from("\r\n"),
        None => String::from("Content-Length: 0\r\n\r\n"),
        // Go chunks what does not fit its first buffer.
        Some(body) if body.len() > 2048 => {
            head += "Content-Type: application/json\r\n";
            let (one, rest) = body.as_bytes().split_at(2047);
            let chunk = |part: &[u8]| format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part));
            match std::str::from_utf8(one) {
                Ok(_) => format!("Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n", chunk(one), chunk(rest)),
                Err(_) => format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk(body.as_bytes())),
            }
        }
        Some(body) => {
            head += "Content-Type: application/json\r\n";
            format!("Content-Length: {}\r\n\r\n{body}", body.len())
        }
    };
    writer.write_all((head + &body).as_bytes())?;
    writer.flush()
}
