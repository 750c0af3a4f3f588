//! Streams of each kind, one and many, whole and broken off.

use cloudpad_transport::{Stream, Traffic};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

use crate::server::Server;

async fn read(stream: &mut Stream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Answers each connection with what it sends.
fn echo(server: &Server) -> String {
    let path = server.path("echo").to_str().unwrap().to_owned();
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy_buf(
                    &mut tokio::io::BufReader::with_capacity(65536, &mut read),
                    &mut write,
                )
                .await;
            });
        }
    });
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_reads_and_answers() {
    let server = Server::start();
    let transport = server.connect().await;
    let mut stream = transport.exec("cat; echo done").await.unwrap();
    stream.write_all(b"hello ").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(read(&mut stream).await, "hello done\n");
    assert_eq!(transport.traffic(), Traffic { sent: 6, received: 11, connections: 1, channels: 1 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_says_so_with_its_last_words() {
    let server = Server::start();
    let transport = server.connect().await;
    let mut stream = transport.exec("echo out; echo oops >&2; exit 3").await.unwrap();
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!(bytes, b"out\n");
    let words = error.to_string();
    assert!(words.contains("ended with status 3") && words.contains("oops"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_is_reached() {
    let server = Server::start();
    let path = echo(&server);
    let transport = server.connect().await;
    let mut stream = transport.unix(&path).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(read(&mut stream).await, "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tcp_port_is_reached() {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"hi").await.unwrap();
    });
    let transport = server.connect().await;
    let mut stream = transport.tcp("127.0.0.1", port).await.unwrap();
    assert_eq!(read(&mut stream).await, "hi");
}
