//! Programs that end, fail, hang and print, by way of the shell.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Line, Stream, Tool};
use crate::{Cancel, Context, Event, FailureKind, Outcome};

/// A call whose lines are kept.
struct Call {
    cx: Context,
    lines: Arc<Mutex<Vec<String>>>,
}

fn call_with(on_line: impl Fn(&Context) + Send + Sync + 'static) -> Call {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let (kept, cancel) = (lines.clone(), Cancel::new());
    let inner = Context::new(serde_json::Value::Null, Arc::new(|_| ()), cancel.clone());
    let emit = move |event| {
        let Event::Output { source, line, .. } = event else { panic!("{event:?}") };
        kept.lock().unwrap().push(format!("{source}| {line}"));
        on_line(&inner);
    };
    Call { cx: Context::new(serde_json::Value::Null, Arc::new(emit), cancel), lines }
}

fn call() -> Call {
    call_with(|_| ())
}

/// A call that is cancelled when the first line comes.
fn cancelled() -> Call {
    call_with(|cx| cx.cancel().cancel())
}

impl Call {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

fn command(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn sh(script: &str) -> Tool {
    Tool::new(command(script))
}

/// An empty directory that is the test's own.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cloudpad-tool-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    path
}

#[test]
fn lines_of_both_streams_keep_their_order() {
    let call = call();
    sh("for i in 1 2 3; do echo o$i; echo e$i >&2; done; printf 'half\\rwhole\\n\\nlast'")
        .run(&call.cx)
        .unwrap();
    let expected = ["o1", "e1", "o2", "e2", "o3", "e3", "whole", "last"];
    assert_eq!(call.lines(), expected.map(|line| format!("sh| {line}")));
}

#[test]
fn each_line_says_where_it_was_printed() {
    let mut lines = Vec::new();
    let status = sh("echo out; echo err >&2; exit 3").listen(&call().cx, |line| lines.push(line)).unwrap();
    assert_eq!(status.code(), Some(3));
    lines.sort_by_key(|line| line.text.clone());
    let line = |stream, text: &str| Line { stream, text: text.to_owned(), transient: false };
    assert_eq!(lines, [line(Stream::Err, "err"), line(Stream::Out, "out")]);
}

#[test]
fn a_failure_names_the_tool_and_quotes_it() {
    let call = call();
    let tool = Tool::new({
        let mut command = command("echo first; echo last >&2; exit 2");
        command.current_dir("/");
        command
    });
    let failure = tool.called("make assets").source("assets").run(&call.cx).unwrap_err();
    assert_eq!(failure.message, "`make assets` failed in `/`: exit status: 2");
    assert_eq!((failure.causes.join(" "), failure.outcome), ("first last".to_owned(), Outcome::Unknown));
    assert_eq!(call.lines(), ["assets| first", "assets| last"]);
}

#[test]
fn what_is_not_there_is_told() {
    let none = || Tool::new(Command::new("no-such-program"));
    let failure = none().run(&call().cx).unwrap_err();
    assert_eq!(failure.message, "could not run `no-such-program`: there is no such program");
    assert_eq!(failure.hint.as_deref(), Some("install `no-such-program`, or see to it that it is on PATH"));
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Failed, Outcome::None));
    let failure = none().called("the tool").hint("get it").output(&call().cx).unwrap_err();
    assert_eq!(failure.message, "could not run `the tool`: there is no program `no-such-program`");
    assert_eq!(failure.hint.as_deref(), Some("get it"));
    let mut command = command("true");
    command.current_dir("/no/such/directory");
    let failure = Tool::new(command).run(&call().cx).unwrap_err();
    assert_eq!(failure.message, "could not run `sh`: there is no directory `/no/such/directory`");
    assert_eq!(failure.hint, None);
}

#[test]
fn a_program_of_the_project_runs_in_its_folder() {
    let dir = directory("project");
    let script = |text: &str, mode| {
        std::fs::write(dir.join("tool"), text).unwrap();
        std::fs::set_permissions(dir.join("tool"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let cx = call().cx.within(dir.as_path().into());
    let tool = || Tool::in_project(&cx, ["./tool", "a b"].map(str::to_owned));
    let missing = tool().output(&cx).unwrap_err();
    assert_eq!(missing.message, "could not run `./tool`: there is no such program");
    script("#!/bin/sh\npwd; echo \"$1\"", 0o755);
    let printed = String::from_utf8(tool().output(&cx).unwrap()).unwrap();
    assert_eq!(printed, format!("{}\na b\n", dir.canonicalize().unwrap().display()));
    script("#!/no/such/interpreter\n", 0o755);
    let failure = tool().output(&cx).unwrap_err();
    assert_eq!(
        failure.message,
        "could not run `./tool`: it is there, but not what its first line says it is run by"
    );
    script("#!/bin/sh\n", 0o644);
    let failure = tool().output(&cx).unwrap_err();
    assert_eq!(failure.hint.as_deref(), Some("it has to be executable: `chmod +x ./tool`"));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_is_printed_as_data_is_not_touched() {
    let call = call();
    let script = "printf 'a\\n\\n\\000\\377\\r\\n'; echo note >&2";
    assert_eq!(sh(script).output(&call.cx).unwrap(), b"a\n\n\0\xff\r\n");
    assert_eq!(call.lines(), ["sh| note"]);
    let failure = sh("echo half; echo why >&2; exit 1").output(&call.cx).unwrap_err();
    assert_eq!(failure.causes, ["why"]);
}

#[test]
fn input_is_handed_over_while_output_is_read() {
    let input: Vec<u8> = (0..1_000_000u32).map(|number| number as u8).collect();
    assert_eq!(sh("cat").input(input.clone()).output(&call().cx).unwrap(), input);
    assert_eq!(sh("echo enough").input(input).output(&call().cx).unwrap(), b"enough\n");
    assert_eq!(sh("cat").output(&call().cx).unwrap(), b"");
}

#[test]
fn a_tool_that_does_not_stop_printing_is_ended() {
    let failure = sh("yes").output(&call().cx).unwrap_err();
    assert_eq!(failure.message, "`sh` was ended because it printed more than 64 MiB");
}

#[test]
fn what_is_left_in_the_background_is_not_waited_for() {
    let call = call();
    sh("sleep 300 & echo up").run(&call.cx).unwrap();
    assert_eq!(call.lines(), ["sh| up"]);
}

#[test]
fn cancelling_ends_the_tool_and_what_it_has_started() {
    let directory = directory("fifo");
    let fifo = directory.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // The one in the background takes no notice of being asked to end.
    let script = format!("exec 9>{}; (trap '' TERM; sleep 300; sleep 300) & echo up; wait", fifo.display());
    let (tell, closed) = channel();
    // It is read to its end when the last process that has it open for writing has ended.
    thread::spawn(move || tell.send(std::fs::read(fifo).unwrap()));
    let failure = sh(&script).run(&cancelled().cx).unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Cancelled, Outcome::Unknown));
    assert!(closed.recv_timeout(Duration::from_secs(60)).is_ok(), "`sleep` lives on");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_tool_that_takes_no_notice_is_killed() {
    let failure = sh("trap '' TERM; echo up; sleep 300; sleep 300").run(&cancelled().cx).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
}

#[test]
fn nothing_is_started_for_a_call_that_is_cancelled() {
    let call = call();
    call.cx.cancel().cancel();
    let failure = sh("echo up").run(&call.cx).unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Cancelled, Outcome::None));
    assert_eq!(call.lines(), [""; 0]);
}

#[test]
fn a_tool_has_no_terminal_and_no_input() {
    let call = call();
    sh("( : </dev/tty ) 2>/dev/null || echo none; [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo own; cat")
        .run(&call.cx)
        .unwrap();
    assert_eq!(call.lines(), ["sh| none", "sh| own"]);
}
