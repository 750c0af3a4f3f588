//! Commands in containers, and one-off containers, with their streams and terminals.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use cloudpad_plugin_api::frames::resize;
use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::stage::deploy::{Deploy, Exec, Executed, Named, Run};
use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_ssh::Deployer;

use crate::remote;
use crate::streams::{Listening, Streams};
use crate::world::World;

const SIZE: TerminalSize = TerminalSize { rows: 33, columns: 77 };

/// A script that waits until its terminal has this size. An engine before 23 tells it only once the process runs.
fn sized(size: &str) -> String {
    format!("until [ \"$(stty size)\" = \"{size}\" ]; do sleep 0.1; done 2>/dev/null; echo {size}")
}

fn exec(world: &World, container: &str, script: &str) -> Exec {
    Exec {
        host: world.host.clone(),
        project: world.project.clone().into(),
        container: Named { id: None, name: container.to_owned() },
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        tty: None,
        env: Default::default(),
        user: None,
        workdir: None,
        stream: None,
    }
}

fn run(world: &World, request: &Exec) -> Result<i64, Failure> {
    Deployer.exec(&world.context(), request).map(|Executed { exit_code }| exit_code)
}

/// A world with a container that does nothing.
fn idle(name: &str) -> (Arc<World>, String) {
    let world = World::new(name);
    let container = world.run("web", world.script("exec sleep 600"));
    (world.into(), container)
}

fn streaming(world: &Arc<World>, mut request: Exec) -> (Streams, JoinHandle<Result<i64, Failure>>) {
    let listening = Listening::new();
    request.stream = listening.path();
    let world = world.clone();
    let running = thread::spawn(move || run(&world, &request));
    (listening.accept(), running)
}

#[test]
fn a_commands_lines_are_told_and_its_exit_code() {
    let (world, container) = idle("exec");
    let mut request = exec(&world, &container, "echo $A; echo two >&2; pwd; cat; exit 7");
    request.env = [("A".to_owned(), "one".to_owned())].into();
    request.workdir = Some("/www".into());
    assert_eq!(run(&world, &request).unwrap(), 7);
    let mut lines = world.lines();
    lines.sort();
    assert_eq!(lines, ["/www", "one", "two"]);
}

#[test]
fn input_and_both_outputs_go_their_own_ways() {
    let (world, container) = idle("exec-pipes");
    let (mut streams, running) =
        streaming(&world, exec(&world, &container, "echo begun; cat; echo done >&2; exit 3"));
    streams.await_text("begun\n");
    streams.send(b"one\n");
    streams.await_text("one\n");
    streams.send(&[b'x'; 300_000]);
    streams.send(b"");
    let (out, err) = streams.finish();
    assert_eq!((out.len(), err.as_str()), ("begun\none\n".len() + 300_000, "done\n"));
    assert_eq!(running.join().unwrap().unwrap(), 3);
}

#[test]
fn a_terminal_has_a_size_that_changes() {
    let (world, container) = idle("exec-tty");
    let script = format!("{}; {}; read line; echo \"<$line>\"; exit 4", sized("33 77"), sized("50 200"));
    let mut request = exec(&world, &container, &script);
    request.tty = Some(SIZE);
    let (mut streams, running) = streaming(&world, request);
    streams.await_text("33 77\r\n");
    streams.send_raw(&resize(TerminalSize { rows: 50, columns: 200 }));
    streams.await_text("50 200\r\n");
    streams.send(b"hello\n");
    let (out, err) = streams.finish();
    assert!(out.contains("50 200\r\n") && out.ends_with("<hello>\r\n") && err.is_empty(), "{out:?}");
    assert_eq!(running.join().unwrap().unwrap(), 4);
}

#[test]
fn what_cannot_run_is_told() {
    let (world, container) = idle("exec-refused");
    let gone = run(&world, &exec(&world, "cpt-none", "true")).unwrap_err();
    assert_eq!(
        (gone.kind, gone.message.as_str()),
        (FailureKind::Stale, "there is no container `cpt-none` any more")
    );
    let mut request = exec(&world, &container, "");
    request.command = vec!["/no/such/program".into()];
    // Engines differ: they refuse, or run something that says so.
    match run(&world, &request) {
        Ok(code) => assert!(matches!(code, 126 | 127), "{code}"),
        Err(failure) => assert!(failure.message.contains("/no/such/program"), "{failure}"),
    }
    request.stream = Some("/no/such/stream".into());
    let failure = run(&world, &request).unwrap_err();
    assert!(failure.message.starts_with("cannot connect to the stream `/no/such/stream`"), "{failure}");
    world.stop(&container).unwrap();
    let stopped = run(&world, &exec(&world, &container, "true")).unwrap_err();
    assert!(stopped.kind == FailureKind::Failed && stopped.message.contains("not running"), "{stopped}");
    world.foreign(&format!("{container}-foreign"));
    let foreign = run(&world, &exec(&world, &format!("{container}-foreign"), "true")).unwrap_err();
    assert_eq!(foreign.kind, FailureKind::Stale);
}

#[test]
fn a_caller_that_is_gone_is_not_waited_for() {
    let (world, container) = idle("exec-gone");
    let (mut streams, running) = streaming(&world, exec(&world, &container, "echo begun; exec sleep 600"));
    streams.await_text("begun");
    streams.hang_up();
    assert_eq!(running.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
}

fn once(world: &Arc<World>, mut request: Run) -> (Streams, JoinHandle<Result<i64, Failure>>) {
    let listening = Listening::new();
    request.stream = listening.path();
    let world = world.clone();
    let running = thread::spawn(move || world.run_once(&request).map(|ran| ran.exit_code));
    (listening.accept(), running)
}

#[test]
fn a_one_off_container_has_streams_and_a_terminal_too() {
    let world = Arc::new(World::new("once-streams"));
    let script = "echo begun; cat; echo done >&2; exit 3";
    let (mut streams, running) = once(&world, world.run_request("job", script));
    streams.await_text("begun\n");
    streams.send(b"one\n");
    streams.send(b"");
    assert_eq!(streams.finish(), ("begun\none\n".to_owned(), "done\n".to_owned()));
    assert_eq!(running.join().unwrap().unwrap(), 3);

    let mut request =
        world.run_request("tty", &format!("{}; read line; echo \"<$line>\"; exit 4", sized("33 77")));
    request.tty = Some(SIZE);
    let (mut streams, running) = once(&world, request);
    streams.await_text("33 77\r\n");
    streams.send(b"hello\n");
    assert!(streams.finish().0.ends_with("<hello>\r\n"));
    assert_eq!(running.join().unwrap().unwrap(), 4);
    assert!(world.observe().one_offs.is_empty());

    let (mut streams, running) = once(&world, world.run_request("gone", "echo begun; exec sleep 600"));
    streams.await_text("begun");
    streams.hang_up();
    assert_eq!(running.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
    assert!(world.observe().one_offs.is_empty(), "it is cleared away");
}

#[test]
fn streams_go_over_ssh() {
    for host in ["h1", "h3"] {
        let world = remote::world("exec-ssh", host);
        remote::push(&world);
        let world = Arc::new(world);
        let mut request = world.run_request("job", &format!("{}; cat; exit 5", sized("33 77")));
        request.tty = Some(SIZE);
        let (mut streams, running) = once(&world, request);
        streams.await_text("33 77");
        streams.send(b"hello\n\x04");
        assert!(streams.finish().0.contains("hello"), "{host}");
        assert_eq!(running.join().unwrap().unwrap(), 5, "{host}");
        let container = world.run("web", world.script("exec sleep 600"));
        let (mut streams, running) = streaming(&world, exec(&world, &container, "cat; exit 6"));
        streams.send(b"one");
        streams.send(b"");
        assert_eq!(streams.finish().0, "one", "{host}");
        assert_eq!(running.join().unwrap().unwrap(), 6, "{host}");
        world.stop(&container).unwrap();
        world.remove(&[&container], &[&world.image]).unwrap();
    }
}
