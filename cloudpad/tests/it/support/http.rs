//! One HTTP request, never repeated: a test that retries cannot see a gap.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// What a server answers: status and body, or why there is no answer.
pub type Answer = Result<(u16, String), String>;

/// `GET path`.
pub fn get(host: &str, port: u16, path: &str) -> Answer {
    request(host, port, path).map_err(|error| error.to_string())
}

fn request(host: &str, port: u16, path: &str) -> std::io::Result<(u16, String)> {
    let wait = Duration::from_secs(5);
    let address = (host, port).to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, body.trim_end().to_owned()))
}
