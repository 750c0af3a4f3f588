//! Servers that are known, unknown, or not who they should be.

use std::fs;
use std::process::Command;

use cloudpad_plugin_api::{Cancel, Failure, FailureKind};
use cloudpad_transport::{Options, connect};

use crate::server::Server;

fn fingerprint(server: &Server, key: &str) -> String {
    let output =
        Command::new("ssh-keygen").arg("-lf").arg(server.path(&format!("{key}.pub"))).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[track_caller]
fn assert_says(failure: &Failure, words: &[&str]) {
    let text = format!("{failure} hint: {}", failure.hint.as_deref().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert_eq!(failure.host.as_deref(), Some("srv"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_is_refused_and_the_hint_accepts_it() {
    let server = Server::start();
    let file = format!("UserKnownHostsFile {}", server.path("new/known_hosts").display());
    let failure = server.failure(&format!("StrictHostKeyChecking no\n{file}")).await;
    assert_says(&failure, &["is not known", "`ssh-ed25519`", &fingerprint(&server, "host_ed25519")]);
    let hint = failure.hint.unwrap();
    assert!(hint.contains("then accept it: `cloudpad hosts trust`, or `mkdir "), "{hint}");
    let unlisted = Options { unlisted: true, ..server.options(&file) };
    let unlisted = connect(&server.host(), &unlisted, &Cancel::new()).await.err().unwrap().hint.unwrap();
    assert!(unlisted.contains("then accept it: `mkdir "), "{unlisted}");
    let command = hint.split('`').find(|part| part.starts_with("mkdir ")).unwrap();
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
    server.connect_with(&file).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_is_refused_with_the_place_of_the_old_one() {
    let server = Server::start();
    let other = Server::start();
    server.know(&format!("# old\n[127.0.0.1]:{} {}", server.port, other.public("host_ed25519")));
    let place = format!("{}:2", server.path("known_hosts").display());
    let trust = "accept it: `cloudpad hosts trust --replace NAME`; or remove the old key: `ssh-keygen -R";
    let failure = server.failure("").await;
    assert_says(&failure, &["has changed", &place, &fingerprint(&server, "host_ed25519"), trust]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_although_it_is_known() {
    let server = Server::start();
    let known = server.known_hosts("ed25519");
    server.know(&format!("{known}\n@revoked * {}", server.public("host_ed25519")));
    let place = format!("{}:2", server.path("known_hosts").display());
    assert_says(&server.failure("").await, &["is revoked", &place]);

    server.know(&known);
    fs::copy(server.path("host_ed25519.pub"), server.path("revoked")).unwrap();
    let revoked = server.path("revoked").display().to_string();
    assert_says(&server.failure(&format!("RevokedHostKeys {revoked}")).await, &["is revoked", &revoked]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_authority_alone_is_not_enough() {
    let server = Server::start();
    server.know(&format!("@cert-authority * {}", server.public("client")));
    assert_says(&server.failure("").await, &["is not known", "certificates are not supported"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_shows_the_key_that_is_known_of_it() {
    for known in ["ed25519", "ecdsa", "rsa"] {
        let server = Server::with(&["rsa", "ed25519", "ecdsa"], "");
        server.know(&server.known_hosts(known));
        server.connect().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_type_than_the_known_one_is_told() {
    let server = Server::with(&["ecdsa"], "");
    server.know(&format!("[127.0.0.1]:{} {}", server.port, server.public("client")));
    assert_says(&server.failure("").await, &["is not known", "`ecdsa-sha2-nistp256`", "of another type"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashed_names_and_aliases_are_found() {
    let server = Server::start();
    let hashed =
        Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(server.path("known_hosts")).output().unwrap();
    assert!(hashed.status.success());
    assert!(fs::read_to_string(server.path("known_hosts")).unwrap().starts_with("|1|"));
    server.connect().await;

    server.know(&format!("the-server {}", server.public("host_ed25519")));
    assert_says(&server.failure("").await, &["is not known"]);
    server.connect_with("HostKeyAlias the-server").await.unwrap();
}
