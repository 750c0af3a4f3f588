//! A provider that is built in, called directly. I/O: threads.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use cloudpad_plugin_api::wire::FromPlugin;
use cloudpad_plugin_api::{Cancel, Context, Emit, Failure, Plugin, Reply};
use serde_json::Value;

use crate::steps::{Ask, Step, When};
use crate::transcript::Transcript;

/// Goes through all steps but those for the wire only, for the project in `dir`.
pub fn converse(plugin: &Plugin, steps: &[Step], dir: &Path) -> Transcript {
    let mut said = Transcript::default();
    said.begin("hello");
    said.hear(serde_json::to_value(FromPlugin::Hello(plugin.hello())).unwrap());
    for (id, step) in (1..).zip(steps) {
        let Ask::Request(request, key) = &step.ask else { continue };
        said.begin(step.what);
        let is_meant =
            |p: &&cloudpad_plugin_api::Provider| p.name == step.provider && p.stage() == request.stage();
        let provider = plugin.providers.iter().find(is_meant).expect("the provider");
        let heard = Heard::new(id, step.cancel.clone());
        let cx = Context::new(step.config.clone(), heard.emit(), heard.cancel.clone())
            .keyed(key)
            .within(Arc::from(dir));
        let end = provider.call_contained(&cx, request);
        heard.tell(end, &mut said);
    }
    said.begin("after the end");
    said
}

/// What is heard of a call, as the lines that say the same.
pub struct Heard {
    id: u64,
    at_event: bool,
    /// How the call is cancelled.
    pub cancel: Cancel,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Heard {
    /// Of the call with this number, and when it is cancelled.
    pub fn new(id: u64, when: Option<When>) -> Self {
        let (at_event, cancel) = (matches!(when, Some(When::Event)), Cancel::new());
        if let Some(When::Seen(seen)) = when {
            let cancel = cancel.clone();
            thread::spawn(move || {
                seen();
                cancel.cancel();
            });
        }
        Self { id, at_event, cancel, events: Arc::default() }
    }

    /// Where the call's events go.
    pub fn emit(&self) -> Emit {
        let (id, at_event, cancel, events) =
            (self.id, self.at_event, self.cancel.clone(), self.events.clone());
        Arc::new(move |event| {
            events.lock().unwrap().push(serde_json::to_value(FromPlugin::Event { id, event }).unwrap());
            if at_event {
                cancel.cancel();
            }
        })
    }

    /// All of it.
    pub fn tell(self, end: Result<Reply, Failure>, said: &mut Transcript) {
        self.events.lock().unwrap().drain(..).for_each(|event| said.hear(event));
        let id = self.id;
        let end = match end {
            Ok(reply) => FromPlugin::Result { id, ok: serde_json::to_value(reply).unwrap() },
            Err(error) => FromPlugin::Error { id, error },
        };
        said.hear(serde_json::to_value(end).unwrap());
    }
}
