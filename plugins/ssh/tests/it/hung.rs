//! An engine that hangs while its host is well.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{Deploy, Observe};
use cloudpad_plugin_api::{Cancel, Context, FailureKind};
use cloudpad_ssh::Deployer;
use serde_json::json;

/// What the engine was asked.
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers one look, and hangs from then on.
fn answer(stream: UnixStream, asked: &Asked) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or_default() == 0 {
                return;
            }
        }
        let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
        let asked_before = {
            let mut asked = asked.lock().unwrap();
            asked.push(path.clone());
            asked.len() - 1
        };
        let body = if path == "/version" { r#"{"ApiVersion":"1.41"}"# } else { "[]" };
        if asked_before < 3 {
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
            write!(writer, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        }
    }
}

#[test]
fn a_hung_engine_is_asked_once_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = Asked::default();
    let engine = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let engine = engine.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &engine));
        }
    });
    let cx = Context::new(json!({ "socket": socket }), Arc::new(|_| {}), Cancel::new());
    let project = Project { name: "shop".into(), environment: None };
    let request = Observe {
        host: Host::new("web7", Host::LOCAL).into(),
        project: project.into(),
        connects: false,
        releases: false,
        checks: None,
    };
    Deployer.observe(&cx, &request).unwrap();
    let failure = Deployer.observe(&cx, &request).unwrap_err();
    assert_eq!((failure.kind, failure.host.as_deref()), (FailureKind::Unreachable, Some("web7")));
    assert!(failure.message.contains("the engine of `web7` does not answer"), "{failure}");
    assert!(failure.message.contains("for 15 s"), "{failure}");
    assert!(failure.hint.is_some());
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, ["/version", "/containers/json", "/images/json", "/containers/json", "/_ping"]);
}
