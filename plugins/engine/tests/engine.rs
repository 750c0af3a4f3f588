//! The client against this machine's engine, which must run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cloudpad_engine::{Endpoint, Engine};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::{BoxFuture, Options, Stream, Traffic, Transport};

#[tokio::test]
async fn three_questions_are_three_requests() {
    let engine = Engine::local().await.unwrap();
    let version = engine.version().await.unwrap();
    assert!(version.api.starts_with("1.") && version.platform.starts_with("linux/"), "{version:?}");
    let docker = engine.docker().await.unwrap();
    docker.ping().await.unwrap();
    docker.info().await.unwrap();
    assert_eq!(engine.requests(), 3);
}

/// A host that forwards nothing, but runs commands: this machine, seen through its shell.
struct CommandsOnly;

impl Transport for CommandsOnly {
    fn unix<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("forwarding of unix sockets")) })
    }

    fn tcp<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("forwarding of TCP")) })
    }

    fn exec<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped());
        Box::pin(async move {
            let mut child = shell.spawn().unwrap();
            let stream = tokio::io::join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
            Ok(Box::new(stream) as Stream)
        })
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

#[tokio::test]
async fn an_engine_is_reached_by_command_where_nothing_is_forwarded() {
    let engine = Engine::over(Arc::new(CommandsOnly), Endpoint::default());
    assert!(engine.version().await.unwrap().api.starts_with("1."));
    engine.docker().await.unwrap().ping().await.unwrap();
}

/// An engine that says its version and nothing more.
fn hung(listener: UnixListener) {
    let version = r#"{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}"#;
    let mut open = Vec::new();
    while let Ok((mut stream, _)) = listener.accept() {
        let _ = stream.read(&mut [0; 4096]);
        if open.is_empty() {
            let length = version.len();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{version}").unwrap();
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
        open.push(stream);
    }
}

#[tokio::test]
async fn a_hung_engine_is_not_waited_for_longer_than_its_work_takes() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(|| hung(listener));
    let here = Host::new(Host::LOCAL, Host::LOCAL);
    let transport = cloudpad_transport::connect(&here, &Options::default(), &Cancel::new()).await.unwrap();
    let endpoint = Endpoint::parse(&format!("unix://{}", socket.display())).unwrap();
    let engine = Engine::over(transport, endpoint);
    engine.version().await.unwrap();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let docker = engine.within(Duration::from_secs(10)).await.unwrap();
    let stopped = docker.stop_container("web", None).await.unwrap_err();
    assert!(matches!(stopped, bollard::errors::Error::RequestTimeoutError), "{stopped}");
    // By the clock of the test, which jumps to the next timeout.
    assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
}
