//! The serve loop against a host that a test plays by hand.

use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

use serde_json::{Value, json};

use super::memory::{self, HostSide};
use super::{MOST_CALLS, serve};
use crate::stage::inventory::{Hosts, Inventory, List};
use crate::{Context, Failure, Handler, Level, Plugin, Provider, model::Host};

/// A provider that does what its configuration says.
struct Odd;

static MEETING: Barrier = Barrier::new(2);
static REACHED: Barrier = Barrier::new(2);
static LEFT_OVER: Mutex<Option<Context>> = Mutex::new(None);

impl Inventory for Odd {
    fn check(&self, _: &Context) -> Result<(), Failure> {
        Ok(())
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let text = "x".repeat(5000);
        match cx.config::<String>()?.as_str() {
            "meet" => drop(MEETING.wait()),
            "reach" => drop(REACHED.wait()),
            "panic" => panic!("no {}", "luck"),
            "wait" => {
                let (tell, told) = mpsc::channel();
                cx.cancel().on_cancel(move || tell.send(()).unwrap());
                cx.log(Level::Info, "waiting");
                told.recv().unwrap();
                return Err(Failure::cancelled());
            }
            "leave" => *LEFT_OVER.lock().unwrap() = Some(cx.clone()),
            "late" => LEFT_OVER.lock().unwrap().take().unwrap().log(Level::Info, "late"),
            "key" => cx.log(Level::Info, cx.key()),
            "large" => return Ok(Hosts { hosts: vec![Host::new(text, "local")], ..Hosts::default() }),
            "large event" => cx.log(Level::Info, text),
            "large failure" => return Err(Failure::failed("no").cause(text)),
            _ => {}
        }
        Ok(Hosts::default())
    }
}

const ODD: [Provider; 1] = [Provider { name: "odd", about: "", handler: Handler::Inventory(&Odd) }];

fn plugin(parallel: bool) -> Plugin {
    Plugin { name: "cloudpad-odd", version: "1.2.3", about: "", parallel, providers: &ODD }
}

/// What a test sees of a session: each message as one short line.
struct Seen(HostSide);

impl Seen {
    fn say(&self, message: &Value) {
        self.0.to.send(message.to_string().into_bytes()).unwrap();
    }

    fn hello(&self) {
        assert_eq!(self.next(), "hello cloudpad-odd");
        self.say(&json!({ "t": "hello", "protocol": 1, "max_line": 4096 }));
    }

    fn call(&self, id: u64, what: &str) {
        let key = format!("key {id}");
        self.say(&json!({ "t": "call", "id": id, "provider": "odd", "config": what, "key": key,
                          "method": "inventory.list", "params": {} }));
    }

    fn cancel(&self, id: u64) {
        self.say(&json!({ "t": "cancel", "id": id }));
    }

    fn next(&self) -> String {
        line(&self.0.from.recv().unwrap())
    }

    /// All that comes until the plugin has nothing more to say, the host having nothing more either.
    fn rest(self) -> Vec<String> {
        drop(self.0.to);
        self.0.from.iter().map(|message| line(&message)).collect()
    }
}

fn line(message: &[u8]) -> String {
    let message: Value = serde_json::from_slice(message).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match text(&message["t"]).as_str() {
        "hello" => format!("hello {}", text(&message["name"])),
        "event" => format!("{} event {}", message["id"], text(&message["message"])),
        "result" => format!("{} result", message["id"]),
        "error" => {
            let error = &message["error"];
            format!(
                "{} {} {}: {}",
                message["id"],
                text(&error["outcome"]),
                text(&error["kind"]),
                text(&error["message"])
            )
        }
        other => other.to_owned(),
    }
}

/// A session that a test plays; how it ended for the plugin.
fn session(parallel: bool, play: impl FnOnce(Seen)) -> Result<(), String> {
    let (host, mut from, to) = memory::pair();
    thread::scope(|threads| {
        let served = threads.spawn(move || serve(&plugin(parallel), &mut from, Box::new(to)));
        play(Seen(host));
        served.join().unwrap()
    })
}

#[test]
fn a_host_may_leave_after_the_hello() {
    let ended = session(true, |host| {
        let hello: Value = serde_json::from_slice(&host.0.from.recv().unwrap()).unwrap();
        let provides = json!([{ "stage": "inventory", "provider": "odd", "methods": ["config.check", "inventory.list"] }]);
        assert_eq!(
            hello,
            json!({ "t": "hello", "name": "cloudpad-odd", "version": "1.2.3", "protocols": [1], "parallel": true,
                    "provides": provides })
        );
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn a_host_that_breaks_the_protocol_is_told_why_and_left() {
    let says = |messages: &[&str]| {
        let messages: Vec<_> = messages.iter().map(|message| message.as_bytes().to_vec()).collect();
        session(true, |host| messages.into_iter().for_each(|message| drop(host.0.to.send(message))))
            .unwrap_err()
    };
    let hello = r#"{"t":"hello","protocol":1}"#;
    assert_eq!(
        says(&[r#"{"t":"hello","protocol":9}"#]),
        "the host has chosen protocol 9, and this plugin has offered 1"
    );
    assert_eq!(
        says(&[r#"{"t":"new"}"#, r#"{"t":"cancel","id":1}"#]),
        "the host has sent something else before its hello"
    );
    assert!(
        says(&[hello, "hello?"]).starts_with("the host has sent a line that is no message: expected value")
    );
    let call = r#"{"t":"call","id":4,"provider":"odd","config":"wait","method":"inventory.list"}"#;
    assert_eq!(says(&[hello, call, call]), "the host has given the number 4 to two calls at the same time");
}

#[test]
fn one_call_at_a_time_while_cancels_are_heard() {
    let ended = session(false, |host| {
        host.hello();
        host.call(1, "wait");
        assert_eq!(host.next(), "1 event waiting");
        host.call(2, "wait");
        host.call(3, "");
        host.cancel(2);
        assert_eq!(host.next(), "2 none cancelled: stopped because the caller asked for it");
        host.cancel(1);
        assert_eq!(host.next(), "1 none cancelled: stopped because the caller asked for it");
        assert_eq!(host.next(), "3 result");
        host.cancel(3);
        assert_eq!(host.rest(), [""; 0]);
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn calls_that_need_each_other_are_under_way_together() {
    let ended = session(true, |host| {
        host.hello();
        host.call(1, "meet");
        host.call(2, "meet");
        let mut ends = [host.next(), host.next()];
        ends.sort();
        assert_eq!(ends, ["1 result", "2 result"]);
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn no_more_than_so_many_at_once() {
    let ended = session(true, |host| {
        host.hello();
        let most = MOST_CALLS as u64;
        (1..=most).for_each(|id| host.call(id, "wait"));
        (1..=most).for_each(|_| assert!(host.next().ends_with("event waiting")));
        host.call(most + 1, "");
        host.say(&json!({ "t": "call", "id": 999, "provider": "even", "method": "inventory.list" }));
        assert!(host.next().starts_with("999 none unsupported"), "and no result before");
        host.cancel(7);
        assert!(host.next().starts_with("7 none cancelled"));
        assert_eq!(host.next(), format!("{} result", most + 1));
        assert_eq!(host.rest().len(), MOST_CALLS - 1, "each has its end");
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn what_one_call_does_is_its_own_end_only() {
    let ended = session(true, |host| {
        host.hello();
        host.call(1, "panic");
        assert_eq!(host.next(), "1 unknown crashed: inventory provider `odd` panicked: no luck");
        host.say(
            &json!({ "t": "call", "id": 2, "provider": "odd", "method": "inventory.sing", "params": {} }),
        );
        assert_eq!(host.next(), "2 none unsupported: `inventory.sing` is not offered by this provider");
        host.say(
            &json!({ "t": "call", "id": 3, "provider": "even", "method": "inventory.list", "params": {} }),
        );
        assert_eq!(host.next(), "3 none unsupported: plugin `cloudpad-odd` has no inventory provider `even`");
        host.say(&json!({ "t": "call", "id": 4, "provider": "odd", "method": "push.run", "params": { "reference": "x" } }));
        assert_eq!(host.next(), "4 none unsupported: plugin `cloudpad-odd` has no push provider `odd`");
        host.say(&json!({ "t": "call", "id": 5, "provider": "odd", "method": "push.run", "params": {} }));
        assert!(host.next().starts_with("5 none invalid: the parameters of `push.run` are not understood"));
        host.say(&json!({ "t": "call", "id": 6, "provider": "odd", "method": "config.check", "params": { "stage": "inventory" } }));
        assert_eq!(host.next(), "6 result");
        host.say(&json!({ "t": "applause" }));
        host.call(7, "key");
        assert_eq!(host.rest(), ["7 event key 7", "7 result"]);
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn an_event_of_a_call_that_has_ended_is_not_sent() {
    let ended = session(true, |host| {
        host.hello();
        host.call(1, "leave");
        assert_eq!(host.next(), "1 result");
        host.call(2, "late");
        assert_eq!(host.rest(), ["2 result"]);
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn nothing_is_longer_than_the_host_takes() {
    let ended = session(true, |host| {
        host.hello();
        host.call(1, "large");
        let refused = "1 unknown failed: the answer to `inventory.list` has 5068 bytes, and the host takes at most 4096";
        assert_eq!(host.next(), refused);
        host.call(2, "large event");
        assert!(host.next().starts_with("2 event an event of 50"));
        assert_eq!(host.next(), "2 result");
        host.call(3, "large failure");
        assert_eq!(host.next(), "3 none failed: no");
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn calls_are_cancelled_and_have_their_end_when_the_host_has_no_more_to_say() {
    let ended = session(false, |host| {
        host.hello();
        host.call(1, "wait");
        assert_eq!(host.next(), "1 event waiting");
        host.call(2, "");
        let mut rest = host.rest();
        rest.sort();
        let cancelled = |id| format!("{id} none cancelled: stopped because the caller asked for it");
        assert_eq!(rest, [cancelled(1), cancelled(2)]);
    });
    assert_eq!(ended, Ok(()));
}

#[test]
fn calls_are_cancelled_when_the_host_does_not_listen_any_more() {
    let (host, mut from, to) = memory::pair();
    thread::scope(|threads| {
        let served = threads.spawn(move || serve(&plugin(false), &mut from, Box::new(to)));
        let host = Seen(host);
        host.hello();
        let Seen(HostSide { to, from }) = host;
        drop(from);
        let call =
            json!({ "t": "call", "id": 1, "provider": "odd", "config": "wait", "method": "inventory.list" });
        to.send(call.to_string().into_bytes()).unwrap();
        // It comes to its turn because the first is cancelled: nobody can have heard of that one's event.
        let call =
            json!({ "t": "call", "id": 2, "provider": "odd", "config": "reach", "method": "inventory.list" });
        to.send(call.to_string().into_bytes()).unwrap();
        REACHED.wait();
        drop(to);
        assert_eq!(served.join().unwrap(), Ok(()));
    });
}
