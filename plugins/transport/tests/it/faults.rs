//! Servers that do not answer, stop answering, or refuse.

use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure, FailureKind};
use cloudpad_transport::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::server::{Server, silent_port};

async fn failure(address: &str) -> Failure {
    let options =
        Options { ssh_config: Some("/dev/null".into()), connect_timeout: Some(1), ..Options::default() };
    let host = Host::new("srv", address);
    cloudpad_transport::connect(&host, &options, &Cancel::new()).await.err().expect("it connects")
}

#[track_caller]
fn assert_says(failure: &Failure, kind: FailureKind, words: &[&str]) {
    let text = format!("{failure} hint: {}", failure.hint.as_deref().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert_eq!(failure.kind, kind, "{text}");
}

use FailureKind::{Cancelled, Invalid, Unreachable, Unsupported};

#[tokio::test]
async fn an_address_that_makes_no_sense_is_refused() {
    assert_says(&failure("-oProxyCommand=x").await, Invalid, &["`-oProxyCommand=x`", "[user@]host[:port]"]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_named() {
    assert_says(&failure("nobody.invalid").await, Unreachable, &["could not resolve `nobody.invalid`"]);
}

#[tokio::test]
async fn a_closed_port_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert_says(&failure(&address).await, Unreachable, &[&address, "refused"]);
}

#[tokio::test]
async fn a_host_that_answers_nothing_is_given_up() {
    let (address, _kept) = silent_port().await;
    assert_says(
        &failure(&address.to_string()).await,
        Unreachable,
        &[&address.to_string(), "no answer in 1 s"],
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert_says(&failure(&address).await, Unreachable, &[&address, "no SSH banner in 1 s"]);
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    assert_says(&failure(&address).await, Unreachable, &[&address, "SSH banner"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_busy_is_tried_again() {
    let server = Server::start();
    server.turn_away(2);
    server.connect().await;
    assert_eq!(server.accepted(), 3);
    server.turn_away(100);
    assert_says(&server.failure("").await, Unreachable, &["without an SSH banner", "MaxStartups"]);
}

#[tokio::test]
async fn connecting_can_be_stopped() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = Host::new("srv", listener.local_addr().unwrap().to_string());
    let cancel = Cancel::new();
    let options =
        Options { ssh_config: Some("/dev/null".into()), connect_timeout: Some(3600), ..Options::default() };
    let connecting = tokio::spawn({
        let cancel = cancel.clone();
        async move { cloudpad_transport::connect(&host, &options, &cancel).await.err().unwrap() }
    });
    let (mut stream, _) = listener.accept().await.unwrap();
    cancel.cancel();
    assert_says(&connecting.await.unwrap(), Cancelled, &["`srv`"]);
    // The connection is closed, not left behind.
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_transport_ends_its_streams_and_its_session() {
    let server = Server::start();
    let transport = server.connect().await;
    let mut stream = transport.exec("cat").await.unwrap();
    drop(transport);
    let error = stream.read(&mut [0; 10]).await.unwrap_err().to_string();
    assert!(error.contains("closed by this program"), "{error}");
    server.wait();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_host_is_found_dead() {
    let server = Server::start();
    let transport = server.connect_with("ServerAliveInterval 1\nServerAliveCountMax 2").await.unwrap();
    let mut reading = transport.exec("cat").await.unwrap();
    let mut writing = transport.exec("cat >/dev/null").await.unwrap();
    server.signal("STOP");
    let error = reading.read(&mut [0; 10]).await.unwrap_err().to_string();
    assert!(error.contains("has not answered for"), "{error}");
    let block = vec![0; 1 << 20];
    let error = loop {
        if let Err(error) = writing.write_all(&block).await {
            break error.to_string();
        }
    };
    assert!(error.contains("has not answered for"), "{error}");
    let failure = transport.exec("true").await.err().unwrap();
    assert_says(&failure, Unreachable, &["has not answered for", "127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_freezes_while_much_is_sent_is_found_dead() {
    let server = Server::start();
    let transport = server.connect_with("ServerAliveInterval 1\nServerAliveCountMax 2").await.unwrap();
    let mut stream = transport.exec("cat >/dev/null").await.unwrap();
    let block = vec![0; 1 << 20];
    stream.write_all(&block).await.unwrap();
    server.signal("STOP");
    let error = loop {
        if let Err(error) = stream.write_all(&block).await {
            break error.to_string();
        }
    };
    assert!(error.contains("has not answered for"), "{error}");
}

/// Nobody reads for longer than a dead host is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_idle_or_unread_lives() {
    let server = Server::start();
    let transport = server.connect_with("ServerAliveInterval 1\nServerAliveCountMax 3").await.unwrap();
    let mut unread = transport.exec("cat /dev/zero").await.unwrap();
    unread.read_exact(&mut [0; 1000]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    unread.read_exact(&mut vec![0; 8 << 20]).await.unwrap();
    drop(unread);
    tokio::time::sleep(Duration::from_secs(10)).await;
    transport.exec("true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_killed_breaks_its_streams() {
    let server = Server::start();
    let transport = server.connect().await;
    let mut idle = transport.exec("cat").await.unwrap();
    let mut busy = transport.exec("cat /dev/zero").await.unwrap();
    busy.read_exact(&mut [0; 1000]).await.unwrap();
    server.signal("KILL");
    for stream in [&mut idle, &mut busy] {
        let mut buffer = vec![0; 1 << 20];
        let error = loop {
            match stream.read(&mut buffer).await {
                Ok(read) => assert_ne!(read, 0, "it ends as if all had been read"),
                Err(error) => break error,
            }
        };
        let failure = error.get_ref().unwrap().downcast_ref::<Failure>().unwrap();
        assert_says(failure, Unreachable, &["was lost", "127.0.0.1"]);
    }
    assert_says(&transport.unix("/x").await.err().unwrap(), Unreachable, &["was lost"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_killed_while_idle_is_noticed() {
    let server = Server::start();
    let transport = server.connect().await;
    server.signal("KILL");
    assert_says(&transport.unix("/x").await.err().unwrap(), Unreachable, &["was lost"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forwards_nothing_is_told_from_a_socket_that_is_not_there() {
    let server = Server::with(&["ed25519"], "AllowStreamLocalForwarding no\nAllowTcpForwarding no");
    let path = server.path("here").display().to_string();
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let transport = server.connect().await;
    let failure = transport.unix(&path).await.err().unwrap();
    assert_says(&failure, Unsupported, &[&path, "AllowStreamLocalForwarding yes"]);
    let failure = transport.unix("/nowhere/s").await.err().unwrap();
    assert_says(&failure, Unreachable, &["no socket `/nowhere/s`"]);
    let failure = transport.tcp("127.0.0.1", 1).await.err().unwrap();
    assert_says(&failure, Unsupported, &["AllowTcpForwarding yes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_closed_on_the_host_is_named() {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let transport = server.connect().await;
    let failure = transport.tcp("127.0.0.1", port).await.err().unwrap();
    assert_says(&failure, Unreachable, &[&format!("`127.0.0.1:{port}`"), "connect failed"]);
}

/// While one port does not answer nothing else can be opened; those who give up are not to add to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_does_not_answer_is_given_up_once() {
    let server = Server::start();
    let (address, _kept) = silent_port().await;
    let transport = server.connect().await;
    let first = tokio::spawn({
        let transport = transport.clone();
        async move { transport.tcp("127.0.0.1", address.port()).await.err().unwrap() }
    });
    while !server.log().contains("server_request_direct_tcpip") {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        let waiting = transport.tcp("127.0.0.1", address.port());
        assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
    }
    transport.exec("true").await.unwrap();
    assert_says(&first.await.unwrap(), Unreachable, &["no answer in 5 s"]);
    assert_eq!(server.log().matches("server_request_direct_tcpip").count(), 1);
}
