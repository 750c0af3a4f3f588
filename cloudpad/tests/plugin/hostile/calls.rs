//! Plugins that do not keep to what a process and its calls have to do.

use std::process::Command;

use cloudpad_plugin_api::{Cancel, Failure, FailureKind};

use super::super::kit::{Bench, ask, messages, ms, stop, text};
use super::Watch;
use super::alone::Alone;
use cloudpad::plugin::session::Unanswered;

#[test]
fn no_hello() {
    let bench = Bench::with(|limits| limits.hello = ms(300));
    let plugin = bench.sh("sleep 300");
    let alone = Alone::idle(Command::new(&plugin).arg("--cloudpad-plugin"));
    assert_eq!((alone.stdout.as_slice(), alone.status), (&b""[..], None));
    bench.never_opens(&plugin, "did not say hello within 0.3 s");
}

/// Cancels a call of the plugin once it is under way.
fn cancelled(bench: &Bench, plugin: &std::path::Path) -> Failure {
    let _watch = Watch::new();
    let session = bench.open(plugin);
    let (cancel, request) = (Cancel::new(), stop());
    let emit = messages({
        let cancel = cancel.clone();
        move |_| cancel.cancel()
    });
    match session.call(ask(&request), &emit, &cancel) {
        Err(Unanswered::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_answer() {
    let bench = Bench::with(|limits| limits.cancel = ms(300));
    let plugin = bench.sh("hello; next; log up; while read -r line; do :; done");
    let alone = Alone::run(&plugin, 50);
    assert!(String::from_utf8_lossy(alone.after_hello()).contains("up") && alone.status.is_none());
    // There is no limit on how long a call takes: the user interrupts.
    let failure = cancelled(&bench, &plugin);
    assert_eq!(failure.kind, FailureKind::Cancelled);
    bench.names_it(&plugin, &text(&failure), "went on for 0.3 s after it was asked to stop, and was ended");
}

#[test]
fn cancel_and_term_are_ignored() {
    let bench = Bench::with(|limits| (limits.cancel, limits.term) = (ms(200), ms(200)));
    let plugin = bench.sh("trap '' TERM INT HUP; hello; next; log up; while :; do sleep 300; done");
    let told = "p.stdout.readline(), p.stdout.readline(), p.terminate()\n\
        try: print('ended', p.wait(0.3))\n\
        except subprocess.TimeoutExpired: print('deaf')";
    assert_eq!(Alone::looked_at(&plugin, told), "deaf\n");
    let failure = cancelled(&bench, &plugin);
    bench.names_it(&plugin, &text(&failure), "went on for 0.2 s after it was asked to stop, and was ended");
}

#[test]
fn stdin_is_never_read() {
    let bench = Bench::with(|limits| limits.read = ms(300));
    let plugin = bench.sh("say \"$HELLO\"; exec sleep 300");
    let fill = "os.set_blocking(p.stdin.fileno(), False)\n\
        while select.select([], [p.stdin], [], 0.3)[1]: p.stdin.write(b'x' * 4096)\n\
        print('full', p.poll())";
    assert_eq!(Alone::looked_at(&plugin, fill), "full None\n");
    let _watch = Watch::new();
    let session = bench.open(&plugin);
    let (config, request) = (serde_json::Value::String("x".repeat(1024 * 1024)), stop());
    let ask = cloudpad::plugin::session::Ask { config: &config, ..ask(&request) };
    let Err(Unanswered::Failed(failure)) = session.call(ask, &messages(|_| {}), &Cancel::new()) else {
        panic!("it answered")
    };
    bench.names_it(&plugin, &text(&failure), "did not read its standard input for 0.3 s");
}

#[test]
fn stdout_is_closed_early() {
    let bench = Bench::with(|limits| limits.drain = ms(300));
    let plugin = bench.sh("hello; next; exec >&-; exec sleep 300");
    // Whoever reads sees the end, and it goes on.
    let read = "hello, rest = p.stdout.readline(), p.stdout.read()\nprint(len(hello) > 9, rest, p.poll())";
    assert_eq!(Alone::looked_at(&plugin, read), "True b'' None\n");
    bench.at_fault(&plugin, "closed its standard output, and went on running");
}

#[test]
fn it_exits_in_a_call() {
    let bench = Bench::new();
    let plugin = bench.sh("hello; next; echo 'out of paper' >&2; exit 3");
    let alone = Alone::run(&plugin, 1);
    assert_eq!((alone.after_hello(), alone.code()), (&b""[..], Some(3)));
    bench.at_fault(&plugin, "ended with exit status 3 during `deploy.stop`\n    stderr: out of paper");
}

#[test]
fn the_protocol_is_another() {
    let bench = Bench::new();
    let plugin = bench.sh("say \"$(echo \"$HELLO\" | sed 's/\\[1\\]/[9]/')\"; next");
    assert!(String::from_utf8_lossy(&Alone::run(&plugin, 0).stdout).contains("\"protocols\":[9]"));
    bench.never_opens(&plugin, "speaks protocols [9], this cloudpad speaks [1]");
}

#[test]
fn the_provider_is_another() {
    let bench = Bench::new();
    let plugin =
        bench.sh("say \"$(echo \"$HELLO\" | sed 's/\"provider\":\"x\"/\"provider\":\"y\"/g')\"; next");
    assert!(!String::from_utf8_lossy(&Alone::run(&plugin, 0).stdout).contains("\"provider\":\"x\""));
    bench.config("[stages]\ninventory = \"x\"");
    let _watch = Watch::new();
    let run = bench.cloudpad(&["check"], bench.dir().to_str().unwrap());
    assert_eq!(run.code, Some(2));
    let expected =
        "does not provide `x` for stage `inventory`: it says that it provides `y` for stage `inventory`";
    assert!(run.stderr.contains("plugin `x` (`") && run.stderr.contains(expected), "{}", run.stderr);
    bench.assert_gone();
}

#[test]
fn a_grandchild_keeps_stdout_open() {
    let bench = Bench::with(|limits| limits.drain = ms(300));
    let plugin = bench.sh("hello; next; sleep 300 & exit 3");
    // It has ended, and its output has not.
    let read = "p.stdout.readline()\nprint(p.wait(), select.select([p.stdout], [], [], 0.3)[0])";
    assert_eq!(Alone::looked_at(&plugin, read), "3 []\n");
    bench.at_fault(&plugin, "ended with exit status 3");
}

#[test]
fn the_terminal_is_read() {
    let bench = Bench::new();
    let plugin = bench.sh("hello; next; read -r secret </dev/tty || exit 4; done_; next");
    // With a terminal it would wait for somebody to type.
    let typed = "import os, pty, sys; pid, fd = pty.fork()\nif pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n\
        os.write(fd, b'{\"t\":\"hello\"}\\n{\"t\":\"call\",\"id\":1}\\nhunter2\\n')\nout = b''\n\
        while b'result' not in out: out += os.read(fd, 999)\nprint('read')";
    let mut python = Command::new("python3");
    let alone = Alone::ends(python.args(["-c", typed]).arg(&plugin).arg("--cloudpad-plugin"));
    assert_eq!(String::from_utf8_lossy(&alone.stdout), "read\n", "{}", alone.errors());
    bench.at_fault(&plugin, "ended with exit status 4");
}

#[test]
fn a_secret_is_echoed() {
    let mut bench = Bench::new();
    let plugin = bench.sh("hello; next; echo \"with hunter2hunter2\" >&2; say hunter2hunter2; next");
    let alone = Alone::run(&plugin, 15);
    assert_eq!(
        (alone.after_hello(), alone.stderr.as_slice()),
        (&b"hunter2hunter2\n"[..], &b"with hunter2hunter2\n"[..])
    );
    bench.secrets = vec!["hunter2hunter2".to_owned()];
    let failure = bench.at_fault(&plugin, "wrote a line that is no message: `***`");
    let said = text(&failure);
    assert!(said.contains("stderr: with ***") && !said.contains("hunter2"), "{said}");
}

#[test]
fn cloudpad_is_started_recursively() {
    let bench = Bench::new();
    let program = env!("CARGO_BIN_EXE_cloudpad");
    bench.sh(&format!("{program} check </dev/null 2>/dev/null; echo ran $? >&2; exit 5"));
    bench.config("[stages]\ninventory = \"x\"");
    let _watch = Watch::new();
    let dir = bench.dir().to_str().unwrap().to_owned();
    let run = bench.cloudpad(&["check"], &dir);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("plugin `x` (`") && run.stderr.contains("stderr: ran 2"), "{}", run.stderr);
    assert_eq!(bench.leaders().len(), 4, "it has started itself, so deep and no deeper");
    bench.assert_gone();
}
