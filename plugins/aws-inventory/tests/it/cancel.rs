//! A call that is cancelled ends the aws tool, which may wait for minutes.

use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::Duration;

use cloudpad_plugin_api::{Event, FailureKind, Outcome};
use serde_json::json;

use crate::support::{LIST, call, ec2};

#[test]
fn the_tool_ends_with_its_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    let (tell_end, ended) = channel();
    // Takes the request, answers nothing, and sees the connection end with the tool.
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        assert!(stream.read(&mut bytes).unwrap() > 0);
        tell.send(()).unwrap();
        while matches!(stream.read(&mut bytes), Ok(1..)) {}
        tell_end.send(()).unwrap();
    });
    let host = call(ec2(), &["eu-west-1"]).config(json!({ "endpoint_url": url })).host();
    let mut begun = false;
    let played = host.call_with(LIST, |event, stop| {
        if matches!(event, Event::Log { .. }) && !std::mem::replace(&mut begun, true) {
            asked.recv_timeout(Duration::from_secs(60)).unwrap();
            stop.cancel();
        }
    });
    let failure = played.end.unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Cancelled, Outcome::None));
    ended.recv_timeout(Duration::from_secs(60)).expect("the tool lives on");
}
