//! How plugins end: by themselves, when they are asked to, and when they do not want to.

use std::sync::mpsc::channel;
use std::thread;

use cloudpad_plugin_api::{Cancel, FailureKind, Outcome};

use cloudpad::plugin::session::Unanswered;

use super::kit::{Bench, ask, call, list, messages, ms, nobody, stop, text};

#[test]
fn the_end_of_a_process_is_told_with_what_it_wrote_last() {
    let cases = [
        (
            "echo one >&2; echo two >&2; exit 3",
            "ended with exit status 3 during `deploy.stop`\n    stderr: one\n    stderr: two",
        ),
        ("exit 0", "ended with exit status 0 during `deploy.stop`"),
        ("kill -KILL $$", "was killed by signal 9 (SIGKILL) during `deploy.stop`"),
        (
            "printf '{\"t\":\"resu'; exit 1",
            "ended with exit status 1, within a line that has no end: `{\"t\":\"resu` during",
        ),
    ];
    for (script, expected) in cases {
        let bench = Bench::new();
        let failure = bench.fails(&bench.sh(&format!("hello; next; {script}")));
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Crashed, Outcome::Unknown));
        assert!(text(&failure).contains(expected), "{script}: {}", text(&failure));
        bench.assert_gone();
    }
}

#[test]
fn a_request_that_changes_nothing_leaves_nothing_unknown() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; exit 3"));
    let Err(Unanswered::Failed(failure)) = call(&session, &list()) else { panic!("it answered") };
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Crashed, Outcome::None));
}

#[test]
fn an_answer_before_the_end_counts() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; log a; log b; hosts; exit 3"));
    call(&session, &list()).unwrap();
    call(&session, &list()).unwrap_err();
}

#[test]
fn children_that_keep_its_output_open_are_not_waited_for() {
    let escaped =
        "setsid sh -c 'echo $$ >BENCH/escaped; exec sleep 300' & while [ ! -s BENCH/escaped ]; do :; done;";
    for child in ["sleep 300 &", escaped] {
        let bench = Bench::with(|limits| limits.drain = ms(300));
        let child = child.replace("BENCH", bench.dir().to_str().unwrap());
        let failure = bench.fails(&bench.sh(&format!("hello; next; {child} exit 3")));
        assert!(text(&failure).contains("ended with exit status 3"), "{}", text(&failure));
        bench.assert_gone();
        // Whoever leaves the session leaves our reach; this test tidies up after itself.
        let escaped = std::fs::read_to_string(bench.dir().join("escaped")).unwrap_or_default();
        for pid in escaped.lines() {
            assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        }
    }
}

/// Cancels a call once it is under way, and returns what comes of it.
fn cancelled(bench: &Bench, script: &str) -> Result<cloudpad_plugin_api::Reply, Unanswered> {
    let session = bench.open(&bench.sh(script));
    let (cancel, request) = (Cancel::new(), stop());
    let emit = messages({
        let cancel = cancel.clone();
        move |_| cancel.cancel()
    });
    session.call(ask(&request), &emit, &cancel)
}

#[test]
fn a_cancelled_call_ends_as_the_plugin_says() {
    let bench = Bench::new();
    let cancel = "read -r line; case $line in *'\"cancel\",\"id\":1,'*)";
    let script = format!("hello; next; log up; {cancel} done_;; esac; next");
    assert!(cancelled(&bench, &script).is_ok());
    let error = r#"say '{"t":"error","id":1,"error":{"kind":"cancelled","message":"stopped in time"}}'"#;
    let script = format!("hello; next; log up; {cancel} {error};; esac; next");
    let Err(Unanswered::Failed(failure)) = cancelled(&bench, &script) else { panic!("it answered") };
    assert_eq!(failure.message, "stopped in time");
}

#[test]
fn who_goes_on_after_a_cancel_is_ended() {
    for trap in ["", "trap '' TERM;"] {
        let bench = Bench::with(|limits| (limits.cancel, limits.term) = (ms(200), ms(200)));
        let script = format!("{trap} hello; next; log up; sleep 300 & while :; do sleep 300; done");
        let Err(Unanswered::Failed(failure)) = cancelled(&bench, &script) else { panic!("it answered") };
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Cancelled, Outcome::Unknown));
        let said = text(&failure);
        assert!(said.contains("went on for 0.2 s after it was asked to stop, and was ended"), "{said}");
        bench.assert_gone();
    }
}

#[test]
fn who_stays_after_the_last_call_is_ended() {
    let cases = [
        "hello; next; hosts; while :; do sleep 300; done",
        "hello; trap '' TERM; next; hosts; sleep 300 & sleep 300; sleep 300",
    ];
    for script in cases {
        let bench = Bench::with(|limits| (limits.close, limits.term) = (ms(200), ms(200)));
        let session = bench.open(&bench.sh(script));
        call(&session, &list()).unwrap();
        drop(session);
        bench.assert_gone();
    }
}

#[test]
fn what_a_good_plugin_leaves_in_the_background_ends_with_it() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("sleep 300 & hello; next; hosts; next"));
    call(&session, &list()).unwrap();
    drop(session);
    bench.assert_gone();
}

#[test]
fn it_has_time_to_tidy_up() {
    let bench = Bench::new();
    let tidied = bench.dir().join("tidied");
    let session = bench.open(
        &bench.sh(&format!("hello; next; hosts; while read -r line; do :; done; echo >{}", tidied.display())),
    );
    call(&session, &list()).unwrap();
    drop(session);
    assert!(tidied.exists());
}

#[test]
fn the_terminal_does_not_reach_it() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; ( : </dev/tty ) 2>/dev/null || log none; hosts; next"));
    let (tell, told) = channel();
    let emit = messages(move |message| tell.send(message.to_owned()).unwrap());
    let request = list();
    session.call(ask(&request), &emit, &Cancel::new()).unwrap();
    assert_eq!(told.recv().unwrap(), "none");
}

#[test]
fn who_dies_is_started_again_a_few_times() {
    let bench = Bench::with(|limits| limits.starts = 3);
    let plugin = bench.external(&bench.sh("hello; next; echo no memory >&2; exit 3"));
    let request = list();
    let failures: Vec<_> =
        (0..4).map(|_| plugin.call(ask(&request), &nobody(), &Cancel::new()).unwrap_err()).collect();
    for failure in &failures[..3] {
        assert!(failure.message.contains("ended with exit status 3 during"), "{failure}");
    }
    let last = text(&failures[3]);
    assert!(last.contains("has ended 3 times in this run, and is not started again"), "{last}");
    assert!(last.contains("ended with exit status 3"), "{last}");
    assert_eq!(bench.leaders().len(), 3);
}

#[test]
fn those_who_waited_for_one_that_died_get_another() {
    let bench = Bench::new();
    let first = "if [ $(wc -l <BENCH/pids) = 1 ]; then log up; read -r go <BENCH/go; exit 3; fi"
        .replace("BENCH", bench.dir().to_str().unwrap());
    let plugin = bench.external(&bench.sh(&format!("hello; while :; do next; {first}; hosts; done")));
    assert!(std::process::Command::new("mkfifo").arg(bench.dir().join("go")).status().unwrap().success());
    let (tell, up) = channel();
    let emit = messages(move |_| tell.send(()).unwrap());
    let (plugin, request) = (&plugin, &list());
    thread::scope(|scope| {
        let dies = scope.spawn(move || plugin.call(ask(request), &emit, &Cancel::new()));
        up.recv().unwrap();
        let others: Vec<_> =
            (0..3).map(|_| scope.spawn(|| plugin.call(ask(request), &nobody(), &Cancel::new()))).collect();
        std::fs::write(bench.dir().join("go"), "\n").unwrap();
        assert!(dies.join().unwrap().is_err());
        assert!(others.into_iter().all(|other| other.join().unwrap().is_ok()));
    });
    assert_eq!(bench.leaders().len(), 2);
}
