//! Registries and networks in trouble.

use std::process::Command;

use cloudpad_engine::Access;
use cloudpad_engine::bollard::auth::DockerCredentials;
use cloudpad_engine::refusal::explain;
use cloudpad_plugin_api::{Event, FailureKind, Level, Outcome};
use serde_json::{Value, json};

use crate::proxy::Proxy;
use crate::support::{Call, Image, Server, docker};

/// More often than anybody tries.
const ALWAYS: u32 = 1000;
const LOOK: &str = "^(HEAD|GET) /v2/.*/manifests/";

fn limited(times: u32) -> Value {
    json!([{ "on": LOOK, "times": times, "do": "status", "status": 429, "headers": { "Retry-After": "1" },
             "body": r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"you have reached your pull rate limit"}]}"# }])
}

fn broken(on: &str, times: u32, status: u16) -> Value {
    json!([{ "on": on, "times": times, "do": "status", "status": status, "body": "" }])
}

fn warned(call: &Call, words: &str) -> bool {
    let is = |event: &Event| matches!(event, Event::Log { level: Level::Warn, message } if message.contains(words));
    call.events().iter().any(is)
}

#[test]
fn a_limit_is_told_with_what_to_do() {
    let (server, image) = (Server::open(), Image::new(1000));
    let proxy = Proxy::before(&server.address, &limited(ALWAYS));
    let failure = Call::to(&proxy.address).push(&image.reference).unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Unreachable, Outcome::None));
    assert!(failure.retryable, "{failure}");
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("limits how often")), "{failure}");
    assert!((2..20).contains(&proxy.requests().len()), "{:?}", proxy.requests());
    assert_eq!(image.references(), [image.reference.as_str()]);
}

#[test]
fn what_passes_is_waited_for() {
    let (server, image) = (Server::open(), Image::new(1000));
    // The engine asks twice for what it looks for.
    for faults in [limited(2), broken(LOOK, 2, 500), broken(LOOK, 2, 503)] {
        let proxy = Proxy::before(&server.address, &faults);
        let call = Call::to(&proxy.address);
        call.push(&image.reference).unwrap();
        assert!(warned(&call, "trying again in"), "{:?}", call.events());
    }
}

#[test]
fn what_does_not_pass_is_told_as_it_is() {
    let (server, image) = (Server::open(), Image::new(1000));
    let proxy = Proxy::before(&server.address, &broken(LOOK, ALWAYS, 500));
    let failure = Call::to(&proxy.address).push(&image.reference).unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Unreachable, Outcome::None));
    assert!(failure.message.contains("could not look for") && failure.message.contains("500"), "{failure}");
    assert_eq!(image.references(), [image.reference.as_str()]);
}

#[test]
fn a_refusal_in_the_middle_leaves_no_image() {
    let (server, image) = (Server::open(), Image::new(1000));
    let proxy = Proxy::before(&server.address, &broken("^POST .*/blobs/uploads/", ALWAYS, 401));
    let failure = Call::to(&proxy.address).push(&image.reference).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("docker login")), "{failure}");
    assert!(!server.has(&format!("team/x/{}", image.name)), "half an image has a name");
}

#[test]
fn an_upload_that_is_cut_off_is_repeated_and_whole() {
    let (server, image) = (Server::open(), Image::new(300_000));
    let faults = json!([{ "on": "^PATCH ", "times": 1, "do": "close" }]);
    let proxy = Proxy::before(&server.address, &faults);
    let pushed = Call::to(&proxy.address).push(&image.reference).unwrap();
    assert!(proxy.requests().iter().any(|line| line.starts_with("PATCH ") && line.ends_with("closed 0")));
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", &image.reference]);
    docker(&["rmi", &image.reference]);
    docker(&["pull", "--quiet", &pushed.reference]);
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Id}}", &pushed.reference]), id);
    docker(&["rmi", &pushed.reference]);
}

#[test]
fn a_manifest_that_comes_in_half_is_asked_for_again() {
    let (server, image) = (Server::open(), Image::new(1000));
    let first = Call::to(&server.address).push(&image.reference).unwrap();
    let faults = json!([{ "on": "^GET .*/manifests/", "times": 1, "do": "truncate" }]);
    let proxy = Proxy::before(&server.address, &faults);
    let again = Call::to(&proxy.address).push(&image.reference).unwrap();
    assert_eq!(again.sent, Some(0));
    let digest = |reference: &str| reference.split('@').nth(1).map(str::to_owned);
    assert_eq!(digest(&again.reference), digest(&first.reference));
}

#[test]
fn what_was_changed_on_its_way_is_not_taken() {
    let (server, image) = (Server::open(), Image::new(100_000));
    let pushed = Call::to(&server.address).push(&image.reference).unwrap();
    docker(&["rmi", &image.reference]);
    for on in ["^GET .*/manifests/", "^GET .*/blobs/"] {
        let faults = json!([{ "on": on, "times": ALWAYS, "do": "change" }]);
        let proxy = Proxy::before(&server.address, &faults);
        let reference = pushed.reference.replace(&server.address, &proxy.address);
        let pulled = Command::new("docker").args(["pull", "--quiet", &reference]).output().unwrap();
        let said = String::from_utf8_lossy(&pulled.stderr).into_owned();
        assert!(!pulled.status.success(), "{on}");
        let access = Access { credentials: DockerCredentials::default(), who: String::new() };
        let hint = explain("could not pull", &said, "pull", &proxy.address, &access).failure.hint;
        assert!(hint.is_some_and(|hint| hint.contains("changes what it sends")), "{on}: {said}");
        let there = Command::new("docker").args(["image", "inspect", &reference]).output().unwrap();
        assert!(!there.status.success(), "{on}: half an image is there");
    }
}

#[test]
fn a_layer_that_another_repository_has_is_not_sent() {
    let (server, base) = (Server::open(), Image::new(500_000));
    let top = base.with_layer(50_000);
    let proxy = Proxy::before(&server.address, &json!([]));
    let call = Call::to(&proxy.address);
    call.push(&base.reference).unwrap();
    let before = proxy.bytes();
    let sent = call.push(&top.reference).unwrap().sent.unwrap();
    assert!((50_000..100_000).contains(&sent), "{sent}");
    let bytes = proxy.bytes() - before;
    assert!((50_000..100_000).contains(&bytes), "{bytes}");
    let mounts =
        proxy.requests().into_iter().filter(|line| line.contains("mount=") && line.contains(" 201 "));
    assert_eq!(mounts.count(), 1, "{:?}", proxy.requests());
    assert_eq!(proxy.count("DELETE "), 0);
}
