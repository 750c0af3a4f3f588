//! The client against this machine's engine, which must run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Stdio;
use std::sync::Arc;

use cloudpad_engine::{Endpoint, Engine};
use cloudpad_plugin_api::Failure;
use cloudpad_transport::{BoxFuture, Stream, Traffic, Transport};

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
