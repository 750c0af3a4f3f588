//! Commands whose output is apart, and that end with who has started them.

use cloudpad_transport::{Exit, Running, Transport};
use tokio::io::AsyncReadExt as _;

use crate::server::Server;

async fn start(transport: &dyn Transport, command: &[&str]) -> Running {
    let words: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
    transport.run(&words).await.unwrap()
}

async fn run(transport: &dyn Transport, command: &[&str]) -> (String, String, Exit) {
    let mut running = start(transport, command).await;
    let (mut out, mut err) = (String::new(), String::new());
    tokio::try_join!(running.stdout.read_to_string(&mut out), running.stderr.read_to_string(&mut err))
        .unwrap();
    (out, err, running.exit.get().cloned().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_comes_apart_and_the_code_is_the_commands() {
    let server = Server::start();
    let transport = server.connect().await;
    let ended = run(&*transport, &["echo out; echo err >&2; exit 3"]).await;
    assert_eq!(ended, ("out\n".into(), "err\n".into(), Exit::Status(3)));
    let ended = run(&*transport, &["printf", "<%s>", "a b", "it's $HOME", "*"]).await;
    assert_eq!(ended, ("<a b><it's $HOME><*>".into(), String::new(), Exit::Status(0)));
    assert_eq!(run(&*transport, &["cat; echo no input"]).await.0, "no input\n");
    assert_eq!(run(&*transport, &["kill -KILL $$"]).await.2, Exit::Status(128 + 9));
    assert_eq!(run(&*transport, &["no-such-program"]).await.2, Exit::Status(127));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_of_both_comes_whole() {
    let server = Server::start();
    let transport = server.connect().await;
    let much = "for n in 1 2 3 4; do head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done";
    let (out, err, exit) = run(&*transport, &[much]).await;
    assert_eq!((out.len(), err.len(), exit), (4_000_000, 4_000_000, Exit::Status(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_has_started_ends_with_the_stream() {
    let server = Server::start();
    let transport = server.connect().await;
    let path = server.path("alive").display().to_string();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let running = start(&*transport, &[&format!("sleep 1000 >'{path}' & sleep 1000 >'{path}'; true")]).await;
    let mut alive = tokio::task::spawn_blocking(|| std::fs::File::open(path)).await.unwrap().unwrap();
    drop(running);
    // The pipe ends when nobody has it open any more.
    let read = tokio::task::spawn_blocking(move || std::io::Read::read(&mut alive, &mut [0]));
    assert_eq!(read.await.unwrap().unwrap(), 0);
}
