//! A conversation line by line: with a plugin that is linked in, or with a process. I/O: threads, processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use cloudpad::plugin::start::{Launch, Started, start};
use cloudpad_plugin_api::Plugin;
use cloudpad_plugin_api::testing::Linked;
use cloudpad_plugin_api::wire::{FromHost, HostHello, MAX_LINE, PROTOCOL};
use serde_json::{Value, json};

use crate::steps::{Ask, Step, When};
use crate::transcript::Transcript;

/// Longer than anything takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A field, or a message, that no plugin knows yet.
const NEWER: &str = "cloudpad-of-tomorrow";

/// A plugin that is spoken to.
pub struct Wire {
    to: Sender<Vec<u8>>,
    from: Receiver<Vec<u8>>,
    /// Waits for its end, which has to be a good one.
    end: Box<dyn FnOnce()>,
}

impl Wire {
    /// One that is linked in: built in, and called through JSON.
    pub fn linked(plugin: &'static Plugin) -> Self {
        let Linked { to, from, served } = Linked::serve(plugin);
        Self { to, from, end: Box::new(|| assert_eq!(served.join().unwrap(), Ok(()))) }
    }

    /// A process, as the host starts it.
    pub fn started(launch: &Launch) -> Self {
        let Started { mut child, mut stdin, stdout, stderr } = start(launch).unwrap();
        let ((to, told), (tell, from)) = (channel::<Vec<u8>>(), channel());
        thread::spawn(move || {
            for mut line in told {
                line.push(b'\n');
                stdin.write_all(&line).unwrap();
            }
        });
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                tell.send(line).unwrap();
            }
        });
        let errors = thread::spawn(|| read(stderr));
        let end = move || {
            let status = child.wait().unwrap();
            assert_eq!((status.code(), errors.join().unwrap().as_str()), (Some(0), ""));
        };
        Self { to, from, end: Box::new(end) }
    }

    fn say(&self, message: &Value) {
        self.to.send(message.to_string().into_bytes()).unwrap();
    }

    fn hear(&self) -> Option<Value> {
        match self.from.recv_timeout(PATIENCE) {
            Ok(line) => Some(serde_json::from_slice(&line).unwrap()),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing"),
        }
    }

    /// Goes through all steps, then ends the conversation. The host is a newer one: it says more than is known.
    pub fn converse(self, steps: &[Step]) -> Transcript {
        let mut said = Transcript::default();
        said.begin("hello");
        said.hear(self.hear().expect("a hello"));
        let version = "99.0.0".to_owned();
        let hello = HostHello { protocol: PROTOCOL, version, max_line: MAX_LINE };
        self.say(&newer(serde_json::to_value(FromHost::Hello(hello)).unwrap()));
        self.say(&json!({ "t": NEWER, "id": 1 }));
        for (id, step) in (1..).zip(steps) {
            said.begin(step.what);
            self.say(&newer(step.call(id)));
            self.listen(id, step.cancel.as_ref(), &mut said);
        }
        said.begin("after the end");
        drop(self.to);
        for line in self.from {
            said.hear(serde_json::from_slice(&line).unwrap());
        }
        (self.end)();
        said
    }

    /// Hears all that is said of a call.
    fn listen(&self, id: u64, cancel: Option<&When>, said: &mut Transcript) {
        let stop = |id| json!({ "t": "cancel", "id": id, "reason": "a test" });
        if let Some(When::Seen(seen)) = cancel {
            seen();
            self.say(&newer(stop(id)));
        }
        let mut at_event = matches!(cancel, Some(When::Event));
        loop {
            let message = self.hear().expect("an answer");
            let is_event = message["t"] == "event";
            said.hear(message);
            if !is_event {
                break;
            }
            if std::mem::take(&mut at_event) {
                self.say(&newer(stop(id)));
            }
        }
        if cancel.is_some() {
            // That call is over, and the other was never made.
            self.say(&stop(id));
            self.say(&stop(u64::from(u32::MAX)));
        }
    }
}

impl Step {
    fn call(&self, id: u64) -> Value {
        let Self { provider, config, ask, .. } = self;
        let mut call = match ask {
            Ask::Request(request, key) => {
                let mut call = serde_json::to_value(request).unwrap();
                call["key"] = (*key).into();
                call
            }
            Ask::Line(method, params) => json!({ "method": method, "params": params }),
        };
        for (field, value) in [("t", json!("call")), ("id", json!(id)), ("provider", json!(provider))] {
            call[field] = value;
        }
        call["config"] = config.clone();
        call
    }
}

fn newer(mut message: Value) -> Value {
    message[NEWER] = json!({ "of": ["tomorrow", 1.5, null] });
    if message["params"].is_object() {
        message["params"][NEWER] = true.into();
    }
    message
}

fn read(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}
