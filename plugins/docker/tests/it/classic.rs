//! An engine without BuildKit: this machine's, behind a door that does not know `/grpc`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use cloudpad_docker::Docker;
use cloudpad_engine::{DEFAULT_SOCKET, Endpoint};
use cloudpad_plugin_api::stage::build::{Arg, SecretSource};
use cloudpad_plugin_api::{Event, FailureKind, Level};

use crate::support::Project;

/// The same project with an engine that has no BuildKit.
fn without_buildkit(mut project: Project) -> Project {
    let socket =
        project.path().join("../").canonicalize().unwrap().join(format!("{}.sock", project.recipe.name));
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(|| serve(stream.unwrap()));
        }
    });
    project.docker = Docker::at(Endpoint::Unix(socket.to_str().unwrap().to_owned()));
    project
}

fn serve(mut client: UnixStream) {
    let mut head = vec![0; 16];
    if client.read_exact(&mut head).is_err() {
        return;
    }
    if head.starts_with(b"POST /grpc") || head.starts_with(b"POST /session") {
        let _ = client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        return;
    }
    let mut engine = UnixStream::connect(DEFAULT_SOCKET).unwrap();
    let _ = engine.write_all(&head);
    let (mut from, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut engine, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
}

#[test]
fn the_classic_builder_takes_over_and_it_is_said() {
    let mut project = without_buildkit(Project::new(
        "classic",
        "FROM BASE AS one\nARG WHO\nCOPY . /app\nRUN echo \"for $WHO\" | busybox tee /who\nFROM one\nRUN echo more\n",
    ));
    project.write(".dockerignore", "*\n!keep\n");
    project.write("keep/a", "a");
    project.write("drop", "");
    std::os::unix::fs::symlink("a", project.path().join("keep/link")).unwrap();
    project.recipe.target = Some("one".into());
    project.recipe.labels = BTreeMap::from([("l".into(), "v".into())]);
    project.arg("WHO", Arg::Value("us".into()));
    let built = project.build();
    assert!(!built.cached && built.id.starts_with("sha256:"));
    assert_eq!(
        project.in_container("cat /who; find /app | busybox sort"),
        "for us\n/app\n/app/keep\n/app/keep/a\n/app/keep/link\n"
    );
    let warned = project.events().iter().any(
        |event| matches!(event, Event::Log { level: Level::Warn, message } if message.contains("no BuildKit")),
    );
    assert!(warned, "{:?}", project.events());
    let printed = |(step, line): &(String, String)| step.contains("RUN echo") && line == "for us";
    assert!(project.output().iter().any(printed), "{:?}", project.output());
}

#[test]
fn it_gets_a_dockerfile_from_elsewhere_and_copy_does_not_see_it() {
    let mut project = without_buildkit(Project::new("classicelse", "FROM BASE\nCOPY . /app\n"));
    project.write("ctx/a", "");
    project.recipe.context = "ctx".into();
    project.recipe.dockerfile = "../Dockerfile".into();
    project.build();
    assert_eq!(project.in_container("ls -A /app"), "a\n");
}

#[test]
fn its_failing_step_is_named_with_its_last_lines() {
    let project = without_buildkit(Project::new("classicfail", "FROM BASE\nRUN seq 1 50; exit 3\n"));
    let failure = project.try_build().unwrap_err();
    assert!(failure.message.contains("RUN seq 1 50") && failure.message.contains('3'), "{failure:#?}");
    assert_eq!(failure.causes.last().unwrap(), "50");
}

#[test]
fn what_needs_buildkit_is_refused() {
    let mut project = without_buildkit(Project::new("classicno", "FROM BASE\n"));
    project.write("../value-of-secret", "v");
    let source = SecretSource::File(project.path().join("../value-of-secret"));
    project.recipe.secrets = BTreeMap::from([("s".into(), source)]);
    project.recipe.cache_to = Some("inline".into());
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("`secrets` and `cache_to`"), "{failure}");
}
