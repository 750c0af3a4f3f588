//! A registry that lets everybody in.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use cloudpad_plugin_api::{Event, FailureKind};

use crate::support::{Call, Image, Server, docker};

#[test]
fn the_first_push_sends_the_image_and_the_second_nothing() {
    let (server, image) = (Server::open(), Image::new(200_000));
    let call = Call::to(&server.address);
    let first = call.push(&image.reference).unwrap();
    assert!((200_000..300_000).contains(&first.sent.unwrap()), "{:?}", first.sent);
    let expected = format!("{}/team/x/{}@sha256:", server.address, image.name);
    assert!(first.reference.starts_with(&expected), "{}", first.reference);
    assert!(server.has(&format!("team/x/{}", image.name)));
    let again = Call::to(&server.address);
    let second = again.push(&image.reference).unwrap();
    assert_eq!((second.reference, second.sent), (first.reference, Some(0)));
    let bytes = |event: &Event| matches!(event, Event::Progress(p) if p.done > 0 && p.unit == "bytes");
    assert!(call.events().iter().any(bytes) && !again.events().iter().any(bytes));
}

#[test]
fn what_was_pushed_can_be_pulled_by_its_reference() {
    let (server, image) = (Server::open(), Image::new(1000));
    let pushed = Call::to(&server.address).push(&image.reference).unwrap();
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", &image.reference]);
    docker(&["rmi", &image.reference]);
    docker(&["pull", "--quiet", &pushed.reference]);
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Id}}", &pushed.reference]), id);
    docker(&["rmi", &pushed.reference]);
}

#[test]
fn a_changed_top_layer_sends_about_that_layer() {
    let (server, base) = (Server::open(), Image::new(2_000_000));
    let (one, two) = (base.with_layer(50_000), base.with_layer(60_000));
    let call = Call::to(&server.address);
    assert!(call.push(&one.reference).unwrap().sent > Some(2_000_000));
    let sent = call.push(&two.reference).unwrap().sent.unwrap();
    assert!((60_000..100_000).contains(&sent), "{sent}");
}

#[test]
fn people_find_it_by_its_release() {
    let (server, image) = (Server::open(), Image::new(1000));
    let release = "20260131T235959Z-4b825dc";
    docker(&["tag", &image.reference, &format!("{}:{release}", image.name)]);
    docker(&["tag", &image.reference, &format!("{}:mine", image.name)]);
    let pushed = Call::to(&server.address).push(&image.reference).unwrap();
    let repository = format!("team/x/{}", image.name);
    assert_eq!(server.tags(&repository), [release, "content"]);
    assert!(image.references().iter().all(|name| !name.starts_with(&server.address)));
    assert!(pushed.reference.contains("@sha256:"), "{}", pushed.reference);
    docker(&["rmi", &format!("{}:{release}", image.name), &format!("{}:mine", image.name)]);
}

#[test]
fn the_image_keeps_only_its_own_name() {
    let (server, image) = (Server::open(), Image::new(1000));
    Call::to(&server.address).push(&image.reference).unwrap();
    assert_eq!(image.references(), [image.reference.as_str()]);
}

#[test]
fn a_name_that_the_user_has_given_is_kept() {
    let (server, image) = (Server::open(), Image::new(1000));
    let name = format!("{}/team/x/{}", server.address, image.reference);
    docker(&["tag", &image.reference, &name]);
    Call::to(&server.address).push(&image.reference).unwrap();
    assert!(image.references().contains(&name));
    docker(&["rmi", &name]);
}

#[test]
fn what_the_registry_has_need_not_be_here() {
    let (server, image) = (Server::open(), Image::new(1000));
    let call = Call::to(&server.address);
    let pushed = call.push(&image.reference).unwrap();
    docker(&["rmi", &image.reference]);
    assert_eq!(call.push(&image.reference).unwrap().reference, pushed.reference);
}

#[test]
fn an_image_that_is_not_here_is_named() {
    let server = Server::open();
    let failure = Call::to(&server.address).push("cloudpad-registry-test-none:1").unwrap_err();
    assert!(failure.message.starts_with("could not push `cloudpad-registry-test-none:1`: "), "{failure}");
    assert!(failure.message.to_lowercase().contains("no such image"), "{failure}");
}

#[test]
fn a_registry_that_is_down_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let image = Image::new(1000);
    let failure = Call::to(&format!("127.0.0.1:{port}")).push(&image.reference).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.retryable && failure.message.contains("connection refused"), "{failure}");
    let failure = Call::to(&format!("127.0.0.1:{port}")).push("cloudpad-registry-test-none:1").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "the registry may have it");
    assert_eq!(image.references(), [image.reference.as_str()]);
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    for config in [
        serde_json::Value::Null,
        serde_json::json!({ "registry": "https://127.0.0.1:5000" }),
        serde_json::json!({ "registry": "127.0.0.1:5000", "insecure": true }),
    ] {
        assert_eq!(Call::new(config).push("a:1").unwrap_err().kind, FailureKind::Invalid);
    }
}

/// A registry that has no image and never answers when it is asked about a layer: its address, and when
/// that happens.
fn stalling() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = channel();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            thread::spawn(move || answer(connection, &tell));
        }
    });
    (address, told)
}

fn answer(mut connection: TcpStream, tell: &Sender<()>) {
    let mut request = [0; 4096];
    while let Ok(length @ 1..) = connection.read(&mut request) {
        let request = String::from_utf8_lossy(&request[..length]);
        let unknown = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        let (status, body) = match request.split(' ').nth(1).unwrap() {
            "/v2/" => ("200 OK", ""),
            path if path.contains("/manifests/") => ("404 Not Found", unknown),
            _ => {
                tell.send(()).unwrap();
                // Until the other side is gone.
                let _ = connection.read(&mut [0]);
                return;
            }
        };
        let body = if request.starts_with("HEAD") { "" } else { body };
        let head = "Docker-Distribution-Api-Version: registry/2.0\r\nContent-Type: application/json";
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        connection.write_all(answer.as_bytes()).unwrap();
    }
}

#[test]
fn cancelling_ends_the_push_and_leaves_no_name() {
    let (address, stalled) = stalling();
    let image = Image::new(1000);
    let call = Call::to(&address);
    let failure = thread::scope(|scope| {
        let push = scope.spawn(|| call.push(&image.reference));
        stalled.recv_timeout(Duration::from_secs(60)).unwrap();
        call.cancel.cancel();
        push.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Cancelled);
    assert_eq!(image.references(), [image.reference.as_str()]);
}
