//! The provider that every carrier of the suite has, in Rust; `same.py`, `same.sh` and `same.c` are the same. Its config
//! says what it does. I/O: files.

use std::sync::mpsc::channel;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{
    Context, Event, Failure, FailureKind, Handler, Level, Outcome, Progress, Provider, PushScope, register,
};
use serde_json::Value;

struct Same;

const KEYS: [&str; 4] = ["count", "fail", "panic", "wait"];

fn config(cx: &Context) -> Result<serde_json::Map<String, Value>, Failure> {
    cx.config()
}

fn check(cx: &Context) -> Result<(), Failure> {
    match config(cx)?.keys().find(|key| !KEYS.contains(&key.as_str())) {
        Some(key) => Err(Failure::invalid(format!("`{key}` is no key of this provider's `config`"))
            .hint(format!("its keys: {}", KEYS.join(", ")))),
        None => Ok(()),
    }
}

impl Inventory for Same {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        check(cx)
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let config = config(cx)?;
        if config.contains_key("fail") {
            return Err(fail());
        }
        if config.contains_key("wait") {
            return wait(cx);
        }
        assert!(!config.contains_key("panic"), "no luck");
        Ok(count(
            cx,
            match config.get("count") {
                Some(Value::String(file)) => read(cx, file)?,
                number => number.and_then(Value::as_u64).unwrap_or(0),
            },
        ))
    }
}

/// A number in a file of the project.
fn read(cx: &Context, file: &str) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(cx.path(file)).unwrap_or_default();
    text.trim().parse().map_err(|_| Failure::failed(format!("there is no number in `{file}`")))
}

/// Events of all kinds, and hosts with and without all that a host may have.
fn count(cx: &Context, count: u64) -> Hosts {
    cx.log(Level::Debug, format!("counting to {count}"));
    let (label, unit) = ("counting \u{2713}".to_owned(), "steps".to_owned());
    cx.emit(Event::Progress(Progress { label, done: 0, total: Some(count), unit }));
    cx.emit(Event::Progress(Progress { label: "more".to_owned(), done: count, ..Progress::default() }));
    let host = |number: u64| {
        cx.output("count", number.to_string());
        Host::new(format!("h{number}"), format!("deploy@192.0.2.{number}:2222"))
    };
    let mut hosts: Vec<Host> = (1..=count).map(host).collect();
    if let Some(first) = hosts.first_mut() {
        first.roles = vec!["web".to_owned(), "db".to_owned()];
        first.labels.insert("zone".to_owned(), "\"\u{fc}\\\u{1f433}\t".to_owned());
    }
    cx.output("", "");
    cx.log(Level::Warn, "that was all");
    Hosts { hosts, ..Hosts::default() }
}

/// A failure with all that a failure may have.
fn fail() -> Failure {
    let failure = Failure::new(FailureKind::Unreachable, "could not reach `rack`: no route");
    let failure = failure.cause("the line is cut").cause("a digger").hint("look at the line");
    failure.outcome(Outcome::Partial).retryable().on("h7")
}

/// Goes on until it is cancelled.
fn wait(cx: &Context) -> Result<Hosts, Failure> {
    let (tell, told) = channel();
    cx.cancel().on_cancel(move || tell.send(()).unwrap_or_default());
    cx.log(Level::Info, "waiting");
    let _ = told.recv();
    Err(Failure::cancelled())
}

impl Push for Same {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        check(cx)
    }

    fn scope(&self) -> PushScope {
        PushScope::Shared
    }

    fn run(&self, cx: &Context, request: &Run) -> Result<Pushed, Failure> {
        cx.log(Level::Info, format!("key `{}`, {} similar", cx.key(), request.similar.len()));
        Ok(Pushed { reference: format!("registry.example/{}", request.reference), sent: Some(1 << 40) })
    }
}

register! {
    parallel: false;
    Provider { name: "same", about: "does what its config says", handler: Handler::Inventory(&Same) },
    Provider { name: "same", about: "pushes nothing", handler: Handler::Push(&Same) },
}
