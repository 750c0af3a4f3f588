//! Several calls of one session, and what is sent.

use std::sync::mpsc::channel;
use std::thread;

use cloudpad::plugin::session::Unanswered;
use cloudpad_plugin_api::{Cancel, FailureKind};

use super::kit::{Bench, ask, call, list, messages, ms, nobody, stop};

#[test]
fn a_plugin_gets_its_calls_one_after_the_other() {
    let bench = Bench::new();
    // It reads no further than to the end of a line, so that it sees whether there is another.
    let session = bench.open(&bench.python(
        r#"
sys.stdin = os.fdopen(0, "rb", 0)
hello()
while True:
    call = next()
    assert not select.select([sys.stdin], [], [], 0.05)[0], "another call came too early"
    hosts(call)
"#,
    ));
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| call(&session, &list()))).collect();
        for call in calls {
            call.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_plugin_that_says_so_works_on_several_at_a_time() {
    let bench = Bench::new();
    let session = bench.open(&bench.python(
        "hello(parallel=True)\ncalls = [next() for _ in range(3)]\nfor call in reversed(calls): log(call, str(call['id'])); hosts(call)\nnext()",
    ));
    let (tell, told) = channel();
    thread::scope(|scope| {
        for _ in 0..3 {
            let tell = tell.clone();
            let session = &session;
            scope.spawn(move || {
                let emit = messages(move |message| tell.send(message.to_owned()).unwrap());
                session.call(ask(&list()), &emit, &Cancel::new()).unwrap();
            });
        }
    });
    drop(tell);
    let mut ids: Vec<_> = told.iter().collect();
    ids.sort();
    assert_eq!(ids, ["1", "2", "3"], "each call has heard of itself");
}

#[test]
fn a_call_that_waits_is_cancelled_at_once() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; log up; read -r line; hosts; next"));
    let (tell, up) = channel();
    let emit = messages(move |_| tell.send(()).unwrap());
    let (first, second) = (Cancel::new(), Cancel::new());
    thread::scope(|scope| {
        let busy = scope.spawn(|| session.call(ask(&list()), &emit, &first));
        up.recv().unwrap();
        second.cancel();
        let Err(Unanswered::Failed(failure)) = session.call(ask(&stop()), &nobody(), &second) else {
            panic!("it answered")
        };
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert_eq!(failure.outcome, cloudpad_plugin_api::Outcome::None);
        first.cancel();
        busy.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_sent_is_the_protocol() {
    let bench = Bench::new();
    let session =
        bench.open(&bench.python(
            "host = hello()\ncall = next()\nlog(call, json.dumps([host, call]))\nhosts(call)\nnext()",
        ));
    let (tell, told) = channel();
    let emit = messages(move |message| tell.send(message.to_owned()).unwrap());
    let config = serde_json::json!({ "region": "eu" });
    let request = list();
    session
        .call(cloudpad::plugin::session::Ask { config: &config, ..ask(&request) }, &emit, &Cancel::new())
        .unwrap();
    let sent: serde_json::Value = serde_json::from_str(&told.recv().unwrap()).unwrap();
    let expected = serde_json::json!([
        { "t": "hello", "protocol": 1, "version": env!("CARGO_PKG_VERSION"), "max_line": 16 * 1024 * 1024 },
        { "t": "call", "id": 1, "provider": "x", "config": config, "key": "k", "method": "inventory.list", "params": {} },
    ]);
    assert_eq!(sent, expected);
}

#[test]
fn who_does_not_read_is_ended() {
    let bench = Bench::with(|limits| limits.read = ms(300));
    let session = bench.open(&bench.sh("hello; sleep 300"));
    let config = serde_json::Value::String("x".repeat(1024 * 1024));
    let request = stop();
    let ask = cloudpad::plugin::session::Ask { config: &config, ..ask(&request) };
    let answer = session.call(ask, &nobody(), &Cancel::new());
    let Err(Unanswered::Failed(failure)) = answer else { panic!("{answer:?}") };
    assert!(failure.message.contains("did not read its standard input for 0.3 s"), "{failure}");
    bench.assert_gone();
}

#[test]
fn who_reads_slowly_is_waited_for() {
    let bench = Bench::with(|limits| limits.read = ms(2000));
    let session = bench.open(&bench.python(
        r#"
hello()
line, fd = b"", sys.stdin.fileno()
while not line.endswith(b"\n"):
    line += os.read(fd, 32768)
    time.sleep(0.01)
hosts(json.loads(line))
next()
"#,
    ));
    let config = serde_json::Value::String("x".repeat(4 * 1024 * 1024));
    let request = list();
    let ask = cloudpad::plugin::session::Ask { config: &config, ..ask(&request) };
    session.call(ask, &nobody(), &Cancel::new()).unwrap();
}

#[test]
fn what_is_too_long_is_not_sent() {
    let bench = Bench::new();
    let session = bench.open(&bench.sh("hello; next; hosts; next"));
    let config = serde_json::Value::String("x".repeat(16 * 1024 * 1024));
    let request = stop();
    let long = cloudpad::plugin::session::Ask { config: &config, ..ask(&request) };
    let Err(Unanswered::Failed(failure)) = session.call(long, &nobody(), &Cancel::new()) else {
        panic!("sent")
    };
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("and a message has at most 16777216"), "{failure}");
    call(&session, &list()).unwrap();
}

#[test]
fn a_plugin_is_asked_only_what_it_offers() {
    let bench = Bench::new();
    let plugin = bench.external(&bench.sh("hello; next; hosts; next"));
    let check = cloudpad_plugin_api::Request::ConfigCheck(cloudpad_plugin_api::CheckConfig {
        stage: cloudpad_plugin_api::Stage::Inventory,
    });
    let failure = plugin.call(ask(&check), &nobody(), &Cancel::new()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.ends_with("does not offer `config.check`"), "{failure}");
    let request = list();
    let other = cloudpad::plugin::session::Ask { provider: "y", ..ask(&request) };
    let failure = plugin.call(other, &nobody(), &Cancel::new()).unwrap_err();
    assert!(failure.message.contains("does not provide `y` for stage `inventory`"), "{failure}");
}
