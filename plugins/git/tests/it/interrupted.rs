//! What an interrupted run leaves behind does not stop the next one.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::wire::{Call, FromHost, HostHello, MAX_LINE, PROTOCOL};
use cloudpad_plugin_api::{FailureKind, Request};

use crate::serve;
use crate::support::{self, Repo, Sourced};

/// For what is awaited and must happen.
const SOON: Duration = Duration::from_secs(60);

/// A repository whose transfer takes more than one breath.
fn large() -> Repo {
    let repo = Repo::new();
    let noise: Vec<u8> =
        (0u64..200_000).flat_map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    fs::write(repo.path().join("noise"), noise).unwrap();
    repo.commit("a", "large");
    repo
}

/// The provider as a program of its own.
fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cloudpad-git"))
}

/// A call to that program that goes on while the child is kept.
fn begin(request: Request) -> Child {
    let mut child =
        program().arg("--cloudpad-plugin").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let (provider, key) = ("git".to_owned(), String::new());
    let (config, secrets) = (serde_json::Value::Null, Values::default());
    let call = Call { id: 1, provider, config, key, secrets, request };
    let hello = HostHello { protocol: PROTOCOL, version: String::new(), max_line: MAX_LINE };
    for message in [FromHost::Hello(hello), FromHost::Call(call)] {
        writeln!(child.stdin.as_mut().unwrap(), "{}", serde_json::to_string(&message).unwrap()).unwrap();
    }
    child
}

#[test]
fn the_repository_of_a_calling_hook_is_forgotten() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let host = TestHost::program("git", || {
        let mut command = program();
        command.env("GIT_DIR", "/nonexistent");
        command
    });
    host.call(Request::SourceFetch(source.fetch_request(&repo.head(), &[]))).end.unwrap();
    assert_eq!(source.read("a").as_deref(), Some("1"));
}

#[test]
fn a_run_that_was_killed_in_mid_transfer_is_made_up_for() {
    let repo = large();
    let (url, stalled) = serve::stalling_daemon(repo.path(), 100_000);
    let mut source = Sourced::new(format!("{url}/.git"));
    let mut killed = begin(Request::SourceFetch(source.fetch_request(&repo.head(), &[])));
    stalled.recv_timeout(SOON).unwrap();
    source.url = repo.url();
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Its git lives on and still has the cache open.
    source.fetch(&repo.head()).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("large"));
}

#[test]
fn cancelling_in_mid_transfer_stops_at_once_and_leaves_the_cache_usable() {
    let repo = large();
    let (url, stalled) = serve::stalling_daemon(repo.path(), 100_000);
    let mut source = Sourced::new(format!("{url}/.git"));
    let call = support::Call::default();
    let failure = thread::scope(|scope| {
        let run = scope.spawn(|| source.fetch_in(&call, &repo.head(), &[]));
        stalled.recv_timeout(SOON).unwrap();
        call.cancel.cancel();
        run.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Cancelled);
    source.url = repo.url();
    source.fetch(&repo.head()).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("large"));
}

#[test]
fn locks_and_damage_are_made_up_for() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    source.fetch(&repo.head()).unwrap();
    let git = source.cache().join("git");
    let damage: [(&str, &dyn Fn()); 5] = [
        ("index lock", &|| fs::write(git.join("index.lock"), "").unwrap()),
        ("shallow lock", &|| fs::write(git.join("shallow.lock"), "").unwrap()),
        ("config lock", &|| fs::write(git.join("config.lock"), "").unwrap()),
        ("no objects", &|| fs::remove_dir_all(git.join("objects")).unwrap()),
        ("empty head", &|| fs::write(git.join("HEAD"), "").unwrap()),
    ];
    for (what, damage) in damage {
        let next = repo.commit("a", what);
        damage();
        source.fetch(&next).unwrap_or_else(|failure| panic!("{what}: {failure}"));
        assert_eq!(source.read("a").as_deref(), Some(what));
    }
}

#[test]
fn a_tree_that_was_not_finished_is_not_taken_for_complete() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    source.fetch(&repo.head()).unwrap();
    fs::remove_file(source.cache().join("complete")).unwrap();
    fs::remove_file(source.cache().join("tree/a")).unwrap();
    source.fetch(&repo.head()).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("1"));
    fs::remove_dir_all(source.cache().join("tree")).unwrap();
    source.fetch(&repo.head()).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("1"));
}
