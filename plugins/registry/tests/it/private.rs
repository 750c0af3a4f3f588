//! A registry that asks who is there. Each push is a process of its own, with a Docker configuration of
//! its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use cloudpad_plugin_api::stage::push::Pushed;
use cloudpad_plugin_api::{Failure, FailureKind};
use tempfile::TempDir;

use crate::support::{Image, Server};

/// The base64 form of `ann:right`, and of the same with another password.
const RIGHT: &str = "YW5uOnJpZ2h0";
const WRONG: &str = "YW5uOndyb25n";

/// A Docker configuration.
fn config(json: &serde_json::Value) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.json"), json.to_string()).unwrap();
    dir
}

fn login(server: &Server, auth: &str) -> TempDir {
    config(&serde_json::json!({ "auths": { (&server.address): { "auth": auth } } }))
}

fn push(server: &Server, image: &Image, config: &TempDir) -> Result<Pushed, Failure> {
    let program = std::env::current_exe().unwrap();
    let program: PathBuf = program.ancestors().nth(2).unwrap().join("examples/registry_push");
    assert!(
        program.exists(),
        "the example is built by `cargo test -p cloudpad-registry`, but not with `--test`"
    );
    let path = format!("{}:{}", config.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(program);
    command.args([&server.address, "team", &image.reference]);
    command.env("DOCKER_CONFIG", config.path()).env("PATH", path);
    let answer: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    match answer.get("pushed") {
        Some(pushed) => Ok(serde_json::from_value(pushed.clone()).unwrap()),
        None => Err(serde_json::from_value(answer["failure"].clone()).unwrap()),
    }
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
        fs::write(&helper, "#!/bin/sh\nread server\necho '{\"Username\":\"ann\",\"Secret\":\"right\"}'\n")
            .unwrap();
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
