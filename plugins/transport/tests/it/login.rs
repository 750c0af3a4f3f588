//! Who is let in, with which key, and what is said to whom is not.

use std::process::{Child, Command, Stdio};

use cloudpad_plugin_api::{Failure, FailureKind};

use crate::server::{Server, keygen};

#[track_caller]
fn assert_says(failure: &Failure, words: &[&str]) {
    let text = format!("{failure} hint: {}", failure.hint.as_deref().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert_eq!(failure.kind, FailureKind::Unreachable);
}

/// An agent that ends with the test.
struct Agent(Child);

impl Agent {
    async fn start(server: &Server) -> Self {
        let socket = server.path("agent");
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent = Self(agent.expect("ssh-agent is installed"));
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            tokio::task::yield_now().await;
        }
        agent
    }

    fn add(&self, server: &Server, key: &str) {
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(server.path(key))
            .env("SSH_AUTH_SOCK", server.path("agent"))
            .status();
        assert!(added.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_each_type_open_the_door() {
    let server = Server::start();
    for args in [
        ["-t", "ecdsa", "-b", "384"].as_slice(),
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "ecdsa", "-m", "PEM"],
    ] {
        let name = args.concat();
        keygen(&server.path(&name), &[&["-N", ""], args].concat());
        server.authorize(&name);
        let line = format!("IdentityFile {}", server.path(&name).display());
        server.connect_with(&line).await.unwrap_or_else(|failure| panic!("{args:?}: {failure}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_named() {
    let server = Server::start();
    keygen(&server.path("other"), &["-N", "", "-t", "ed25519"]);
    server.authorize("other");
    let tried = format!("tried `{}`", server.path("client").display());
    assert_says(&server.failure("").await, &["did not let", &tried, "authorized_keys", "there is no agent"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_key_is_asked_to_be_put_into_the_agent() {
    let server = Server::start();
    keygen(&server.path("locked"), &["-N", "secret", "-t", "ed25519"]);
    server.authorize("locked");
    let path = server.path("locked").display().to_string();
    let failure = server.failure(&format!("IdentityFile {path}")).await;
    assert_says(&failure, &["is encrypted", &format!("`ssh-add {path}`")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_opens_the_door() {
    let server = Server::start();
    let agent = Agent::start(&server).await;
    for key_type in ["ed25519", "rsa", "ecdsa"] {
        keygen(&server.path(key_type), &["-N", "", "-t", key_type]);
        server.authorize(key_type);
        agent.add(&server, key_type);
        let line = format!("IdentityFile none\nIdentityAgent {}", server.path("agent").display());
        server.connect_with(&line).await.unwrap_or_else(|failure| panic!("{key_type}: {failure:#?}"));
    }
}

/// The server allows two tries, the agent holds six keys, and the right one is the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_keys_that_are_meant_are_offered() {
    let server = Server::with(&["ed25519"], "MaxAuthTries 2");
    let agent = Agent::start(&server).await;
    for number in 0..5 {
        let name = format!("other{number}");
        keygen(&server.path(&name), &["-N", "", "-t", "ed25519"]);
        agent.add(&server, &name);
    }
    agent.add(&server, "client");
    let socket = server.path("agent").display().to_string();
    // The agent holds the key, its private half is gone.
    std::fs::rename(server.path("client"), server.path("elsewhere")).unwrap();
    server.connect_with(&format!("IdentityAgent {socket}")).await.unwrap();
    server.connect_with(&format!("IdentityAgent {socket}\nIdentitiesOnly yes")).await.unwrap();
    std::fs::rename(server.path("client.pub"), server.path("elsewhere.pub")).unwrap();
    let failure = server.failure(&format!("IdentityAgent {socket}")).await;
    assert_says(&failure, &["ended the connection while"]);
    let failure = server.failure(&format!("IdentityAgent {socket}\nIdentitiesOnly yes")).await;
    assert_says(&failure, &["did not let"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_agent_does_not_keep_us_from_key_files() {
    let server = Server::start();
    server.connect_with("IdentityAgent /nowhere/agent").await.unwrap();
    server.authorize("host_ed25519");
    assert_says(&server.failure("IdentityAgent /nowhere/agent").await, &["the agent does not answer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_said_not_to_be_supported() {
    let server = Server::with(&["ed25519"], "PubkeyAuthentication no\nMatch all\nPasswordAuthentication yes");
    assert_says(&server.failure("").await, &["did not let", "only keys are supported, not passwords"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_file_that_is_broken_is_named() {
    let server = Server::start();
    let path = server.path("broken");
    let text = std::fs::read_to_string(server.path("client")).unwrap();
    std::fs::write(&path, text.replace("\n", "").replace("KEY-----", "KEY-----\nAAAA")).unwrap();
    server.authorize("host_ed25519");
    let failure = server.failure(&format!("IdentityFile {}", path.display())).await;
    assert_says(&failure, &[&format!("tried `{}`, which cannot be used", path.display())]);
}
