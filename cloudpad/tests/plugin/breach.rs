//! Plugins that break the protocol while they work on a call.

use cloudpad_plugin_api::{FailureKind, Outcome};

use super::kit::{Bench, call, list, ms, stop, text};

#[test]
fn every_breach_is_told_and_ends_the_plugin() {
    let cases = [
        ("say 'stopping c'", "wrote a line that is no message: `stopping c`"),
        (
            "say \"{\\\"t\\\":\\\"result\\\",\\\"id\\\":99,\\\"ok\\\":{}}\"",
            "spoke of call 99, which is not under way",
        ),
        ("say \"$HELLO\"", "said hello twice"),
        (
            "say '{\"t\":\"result\",\"id\":\"one\",\"ok\":{}}'",
            "wrote a line that is no message: `{\"t\":\"result\",\"id\":\"one\",\"ok\":{}}` (invalid type",
        ),
        (
            "say '{\"t\":\"error\",\"id\":1,\"error\":\"boom\"}'",
            "(invalid type: string \"boom\", expected struct Failure",
        ),
        ("printf '\\377\\n'", "(it is not UTF-8)"),
        ("exec >&-; sleep 300", "closed its standard output, and went on running"),
    ];
    for (script, expected) in cases {
        let bench = Bench::with(|limits| limits.drain = ms(300));
        let failure = bench.fails(&bench.sh(&format!("hello; next; echo trace >&2; {script}; next; next")));
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Crashed, Outcome::Unknown), "{failure}");
        assert_eq!(failure.host.as_deref(), Some("h1"));
        let said = text(&failure);
        assert!(said.starts_with("plugin `x` (`") && said.contains(expected), "{script}: {said}");
        assert!(said.contains(" during `deploy.stop`\n    stderr: trace"), "{script}: {said}");
        bench.assert_gone();
    }
}

#[test]
fn who_closes_its_standard_input_is_ended() {
    let bench = Bench::with(|limits| limits.drain = ms(300));
    let session = bench.open(&bench.sh("hello; next; exec <&-; hosts; sleep 300"));
    call(&session, &list()).unwrap();
    let failure = format!("{:?}", call(&session, &stop()).unwrap_err());
    assert!(failure.contains("closed its standard input, and went on running"), "{failure}");
    bench.assert_gone();
}

#[test]
fn a_reply_of_another_shape_is_the_plugins_fault_and_ends_that_call_only() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; say \"{\\\"t\\\":\\\"result\\\",\\\"id\\\":$id,\\\"ok\\\":\\\"fine\\\"}\"; next; hosts; next"));
    let failure = format!("{:?}", call(&session, &stop()).unwrap_err());
    assert!(failure.contains("answered with something else than a reply (invalid type: string"), "{failure}");
    assert!(failure.contains("kind: Crashed") && failure.contains("outcome: Unknown"), "{failure}");
    call(&session, &list()).unwrap();
}

#[test]
fn a_second_result_is_a_breach_that_the_next_call_survives() {
    let bench = Bench::new();
    // Both in one piece, so that there is no other call yet when the second is read.
    let script = r#"
hello
next
twice=$(hosts; hosts)
[ $(wc -l <BENCH/pids) = 1 ] && say "$twice" || hosts
next
"#;
    let plugin = bench.external(&bench.sh(&script.replace("BENCH", bench.dir().to_str().unwrap())));
    let request = list();
    for _ in 0..2 {
        plugin.call(super::kit::ask(&request), &super::kit::nobody(), &Default::default()).unwrap();
    }
    assert_eq!(bench.leaders().len(), 2, "the first was ended, and a second one has answered");
    drop(plugin);
    bench.assert_gone();
}

#[test]
fn a_failure_that_the_plugin_reports_is_handed_on_as_it_is() {
    let bench = Bench::new();
    let error = r#"{\"kind\":\"unreachable\",\"message\":\"no route\",\"causes\":[\"a\"],\"retryable\":true,\"outcome\":\"partial\",\"host\":\"h2\"}"#;
    let script = format!(
        "hello; next; say \"{{\\\"t\\\":\\\"error\\\",\\\"id\\\":$id,\\\"error\\\":{error}}}\"; next"
    );
    let failure = bench.fails(&bench.sh(&script));
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Unreachable, Outcome::Partial));
    assert_eq!((failure.message.as_str(), failure.host.as_deref()), ("no route", Some("h2")));
    assert_eq!((failure.causes.as_slice(), failure.retryable), (["a".to_owned()].as_slice(), true));
}

#[test]
fn secrets_are_masked_in_all_that_a_plugin_says() {
    let mut bench = Bench::new();
    bench.secrets = vec!["hunter2hunter2".into()];
    let plugin = bench.python(
        r#"
hello()
call = next()
sys.stdout.write('{"t":"event","id":%d,"kind":"log","level":"info","message":"it is \\u0068unter2hunter2"}\n' % call["id"])
say(t="error", id=call["id"], error={"kind": "failed", "message": "no hunter2hunter2", "causes": ["hunter2hunter2"], "hint": "hunter2hunter2"})
next()
print("wrong: hunter2hunter2", file=sys.stderr)
print("hunter2hunter2 is no JSON", flush=True)
next()
"#,
    );
    let session = bench.open(&plugin);
    let (tell, told) = std::sync::mpsc::channel();
    let emit = super::kit::messages(move |message| tell.send(message.to_owned()).unwrap());
    let request = stop();
    let reported = session.call(super::kit::ask(&request), &emit, &Default::default()).unwrap_err();
    let crashed = call(&session, &request).unwrap_err();
    assert_eq!(told.recv().unwrap(), "it is ***");
    let all = format!("{reported:?}{crashed:?}");
    assert!(!all.contains("hunter2") && all.matches("***").count() == 5, "{all}");
}
