//! Streams of each kind, one and many, whole and broken off.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use cloudpad_transport::{Stream, Traffic, Transport};
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
async fn pieces_can_be_written_at_once() {
    let server = Server::start();
    let path = echo(&server);
    let transport = server.connect().await;
    let mut stream = transport.unix(&path).await.unwrap();
    assert!(stream.is_write_vectored());
    let pieces = [IoSlice::new(b"hel"), IoSlice::new(b"lo")];
    assert_eq!(stream.write_vectored(&pieces).await.unwrap(), 5);
    stream.shutdown().await.unwrap();
    assert_eq!(read(&mut stream).await, "hello");
    assert_eq!(transport.traffic().sent, 5);
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

/// Some byte of the stream `number`, the same each time.
fn byte(number: usize, at: usize) -> u8 {
    let mixed = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number as u64 * 77);
    (mixed >> 32) as u8
}

/// Sends `size` bytes to `path` and takes them back, both at once.
async fn round_trip(transport: Arc<dyn Transport>, path: String, number: usize, size: usize) {
    let stream = transport.unix(&path).await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let sending = async move {
        let mut sent = 0;
        while sent < size {
            let end = (sent + 70_000 + number).min(size);
            let bytes: Vec<u8> = (sent..end).map(|at| byte(number, at)).collect();
            write.write_all(&bytes).await.unwrap();
            sent = end;
        }
        write.shutdown().await.unwrap();
    };
    let receiving = async move {
        let mut buffer = vec![0; 50_000];
        let mut at = 0;
        loop {
            let read = read.read(&mut buffer).await.unwrap();
            for (offset, got) in buffer[..read].iter().enumerate() {
                assert_eq!(*got, byte(number, at + offset), "stream {number} at {}", at + offset);
            }
            at += read;
            if read == 0 {
                return at;
            }
        }
    };
    let ((), received) = tokio::join!(sending, receiving);
    assert_eq!(received, size);
}

/// New keys are agreed on again and again meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_at_once_lose_nothing() {
    const SIZE: usize = 12 * 1024 * 1024;
    let server = Server::with(&["ed25519"], "RekeyLimit 16M");
    let path = echo(&server);
    let transport = server.connect().await;
    let all = (0..8).map(|number| tokio::spawn(round_trip(transport.clone(), path.clone(), number, SIZE)));
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    let total = (8 * SIZE) as u64;
    assert_eq!(transport.traffic(), Traffic { sent: total, received: total, connections: 1, channels: 8 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_nobody_reads_holds_up_no_other() {
    let server = Server::start();
    let path = echo(&server);
    let transport = server.connect().await;
    let mut stalled = transport.exec("cat /dev/zero").await.unwrap();
    stalled.read_exact(&mut [0; 1000]).await.unwrap();
    round_trip(transport, path, 1, 8 * 1024 * 1024).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_streams_make_room_for_others() {
    let server = Server::start();
    let transport = server.connect().await;
    for _ in 0..30 {
        let mut stream = transport.exec("cat /dev/zero").await.unwrap();
        stream.read_exact(&mut [0; 1000]).await.unwrap();
    }
    assert_eq!(read(&mut transport.exec("echo still here").await.unwrap()).await, "still here\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_before_a_drop_arrives() {
    let server = Server::start();
    let path = server.path("sink");
    let listener = UnixListener::bind(&path).unwrap();
    let transport = server.connect().await;
    let mut stream = transport.unix(path.to_str().unwrap()).await.unwrap();
    let (mut end, _) = listener.accept().await.unwrap();
    stream.write_all(&[7; 200_000]).await.unwrap();
    drop(stream);
    let mut received = Vec::new();
    end.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, vec![7; 200_000]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_commands_than_the_server_allows_wait_for_their_turn() {
    let server = Server::with(&["ed25519"], "MaxSessions 2");
    let transport = server.connect().await;
    let run = |number: usize| {
        let transport = transport.clone();
        async move {
            let mut stream = transport.exec(&format!("echo {number}")).await.unwrap();
            assert_eq!(read(&mut stream).await, format!("{number}\n"));
        }
    };
    for one in (0..12).map(|number| tokio::spawn(run(number))).collect::<Vec<_>>() {
        one.await.unwrap();
    }
}

/// Of a packet that the socket took in part the rest must be sent, whoever still wants it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_dropped_in_the_middle_of_a_packet_harm_no_other() {
    let server = Server::start();
    let path = echo(&server);
    let transport = server.connect().await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(transport.exec("cat >/dev/null").await.unwrap());
    }
    server.signal("STOP");
    let block = vec![3; 8 << 20];
    for stream in &mut streams {
        let writing = tokio::time::timeout(Duration::from_millis(500), stream.write_all(&block));
        assert!(writing.await.is_err(), "there is room for everything");
    }
    drop(streams);
    // Longer than a dropped stream is waited for.
    tokio::time::sleep(Duration::from_secs(7)).await;
    server.signal("CONT");
    round_trip(transport, path, 1, 4 << 20).await;
}
