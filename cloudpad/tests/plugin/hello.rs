//! From the start to the hello.

use cloudpad_plugin_api::FailureKind;

use super::kit::{Bench, ms};

#[test]
fn a_plugin_says_hello_and_ends_with_the_session() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next"));
    assert_eq!((session.hello.name.as_str(), session.hello.provides.len()), ("x", 2));
    drop(session);
    bench.assert_gone();
}

#[test]
fn what_is_no_hello() {
    let cases = [
        (
            "say 'Listening on port 80'",
            "wrote a line that is no message: `Listening on port 80` (standard output is for messages",
        ),
        ("say '{\"t\":\"result\",\"id\":1,\"ok\":{}}'", "began with `result` in place of its hello"),
        ("say '{\"t\":\"hello\",\"protocols\":[1]}'", "said a hello that is none (missing field `name`)"),
        (
            "printf '{\"t\":\"hello\"'; exit 3",
            "ended with exit status 3, within a line that has no end: `{\"t\":\"hello\"`",
        ),
        ("exit 0", "ended with exit status 0"),
        ("echo 'no such zone' >&2; exit 7", "ended with exit status 7\n    stderr: no such zone"),
        ("kill -SEGV $$", "was killed by signal 11 (SIGSEGV)"),
        ("exec >&-; sleep 300", "closed its standard output, and went on running"),
    ];
    for (script, expected) in cases {
        let bench = Bench::with(|limits| limits.drain = ms(300));
        let said = bench.refused(&bench.sh(script));
        let who = format!("plugin `x` (`{}/cloudpad-x`) ", bench.dir().display());
        assert!(said.starts_with(&format!("{who}{expected}")), "{script}: {said}");
        bench.assert_gone();
    }
}

#[test]
fn another_protocol_is_refused_by_both_names() {
    let bench = Bench::new();
    let failure =
        bench.start(&bench.sh("say '{\"t\":\"hello\",\"protocols\":[9],\"more\":{}}'; next")).err().unwrap();
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.ends_with("speaks protocols [9], this cloudpad speaks [1]"), "{failure}");
    assert!(failure.hint.is_some());
    bench.assert_gone();
}

#[test]
fn silence_ends() {
    let bench = Bench::with(|limits| limits.hello = ms(300));
    let said = bench.refused(&bench.sh("sleep 300"));
    assert!(said.contains("did not say hello within 0.3 s\n  hint: run by itself it is no plugin"), "{said}");
    bench.assert_gone();
}

#[test]
fn who_ignores_everything_is_killed() {
    let bench = Bench::with(|limits| (limits.hello, limits.term) = (ms(500), ms(100)));
    let said = bench.refused(&bench.sh("trap '' TERM INT HUP; sleep 300; sleep 300; sleep 300"));
    assert!(said.contains("did not say hello within 0.5 s"), "{said}");
    bench.assert_gone();
}

#[test]
fn a_start_is_cancelled() {
    let (bench, cancel) = (Bench::new(), cloudpad_plugin_api::Cancel::new());
    let plugin = bench.sh("mkfifo BENCH/up; echo >BENCH/up; sleep 300"
        .replace("BENCH", bench.dir().to_str().unwrap())
        .as_str());
    let up = bench.dir().join("up");
    assert!(std::process::Command::new("mkfifo").arg(&up).status().unwrap().success());
    let external = bench.external(&plugin);
    std::thread::scope(|scope| {
        let hello = scope.spawn(|| external.hello(&cancel));
        std::fs::read(&up).unwrap();
        cancel.cancel();
        assert_eq!(hello.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
    });
    bench.assert_gone();
    // It is not the plugin's fault: another time it may start.
    assert!(external.hello(&cancel).unwrap_err().message.starts_with("stopped because the caller"));
}
