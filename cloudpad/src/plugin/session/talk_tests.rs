//! Conversations as tables.

use super::*;
use cloudpad_plugin_api::{Level, Outcome};
use serde_json::json;

const HELLO: &str = r#"{"t":"hello","name":"x","version":"1","protocols":[1],"provides":[]}"#;

fn new() -> Talk {
    Talk::new(Arc::new(Mask::new(["s3cret".to_owned()])))
}

/// A plugin that has said hello and has calls 1, 2 and 4, of which 1 has ended.
fn talk() -> Talk {
    let mut talk = new();
    assert!(matches!(talk.line(HELLO.as_bytes()), Ok(Heard::Hello(_))));
    [1, 2, 4].into_iter().for_each(|id| talk.begin(id));
    assert_eq!(talk.line(br#"{"t":"result","id":1,"ok":{}}"#), Ok(Heard::End(1, Ok(json!({})))));
    talk
}

fn breach(talk: &mut Talk, line: &str) -> String {
    match talk.line(line.as_bytes()) {
        Err(Breach::Other(words)) => words,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_is_said_of_calls() {
    let log = Event::Log { level: Level::Info, message: "hi".into() };
    let cases = [
        (r#"{"t":"event","id":2,"kind":"log","level":"info","message":"hi"}"#, Heard::Event(2, log)),
        (r#" { "id" : 2 , "t" : "event", "kind":"sing" } "#, Heard::Event(2, Event::Other)),
        (r#"{"t":"result","id":2,"ok":{"a":1}}"#, Heard::End(2, Ok(json!({ "a": 1 })))),
        (
            r#"{"t":"error","id":2,"error":{"kind":"failed","message":"no"}}"#,
            Heard::End(2, Err(Failure::failed("no").outcome(Outcome::Unknown))),
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(talk().line(line.as_bytes()), Ok(expected), "{line}");
    }
}

#[test]
fn what_a_newer_or_busy_plugin_says_is_ignored() {
    let late = r#"{"t":"event","id":1,"kind":"log","level":"info","message":"late"}"#;
    let unknown = r#"{"t":"metrics","cpu":[1,2,3]}"#;
    for line in [late, unknown, "", "  \r"] {
        assert_eq!(talk().line(line.as_bytes()), Ok(Heard::Nothing), "{line}");
    }
}

#[test]
fn what_breaks_the_protocol() {
    let (open, close) = ("[".repeat(900_000), "]".repeat(900_000));
    let deep = format!("{{\"t\":\"result\",\"id\":2,\"ok\":{open}{close}}}");
    let cases = [
        (
            "Listening on 8080",
            "wrote a line that is no message: `Listening on 8080` (standard output is for messages",
        ),
        ("[\"t\"]", "wrote a line that is no message: `[\"t\"]`"),
        ("{\"t\":\"result\"", "(EOF while parsing"),
        ("{}", "(missing field `t`"),
        ("{\"t\":5}", "(invalid type: integer `5`, expected a string"),
        (r#"{"t":"result","id":1,"ok":{}}"#, "spoke of call 1, which is not under way: `{\"t\":\"result\","),
        (r#"{"t":"result","id":3,"ok":{}}"#, "spoke of call 3, which is not under way"),
        (r#"{"t":"error","id":9,"error":{"kind":"failed","message":"m"}}"#, "spoke of call 9"),
        (r#"{"t":"event","id":9,"kind":"log","level":"info","message":""}"#, "spoke of call 9"),
        (r#"{"t":"event","id":0,"kind":"log","level":"info","message":""}"#, "spoke of call 0"),
        (r#"{"t":"result","id":"2","ok":{}}"#, "(invalid type: string \"2\", expected u64"),
        (r#"{"t":"error","id":2,"error":"boom"}"#, "(invalid type: string \"boom\", expected struct Failure"),
        (r#"{"t":"result","id":-1,"ok":{}}"#, "(invalid value: integer `-1`"),
        (r#"{"t":"result","id":2,"ok":"\ud800"}"#, "(unexpected end of hex escape"),
        (&deep, "(recursion limit exceeded"),
        (HELLO, "said hello twice"),
    ];
    for (line, expected) in cases {
        let words = breach(&mut talk(), line);
        let start = &line[..line.len().min(80)];
        assert!(words.contains(expected), "{start}: {words}");
        assert!(words.len() < 500, "{start}: {}", words.len());
    }
    let invalid = talk().line(b"{\"t\":\"\xff\"}");
    assert!(matches!(invalid, Err(Breach::Other(words)) if words.ends_with("(it is not UTF-8)")));
}

#[test]
fn a_line_may_be_long_but_not_hold_too_many_values() {
    let event =
        |text: &str| format!(r#"{{"t":"event","id":2,"kind":"log","level":"info","message":"{text}"}}"#);
    let long = event(&r#",\",[,"#.repeat(300_000));
    assert!(matches!(talk().line(long.as_bytes()), Ok(Heard::Event(2, _))));
    let dense = format!(r#"{{"t":"metrics","numbers":[{}0]}}"#, "0,".repeat(1_000_000));
    assert_eq!(breach(&mut talk(), &dense), "wrote a line with more than 1000000 values");
    let fewer = format!(r#"{{"t":"metrics","numbers":[{}0]}}"#, "0,".repeat(999_000));
    assert_eq!(talk().line(fewer.as_bytes()), Ok(Heard::Nothing));
}

#[test]
fn two_results_are_a_breach() {
    let mut talk = talk();
    let line = r#"{"t":"result","id":2,"ok":{}}"#;
    assert!(talk.line(line.as_bytes()).is_ok());
    assert!(breach(&mut talk, line).starts_with("spoke of call 2, which is not under way"));
}

#[test]
fn the_first_line_has_to_be_a_hello() {
    let cases = [
        ("starting", "wrote a line that is no message: `starting`"),
        (r#"{"t":"result","id":1,"ok":{}}"#, "began with `result` in place of its hello"),
        (r#"{"t":"metrics"}"#, "began with `metrics` in place of its hello"),
        (r#"{"t":"hello"}"#, "said a hello that is none (missing field `name`)"),
        (r#"{"t":"hello","name":[[[{"#, "wrote a line that is no message"),
    ];
    for (line, expected) in cases {
        let words = breach(&mut new(), line);
        assert!(words.starts_with(expected), "{line}: {words}");
    }
    let newer = new().line(br#"{"t":"hello","protocols":[9]}"#);
    assert_eq!(newer, Err(Breach::Protocols("[9]".into())));
}
