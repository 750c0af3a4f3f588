//! What `cloudpad plugin check` finds in a plugin that does one thing wrong, and that it finds nothing else.

use std::collections::BTreeMap;

use cloudpad::conformance::case::Case;
use cloudpad::conformance::verdict::{Report, Verdict};
use cloudpad::conformance::{check, verdict};
use cloudpad::plugin::limits::Limits;
use cloudpad::plugin::setup::Setup;
use std::time::Duration;

use crate::room::Room;

const GOOD: &str = include_str!("good.py");

/// One provider is enough for most.
const ONE: &str = "stage = \"inventory\"\n";

/// Only what a test waits for is short.
fn limits() -> Limits {
    Limits { close: Duration::from_secs(20), ..Limits::default() }
}

fn report(text: &str, limits: Limits, case: &str, allow_mutating: bool) -> Report {
    let room = Room::bare();
    room.program("bin/cloudpad-x", text);
    let setup = Setup::of_process(&room.at("project"));
    let plugin = setup.plugin_at(&room.at("bin/cloudpad-x")).unwrap();
    check(plugin.launch(), limits, &Case::parse(case).unwrap(), allow_mutating)
}

/// Every check that has not passed, in words.
fn told(report: &Report) -> BTreeMap<String, String> {
    let words = |check: &verdict::Check| {
        let words = match &check.verdict {
            Verdict::Passed => return None,
            Verdict::Warning { why, .. } => format!("warning: {why}"),
            Verdict::Failed { why, .. } => format!("failed: {why}"),
            Verdict::Skipped { why } => format!("skipped: {why}"),
        };
        Some((check.name.clone(), words))
    };
    report.checks.iter().filter_map(words).collect()
}

/// What is told of the good plugin with another text in the place of one.
fn changed(from: &str, to: &str) -> BTreeMap<String, String> {
    changed_with(from, to, limits(), "")
}

fn changed_with(from: &str, to: &str, limits: Limits, case: &str) -> BTreeMap<String, String> {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    let case = if case.is_empty() { ONE } else { case };
    told(&report(&GOOD.replace(from, to), limits, case, false))
}

/// Fails the test unless these checks have not passed, and no others; each with what is said of it.
#[track_caller]
fn expect(told: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{told:#?}");
    for (name, words) in expected {
        assert!(told[*name].contains(words), "{name}: `{words}` is not in {told:#?}");
    }
}

#[test]
fn a_good_plugin_passes() {
    let case = "[config]\nzone = \"a\"\n[[call]]\nmethod = \"push.run\"\nparams = { reference = \"app:1\" }\nmutating = true\n";
    let all = report(GOOD, limits(), case, true);
    assert_eq!((told(&all).len(), all.failed, all.passed), (0, 0, all.checks.len()), "{}", all.text());
    let some = told(&report(GOOD, limits(), "", false));
    expect(&some, &[("push.run of `x`", "skipped: no `[[call]]` of `--config FILE` makes it")]);
    let kept = told(&report(GOOD, limits(), case, false));
    expect(
        &kept,
        &[("push.run of `x`", "skipped: it changes something, and `--allow-mutating` was not given")],
    );
    let one = report(GOOD, limits(), "stage = \"inventory\"\n", false);
    assert_eq!((told(&one).len(), one.failed), (0, 0), "{}", one.text());
}

#[test]
fn no_hello() {
    let short = Limits { hello: Duration::from_millis(300), ..limits() };
    let cases = [
        ("#!/bin/sh\ncat >/dev/null\n", "it said nothing within 0.3 s"),
        ("#!/bin/sh\necho oops >&2\nexit 3\n", "it ended without a word\nstderr: oops"),
        ("#!/bin/sh\necho loading\ncat >/dev/null\n", "it wrote `loading` to standard output: it is no JSON"),
        ("#!/bin/sh\necho '{\"t\":\"event\"}'\ncat >/dev/null\n", "standard output"),
        ("#!/no/such\n", "`/no/such`, which its first line names, is not there"),
    ];
    for (text, expected) in cases {
        let limits =
            if text.contains("cat >/dev/null\n") && !text.contains("echo") { short } else { limits() };
        let report = report(text, limits, "", false);
        let told = told(&report);
        assert!(told["hello"].starts_with("failed: ") && told["hello"].contains(expected), "{told:#?}");
        assert_eq!(
            (report.failed, report.passed),
            (1, 0),
            "what was not looked at is no pass: {}",
            report.text()
        );
        assert_eq!(told["end"], "skipped: it has not said hello");
    }
}

#[test]
fn a_wrong_hello() {
    let told = changed("\"protocols\": [1]", "\"protocols\": [7]");
    assert!(told["offer"].starts_with("failed: its `protocols` are [7]"), "{told:#?}");
    assert_eq!(told["config"], "skipped: its hello is not understood");
    let told = changed("PUSH = [\"config.check\", \"push.run\"]", "PUSH = [\"config.check\"]");
    expect(&told, &[("offer", "does not offer `push.run`")]);
}

#[test]
fn strictness() {
    let told = changed(
        "    if call[\"provider\"]",
        "    if len(params) > 1: return fail(\"invalid\", \"odd\")\n    if call[\"provider\"]",
    );
    expect(&told, &[("unknown-fields", "with fields that it cannot know it answered `invalid`: odd")]);
    let told = changed(
        "if message[\"t\"] == \"call\"",
        "assert message[\"t\"] in [\"call\", \"cancel\"]\n    if message[\"t\"] == \"call\"",
    );
    expect(&told, &[("unknown-fields", "nothing: it ended before it had answered")]);
}

#[test]
fn what_it_does_not_have() {
    let told = changed("fail(\"unsupported\", \"no such method\")", "fail(\"failed\", \"what?\")");
    expect(&told, &[("unknown-method", "it answered `failed`: what?")]);
    let told = changed("return fail(\"unsupported\", \"no such method\")", "os._exit(5)");
    expect(&told, &[("unknown-method", "nothing: it ended before it had answered")]);
    let told = changed("call[\"provider\"] != \"x\"", "False");
    expect(&told, &[("unknown-provider", "it answered with a result")]);
}

#[test]
fn configs() {
    let told = changed("if key != \"zone\"", "if False");
    expect(&told, &[("unknown-key", "warning: it takes a config with the key")]);
    let told =
        changed("return fail(\"invalid\", \"unknown key \"", "return fail(\"failed\", \"unknown key \"");
    expect(
        &told,
        &[("unknown-key", "failed: to a config with a key that it cannot know it answered `failed`")],
    );
    let needs = "    if \"zone\" not in config: return fail(\"invalid\", \"no zone\")\n    if call[\"method\"] == \"config.check\"";
    let skipped = [
        ("config", "skipped: it needs a config, which `--config FILE` gives: no zone"),
        ("unknown-key", "skipped: without a fit config"),
        ("inventory.list of `x`", "skipped: it may need a config"),
    ];
    expect(&changed("    if call[\"method\"] == \"config.check\"", needs), &skipped);
    let given = "stage = \"inventory\"\n[config]\nzone = \"a\"\n";
    expect(&changed_with("    if call[\"method\"] == \"config.check\"", needs, limits(), given), &[]);
    let told = changed_with("if key != \"zone\"", "if True", limits(), given);
    let failed = [
        ("config", "failed: it finds the config of FILE unfit: unknown key zone"),
        ("unknown-key", "skipped"),
        ("inventory.list of `x`", "failed: to `inventory.list` it answered `invalid`"),
    ];
    expect(&told, &failed);
}

#[test]
fn replies() {
    let mistyped = changed("{\"hosts\": [", "{\"hostz\": [");
    expect(
        &mistyped,
        &[(
            "inventory.list of `x`",
            "failed: its reply to `inventory.list` is not understood: missing field `hosts`",
        )],
    );
    let case = "[[call]]\nmethod = \"push.run\"\nparams = { reference = \"a\" }\nmutating = true\n";
    let once = GOOD.replace(
        "    return {\"t\": \"result\", \"ok\": {\"reference\"",
        "    if call[\"key\"] in done: return fail(\"failed\", \"it is there already\")\n    return {\"t\": \"result\", \"ok\": {\"reference\"",
    );
    assert_ne!(once, GOOD);
    let once = told(&report(&once, limits(), case, true));
    expect(
        &once,
        &[(
            "push.run of `x`",
            "failed: the second call with the same key: to `push.run` it answered `failed`: it is there already",
        )],
    );
}

#[test]
fn several_calls() {
    let first = "    started[call[\"id\"]] = 1\n    if len(started) == 2: os._exit(0)\n    say(id=call[\"id\"], **reply)";
    let told = changed("    say(id=call[\"id\"], **reply)", first);
    assert!(told["two-calls"].contains("to call 2 of 2 it answered nothing: it ended"), "{told:#?}");
    let told = changed(
        "def work(call):\n",
        "busy = threading.Lock()\ndef work(call):\n    if not busy.acquire(blocking=False): os._exit(4)\n    import time; time.sleep(0.1); busy.release()\n",
    );
    assert!(told["parallel"].starts_with("failed: to call"), "{told:#?}");
    let told = changed("\"parallel\": True", "\"parallel\": False");
    expect(&told, &[("parallel", "skipped: its hello says that it takes one call at a time")]);
}

#[test]
fn cancelled_calls() {
    let to = "    if message[\"t\"] == \"cancel\": say(t=\"error\", id=message[\"id\"], error={\"kind\": \"cancelled\", \"message\": \"x\"})\n    if message[\"t\"] == \"call\":";
    let told = changed("    if message[\"t\"] == \"call\":", to);
    assert!(
        told["call-ids"].contains("it spoke of call") && told["cancel"].contains("was ended"),
        "{told:#?}"
    );
    let to = "    if message[\"t\"] == \"cancel\" and message[\"id\"] > 1000: os._exit(9)\n    if message[\"t\"] == \"call\":";
    expect(
        &changed("    if message[\"t\"] == \"call\":", to),
        &[("cancel", "after cancelled calls it answered nothing")],
    );
}

#[test]
fn a_newer_protocol() {
    let short = Limits { cancel: Duration::from_millis(500), ..limits() };
    let told = changed_with("if host[\"protocol\"] not in HELLO[\"protocols\"]", "if False", short, "");
    expect(&told, &[("newer-protocol", "it went on for 0.5 s after the host had chosen protocol 99")]);
}

#[test]
fn ends() {
    let short = Duration::from_millis(100);
    let deaf = Limits { close: short, ..limits() };
    let told = changed_with(
        "say(**HELLO)\n",
        "say(**HELLO)\nimport atexit, time\natexit.register(lambda: time.sleep(60))\n",
        deaf,
        "",
    );
    assert!(told["end"].contains("had to be ended"), "{told:#?}");
    assert_eq!(told["exit-code"], "skipped: it did not end by itself");
    let told = changed(
        "say(**HELLO)\n",
        "say(**HELLO)\nimport atexit\natexit.register(lambda: (print('bye', file=sys.stderr, flush=True), os._exit(3)))\n",
    );
    expect(&told, &[("exit-code", "its end was exit status: 3\nstderr: bye")]);
    let untidy = Limits { drain: short, ..limits() };
    let told = changed_with(
        "say(**HELLO)\n",
        "say(**HELLO)\nimport subprocess\nsubprocess.Popen(['sleep', '50'], stdin=-3, stdout=-3, stderr=-3)\n",
        untidy,
        "",
    );
    expect(&told, &[("leaves-nothing", "it left running: sleep (")]);
}

#[test]
fn what_is_written_to_standard_output() {
    let told =
        changed("    reply = answer(call)\n", "    print('working', flush=True)\n    reply = answer(call)\n");
    expect(&told, &[("stdout", "it wrote `working` to standard output")]);
    let told = changed(
        "say(**HELLO)\n",
        "say(**HELLO)\nimport atexit\natexit.register(lambda: os.write(1, b'{\"t\"'))\n",
    );
    expect(&told, &[("stdout", "it wrote `{\"t\"` to standard output: it has no end of line")]);
    let told = changed(
        "    say(id=call[\"id\"], **reply)",
        "    say(id=call[\"id\"], **reply); say(id=77, **reply)",
    );
    expect(&told, &[("call-ids", "it spoke of call 77, which was never made")]);
}

#[test]
fn a_flood_ends() {
    let short = Limits { read: Duration::from_millis(300), close: Duration::from_millis(100), ..limits() };
    let flood = "    while call[\"method\"] == \"config.check\": say(t=\"event\", id=call[\"id\"], kind=\"log\", message=\"more\")\n    say(id=call[\"id\"], **reply)";
    let told = changed_with("    say(id=call[\"id\"], **reply)", flood, short, "");
    assert!(told["two-calls"].contains("there was no answer within 0.3 s"), "{told:#?}");
}
