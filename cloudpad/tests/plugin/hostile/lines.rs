//! Lines that are no messages, or not those that may come now.

use super::super::kit::{Bench, call, list};
use super::alone::Alone;
use serde_json::Value;

/// What a plugin says after its hello, which has to be `said`, and what becomes of it.
#[track_caller]
fn says(script: &str, said: &str, expected: &str) {
    let bench = Bench::new();
    let plugin = bench.sh(&format!("hello; next; {script}; next"));
    let alone = Alone::run(&plugin, said.len());
    assert_eq!(String::from_utf8_lossy(alone.after_hello()), said);
    bench.at_fault(&plugin, expected);
}

#[test]
fn garbage_on_stdout() {
    assert!(serde_json::from_str::<Value>("stopping c").is_err());
    says("say 'stopping c'", "stopping c\n", "wrote a line that is no message: `stopping c`");
}

#[test]
fn truncated_json() {
    let cut = r#"{"t":"result","id":1,"ok":{"#;
    assert!(serde_json::from_str::<Value>(cut).unwrap_err().is_eof());
    says(&format!("say '{cut}'"), &format!("{cut}\n"), &format!("wrote a line that is no message: `{cut}`"));
}

#[test]
fn a_wrong_id() {
    let line = r#"{"t":"result","id":99,"ok":{}}"#;
    says(&format!("say '{line}'"), &format!("{line}\n"), "spoke of call 99, which is not under way");
}

#[test]
fn two_results() {
    let bench = Bench::new();
    let plugin = bench.sh("hello; next; twice=$(done_; done_); say \"$twice\"; next");
    let twice = "{\"t\":\"result\",\"id\":1,\"ok\":{}}\n".repeat(2);
    assert_eq!(String::from_utf8_lossy(Alone::run(&plugin, twice.len()).after_hello()), twice);
    let _watch = super::Watch::new();
    // The first counts; the second is a fault of the plugin, which the next call hears of, or another process answers it.
    let session = bench.open(&plugin);
    call(&session, &super::super::kit::stop()).unwrap();
    let failure = format!("{:?}", call(&session, &list()).unwrap_err());
    assert!(
        failure.contains("plugin `x` (`") && failure.contains("spoke of call 1, which is not under way"),
        "{failure}"
    );
    bench.assert_gone();
}

#[test]
fn wrong_types() {
    let line = r#"{"t":"result","id":"one","ok":[]}"#;
    assert!(serde_json::from_str::<Value>(line).is_ok(), "it is JSON");
    let expected = format!("wrote a line that is no message: `{line}` (invalid type: string \"one\"");
    says(&format!("say '{line}'"), &format!("{line}\n"), &expected);
}

#[test]
fn a_million_opening_brackets() {
    let bench = Bench::new();
    let plugin = bench.python("hello()\nnext()\nprint('[' * 1000000, flush=True)\nnext()");
    let said = Alone::run(&plugin, 1_000_001);
    assert_eq!(said.after_hello(), ["[".repeat(1_000_000), "\n".to_owned()].concat().as_bytes());
    bench.at_fault(&plugin, "wrote a line that is no message: `[[[[");
    // And where a message may have them.
    let script = "hello()\nnext()\nprint('{\"t\":\"result\",\"id\":1,\"ok\":' + '[' * 900000 + ']' * 900000 + '}', flush=True)\nnext()";
    let plugin = bench.python(script);
    assert_eq!(
        Alone::run(&plugin, 1_800_000).after_hello().iter().filter(|byte| **byte == b'[').count(),
        900_000
    );
    bench.at_fault(&plugin, "(recursion limit exceeded");
}

#[test]
fn bad_utf_8() {
    let bench = Bench::new();
    let plugin = bench.sh(r#"hello; next; printf '{"t":"result","id":1,"ok":{"a":"\377"}}\n'; next"#);
    assert!(std::str::from_utf8(Alone::run(&plugin, 30).after_hello()).is_err());
    bench.at_fault(&plugin, "(it is not UTF-8)");
}

#[test]
fn a_line_without_an_end_at_the_end() {
    let bench = Bench::new();
    let plugin = bench.sh("hello; next; printf '{\"t\":\"resu'; exit 1");
    let alone = Alone::run(&plugin, 1000);
    assert_eq!((alone.after_hello(), alone.code()), (&b"{\"t\":\"resu"[..], Some(1)));
    bench.at_fault(&plugin, "ended with exit status 1, within a line that has no end: `{\"t\":\"resu`");
}
