//! The double does what a real fleetd 1.0 was seen to do: statuses and words of requests. I/O: the double.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::double::Double;

/// Asks as bytes on the wire; the status is 0 where nothing is answered.
pub fn ask(double: &Double, method: &str, path: &str, content_type: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", double.port())).unwrap();
    let kind =
        if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
    let length = body.len();
    write!(
        stream,
        "{method} /fleet/v1/{path} HTTP/1.1\r\nHost: f\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (status, body.to_owned())
}

pub const JSON: &str = "application/json";
pub const SLEEPS: &str = r#""options":[{"section":"Service","name":"ExecStart","value":"/bin/sleep 3600"}]"#;

#[test]
fn statuses_and_words_are_those_of_fleetd() {
    let double = Double::start();
    let inactive = format!(r#"{{"desiredState":"inactive",{SLEEPS}}}"#);
    let launched = format!(r#"{{"desiredState":"launched",{SLEEPS}}}"#);
    let with = |x: &str| format!(r#"{{"desiredState":"inactive","options":[{x}]}}"#);
    let x = |name: &str, value: &str| format!(r#"{{"section":"X-Fleet","name":"{name}","value":"{value}"}}"#);
    let two = |a: (&str, &str), b: (&str, &str)| with(&format!("{},{}", x(a.0, a.1), x(b.0, b.1)));
    let long = with(&format!(r#"{{"section":"Service","name":"ExecStart","value":"{}"}}"#, "x".repeat(2500)));
    let split = with(&format!(
        r#"{{"section":"Service","name":"ExecStart","value":"/bin/echo {0}\\\n{0}"}}"#,
        "x".repeat(2000)
    ));
    let line_break = with(r#"{"section":"Service","name":"ExecStart","value":"/bin/true\nUser=nobody"}"#);
    let too_long = format!("units/{}.service", "a".repeat(249));
    let rows: &[(&str, &str, &str, &str, u16, &str)] = &[
        ("GET", "units", "", "", 200, "{}"),
        ("GET", "state", "", "", 200, "{}"),
        ("GET", "units/nope.service", "", "", 404, "unit does not exist"),
        ("DELETE", "units/nope.service", "", "", 404, "unit does not exist"),
        ("PUT", "units/nope.service", JSON, r#"{"desiredState":"launched"}"#, 409, "options field empty"),
        (
            "PUT",
            "units/nope.service",
            JSON,
            r#"{"desiredState":"launched","options":[]}"#,
            409,
            "options field empty",
        ),
        ("PUT", "units/err.service", JSON, &format!("{{{SLEEPS}}}"), 201, ""),
        ("GET", "units/err.service", "", "", 200, r#""desiredState":"inactive""#),
        ("PUT", "units/err.service", JSON, "{}", 409, "must provide DesiredState"),
        ("PUT", "units/err.service", JSON, &format!("{{{SLEEPS}}}"), 409, "must provide DesiredState"),
        ("PUT", "units/err.service", JSON, &inactive, 204, ""),
        ("PUT", "units/a.service", JSON, "not json", 400, "unable to decode body"),
        ("PUT", "units/a.service", JSON, "", 400, "unable to decode body"),
        (
            "PUT",
            "units/a.service",
            JSON,
            r#"{"name":"b.service"}"#,
            400,
            "differs from unit name in request body",
        ),
        ("PUT", "units/hello", JSON, &launched, 400, "unit name must contain"),
        ("PUT", "units/hello.foo", JSON, &launched, 400, "invalid unit type"),
        ("PUT", "units/he%20llo.service", JSON, &launched, 400, "invalid character ' ' in unit name"),
        ("PUT", &too_long, JSON, &launched, 400, "exceeds maximum length (256)"),
        ("PUT", "units/a@.mount", JSON, &inactive, 400, "invalid unit type for template"),
        ("PUT", "units/@x.service", JSON, &inactive, 400, "unit name cannot start in"),
        ("PUT", "units/a%2Fb.service", JSON, &inactive, 404, ""),
        ("GET", "units/", "", "", 404, ""),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineID", "1"), ("MachineOf", "b.service")),
            400,
            "MachineID cannot be used with Peers",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineID", "1"), ("Conflicts", "b*")),
            400,
            "MachineID cannot be used with Conflicts",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineID", "1"), ("Global", "true")),
            400,
            "MachineID cannot be used with Global",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineID", "1"), ("Replaces", "b.service")),
            400,
            "MachineID cannot be used with Replaces",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("Global", "true"), ("MachineOf", "b.service")),
            400,
            "Global cannot be used with Peers",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("Global", "true"), ("Replaces", "b.service")),
            400,
            "Global cannot be used with Replaces",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("Conflicts", "b*"), ("Replaces", "c.service")),
            400,
            "Conflicts cannot be used with Replaces",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineOf", "b.service"), ("Conflicts", "b*")),
            400,
            "matches conflict",
        ),
        (
            "PUT",
            "units/x.service",
            JSON,
            &two(("MachineOf", "b.service"), ("Replaces", "b.service")),
            400,
            "matches replace",
        ),
        ("PUT", "units/unk.service", JSON, &with(&x("Bogus", "1")), 201, ""),
        ("PUT", "units/long.service", JSON, &long, 400, "line too long (max 2048 bytes)"),
        ("PUT", "units/split.service", JSON, &split, 201, ""),
        ("GET", "units/split.service", "", "", 200, "\r\n0\r\n\r\n"),
        ("PUT", "units/a.service", "", &launched, 415, "expected 1 Content-Type, got 0"),
        (
            "PUT",
            "units/a.service",
            "text/plain",
            &launched,
            415,
            "only acceptable Content-Type is application/json",
        ),
        ("PUT", "units/ct.service", "application/json; charset=utf-8", &inactive, 201, ""),
        ("POST", "units", JSON, &launched, 405, "only GET supported"),
        ("POST", "units/p.service", JSON, &launched, 405, "only GET, PUT and DELETE"),
        ("POST", "machines", JSON, "{}", 405, "only GET and PATCH"),
        ("PUT", "state", JSON, "{}", 405, "only GET supported"),
        ("GET", "machines/f1ee7001000000000000000000000001", "", "", 404, ""),
        ("PUT", "units/bad.service", JSON, &format!(r#"{{"desiredState":"running",{SLEEPS}}}"#), 500, ""),
        ("GET", "units/bad.service", "", "", 404, "unit does not exist"),
        ("PUT", "units/t@.service", JSON, &inactive, 201, ""),
        ("PUT", "units/t@.service", JSON, r#"{"desiredState":"launched"}"#, 400, "cannot activate template"),
        ("PUT", "units/t2@.service", JSON, &launched, 201, ""),
        ("GET", "state/nope.service", "", "", 0, ""),
        ("GET", "state/err.service", "", "", 0, ""),
        ("GET", "units?nextPageToken=***", "", "", 400, "illegal base64"),
        ("GET", "units?nextPageToken=BQACAA==", "", "", 400, "token limit must be 100"),
        ("GET", "units?nextPageToken=ZAAAAA==", "", "", 400, "token page must be greater than zero"),
        ("GET", "units?nextPageToken=ZAA=", "", "", 400, "unexpected EOF"),
        (
            "GET",
            "units?nextPageToken=ZAABAA==&nextPageToken=ZAABAA==",
            "",
            "",
            400,
            "too many values for page token",
        ),
        ("GET", "units?nextPageToken=ZAAJAA==", "", "", 200, "{}"),
        // The poison pill: taken, and never to be had again.
        ("PUT", "units/err.service", JSON, r#"{"desiredState":"running"}"#, 204, ""),
        ("GET", "units/err.service", "", "", 500, ""),
        ("PUT", "units/err.service", JSON, &inactive, 500, ""),
        ("DELETE", "units/err.service", "", "", 500, ""),
        // Stricter than fleetd, which takes them.
        ("PUT", "units/nl.service", JSON, &line_break, 400, "line break"),
        ("PUT", "units/mm.service", JSON, &with(&x("MachineMetadata", "web")), 400, "malformed metadata"),
    ];
    for (method, path, content_type, body, status, words) in rows {
        let (got, said) = ask(&double, method, path, content_type, body);
        assert!(got == *status && said.contains(words), "{method} {path} {body}: {got} {said}");
    }
    assert!(!ask(&double, "GET", "units", "", "").1.contains("err.service"));
    assert_eq!(double.wrongs().len(), 6, "{:?}", double.wrongs());
}
