//! A registry that asks who is there. Each push is a process of its own, with a Docker configuration of
//! its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use cloudpad_plugin_api::stage::push::{Pushed, Run};
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{Failure, FailureKind, Reply, Request};
use tempfile::TempDir;

use crate::support::{Image, Server};

/// The base64 form of `ann:right`, and of the same with another password.
pub const RIGHT: &str = "YW5uOnJpZ2h0";
pub const WRONG: &str = "YW5uOndyb25n";

/// A Docker configuration.
pub fn config(json: &serde_json::Value) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), json.to_string()).unwrap();
    dir
}

fn login(server: &Server, auth: &str) -> TempDir {
    config(&serde_json::json!({ "auths": { (&server.address): { "auth": auth } } }))
}

fn push(server: &Server, image: &Image, config: &TempDir) -> Result<Pushed, Failure> {
    push_to(&server.address, "team", image, config)
}

/// Pushes as a process of its own with this Docker configuration, in whose folder are credential helpers.
pub fn push_to(registry: &str, namespace: &str, image: &Image, config: &TempDir) -> Result<Pushed, Failure> {
    let run = Run { reference: image.reference.clone(), host: None, similar: Vec::new() };
    match call(registry, namespace, Request::PushRun(run), config)? {
        Reply::Pushed(pushed) => Ok(pushed),
        other => panic!("{other:?}"),
    }
}

/// Asks the same for anything.
pub fn call(registry: &str, namespace: &str, request: Request, config: &TempDir) -> Result<Reply, Failure> {
    let docker = config.path().to_owned();
    let host = TestHost::program("registry", move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad-registry"));
        let path = format!("{}:{}", docker.display(), std::env::var("PATH").unwrap());
        command.env("DOCKER_CONFIG", &docker).env("PATH", path);
        command
    });
    let host = host.config(serde_json::json!({ "registry": registry, "namespace": namespace }));
    host.call(request).end
}

#[test]
fn the_users_own_credentials_are_used() {
    let (server, image) = (Server::private(), Image::new(1000));
    let config = login(&server, RIGHT);
    let pushed = push(&server, &image, &config).unwrap();
    assert!(pushed.sent > Some(0));
    assert_eq!(push(&server, &image, &config).unwrap().sent, Some(0), "looking for it is allowed, too");
}

#[test]
fn a_credential_helper_is_asked() {
    let (server, image) = (Server::private(), Image::new(1000));
    for json in [
        serde_json::json!({ "credHelpers": { (&server.address): "cloudpad-test" } }),
        serde_json::json!({ "credsStore": "cloudpad-test" }),
    ] {
        let config = config(&json);
        let helper = config.path().join("docker-credential-cloudpad-test");
        let knows = format!(
            "#!/bin/sh\nread server\n[ \"$1 $server\" = 'get {}' ] || exit 1\necho '{{\"Username\":\"ann\",\"Secret\":\"right\"}}'\n",
            server.address
        );
        fs::write(&helper, knows).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        push(&server, &image, &config).unwrap();
    }
}

#[test]
fn a_wrong_password_is_told_with_whose_it_is() {
    let (server, image) = (Server::private(), Image::new(1000));
    let failure = push(&server, &image, &login(&server, WRONG)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.causes[0].contains("as user `ann`, from `config.json`"), "{failure}");
    assert!(failure.hint.unwrap().contains(&format!("`docker login {}`", server.address)));
    assert_eq!(image.references(), [image.reference.as_str()]);
}

#[test]
fn without_credentials_it_says_so() {
    let (server, image) = (Server::private(), Image::new(1000));
    let failure = push(&server, &image, &config(&serde_json::json!({}))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.causes[0].contains("without credentials"), "{failure}");
}

#[test]
fn a_credential_helper_that_fails_is_named() {
    let (server, image) = (Server::private(), Image::new(1000));
    let config = config(&serde_json::json!({ "credsStore": "cloudpad-test" }));
    let helper = config.path().join("docker-credential-cloudpad-test");
    fs::write(&helper, "#!/bin/sh\nread server\necho locked >&2\nexit 1\n").unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let failure = push(&server, &image, &config).unwrap_err();
    assert!(failure.to_string().contains("locked"), "{failure}");
}
