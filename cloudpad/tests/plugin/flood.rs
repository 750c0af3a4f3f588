//! Plugins that send too much: nothing of it grows without bound.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cloudpad_plugin_api::Cancel;

use super::kit::{Bench, ask, call, list, messages, stop};

#[test]
fn many_events_pass_in_their_order() {
    let bench = Bench::new();
    let session = bench.open(&bench.python(
        r#"
hello()
call = next()
for number in range(20000):
    sys.stdout.write('{"t":"event","id":1,"kind":"log","level":"info","message":"%d"}\n' % number)
hosts(call)
next()
"#,
    ));
    let next = AtomicU64::new(0);
    let next = Arc::new(next);
    let emit = messages({
        let next = next.clone();
        move |message| assert_eq!(message, next.fetch_add(1, Ordering::SeqCst).to_string())
    });
    let request = list();
    session.call(ask(&request), &emit, &Cancel::new()).unwrap();
    assert_eq!(next.load(Ordering::SeqCst), 20_000);
}

/// The plugin writes as much as it can while nobody listens to its first event, and tells how much that was.
#[test]
fn who_is_not_listened_to_has_to_wait() {
    let bench = Bench::new();
    let stuck = bench.dir().join("stuck");
    assert!(Command::new("mkfifo").arg(&stuck).status().unwrap().success());
    let session = bench.open(&bench.python(&format!(
        r#"
hello()
call = next()
event = b'{{"t":"event","id":1,"kind":"log","level":"info","message":"%s"}}\n' % (b"x" * 1000)
os.set_blocking(1, False)
written = 0
while select.select([], [1], [], 1)[1]:
    rest = event
    while rest:
        select.select([], [1], [])
        count = os.write(1, rest)
        written, rest = written + count, rest[count:]
open("{}", "w").write(str(written))
os.set_blocking(1, True)
hosts(call)
next()
"#,
        stuck.display()
    )));
    let written = Arc::new(Mutex::new(String::new()));
    let emit = messages({
        let written = written.clone();
        move |_| {
            let mut written = written.lock().unwrap();
            if written.is_empty() {
                *written = fs::read_to_string(&stuck).unwrap();
            }
        }
    });
    let request = list();
    session.call(ask(&request), &emit, &Cancel::new()).unwrap();
    let written: u64 = written.lock().unwrap().parse().unwrap();
    let room = 256 * 1024 + 3 * 64 * 1024;
    assert!((100_000..room).contains(&written), "{written} bytes went somewhere");
}

#[test]
fn what_was_written_before_the_end_is_heard_by_a_slow_listener() {
    let bench = Bench::with(|limits| (limits.drain, limits.waiting) = (super::kit::ms(1000), 1000));
    let gone = bench.dir().join("gone");
    assert!(Command::new("mkfifo").arg(&gone).status().unwrap().success());
    // Whoever opens the pipe for reading reads its end once no process has it open any more.
    let session = bench.open(&bench.sh(&format!(
        "hello; next; log first; exec 9>{}; i=1; while [ $i -lt 100 ]; do log $i; i=$((i+1)); done; hosts; exit 0",
        gone.display()
    )));
    let heard = Arc::new(AtomicU64::new(0));
    let emit = messages({
        let heard = heard.clone();
        move |_| {
            if heard.fetch_add(1, Ordering::SeqCst) == 0 {
                fs::read(&gone).unwrap();
                // Longer than what is left may take to be read, were anybody free to read it.
                std::thread::sleep(super::kit::ms(1500));
            }
        }
    });
    let request = list();
    session.call(ask(&request), &emit, &Cancel::new()).unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 100);
}

#[test]
fn a_line_without_end_is_cut_off() {
    let bench = Bench::new();
    let failure = bench.fails(&bench.sh("hello; next; tr '\\0' x </dev/zero"));
    assert!(failure.message.contains("wrote a line that is longer than it may be"), "{failure}");
    bench.assert_gone();
    let said = bench.refused(&bench.sh("tr '\\0' x </dev/zero"));
    assert!(said.contains("wrote a line that is longer than it may be"), "{said}");
    bench.assert_gone();
}

#[test]
fn the_longest_line_passes() {
    let bench = Bench::new();
    let session = bench.open(&bench.python(
        r#"
hello()
call = next()
for length in (16 * 1024 * 1024, 16 * 1024 * 1024 + 1):
    line = '{"t":"event","id":1,"kind":"log","level":"info","message":""}'
    sys.stdout.write(line[:-2] + "x" * (length - len(line)) + line[-2:] + "\n")
    sys.stdout.flush()
hosts(call)
next()
"#,
    ));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let emit = messages({
        let heard = heard.clone();
        move |message| heard.lock().unwrap().push(message.len())
    });
    let answer = format!("{:?}", session.call(ask(&stop()), &emit, &Cancel::new()).unwrap_err());
    assert!(answer.contains("wrote a line that is longer than it may be"), "{answer}");
    let envelope = r#"{"t":"event","id":1,"kind":"log","level":"info","message":""}"#;
    assert_eq!(*heard.lock().unwrap(), [16 * 1024 * 1024 - envelope.len()]);
}

#[test]
fn standard_error_is_always_drained_and_only_its_end_kept() {
    let bench = Bench::new();
    let script =
        "hello; next; head -c 20000000 /dev/zero | tr '\\0' y >&2; seq 1 100000 >&2; hosts; next; exit 1";
    let session = bench.open(&bench.sh(script));
    call(&session, &list()).unwrap();
    let answer = format!("{:?}", call(&session, &stop()).unwrap_err());
    assert!(answer.contains("\"stderr: 99981\"") && answer.contains("\"stderr: 100000\""), "{answer}");
    assert_eq!(answer.matches("stderr: ").count(), 20);
}

/// A plugin sends far more than the program may hold, as events of its look at the configuration.
#[test]
fn the_program_stays_small() {
    let quiet = Bench::new();
    let few = memory(&quiet, 1);
    let loud = Bench::new();
    let many = memory(&loud, 64_000);
    assert!(many < few + 24 * 1024, "{many} KiB with 64 MB of events, {few} KiB with one of them");
    loud.assert_gone();
}

fn memory(bench: &Bench, events: u32) -> i64 {
    bench.python(&format!(
        r#"
provides = [dict(stage="inventory", provider="x", methods=["config.check", "inventory.list"])]
hello(provides=provides)
call = next()
event = '{{"t":"event","id":1,"kind":"log","level":"info","message":"%s"}}\n' % ("x" * 1000)
for number in range({events}):
    sys.stdout.write(event)
say(t="result", id=call["id"], ok={{}})
next()
"#
    ));
    bench.config("[plugins.x]\npath = \"cloudpad-x\"\n[stages]\ninventory = \"x\"");
    let run = bench.cloudpad(&["check"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.memory
}
