//! The calls that are made in all carriers. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::stage::push::Run;
use cloudpad_plugin_api::{CheckConfig, Request, Stage};
use serde_json::{Value, json};

/// One call.
#[derive(Clone)]
pub struct Step {
    /// Its name in a transcript.
    pub what: &'static str,
    /// Which provider is asked.
    pub provider: &'static str,
    /// The provider's config.
    pub config: Value,
    /// What is asked.
    pub ask: Ask,
    /// When it is cancelled.
    pub cancel: Option<When>,
}

/// When a call is cancelled.
#[derive(Clone)]
pub enum When {
    /// At its first event.
    Event,
    /// When this returns, which may take a while.
    Seen(Arc<dyn Fn() + Send + Sync>),
}

/// What is asked.
#[derive(Clone)]
pub enum Ask {
    /// A request, which every carrier can carry, and its key.
    Request(Request, &'static str),
    /// A method and its parameters as a newer host may send them: for the wire only.
    Line(&'static str, Value),
}

impl Step {
    /// A request that changes nothing.
    pub fn new(what: &'static str, provider: &'static str, config: Value, request: Request) -> Self {
        Self { what, provider, config, ask: Ask::Request(request, ""), cancel: None }
    }

    /// The same with a key.
    pub fn keyed(self, key: &'static str) -> Self {
        match self.ask {
            Ask::Request(request, _) => Self { ask: Ask::Request(request, key), ..self },
            Ask::Line(..) => self,
        }
    }

    /// The same, cancelled at its first event.
    pub fn cancelled(self) -> Self {
        Self { cancel: Some(When::Event), ..self }
    }

    /// The same, cancelled when `seen` returns, which waits for something to be seen of it.
    pub fn cancelled_once(self, seen: impl Fn() + Send + Sync + 'static) -> Self {
        Self { cancel: Some(When::Seen(Arc::new(seen))), ..self }
    }

    /// A line that is for the wire only.
    pub fn line(what: &'static str, provider: &'static str, method: &'static str, params: Value) -> Self {
        Self { what, provider, config: Value::Null, ask: Ask::Line(method, params), cancel: None }
    }

    /// Whether only a line can say it.
    pub fn is_line(&self) -> bool {
        matches!(self.ask, Ask::Line(..))
    }
}

/// The question whether a config is fit.
pub fn check(stage: Stage) -> Request {
    Request::ConfigCheck(CheckConfig { stage })
}

/// All that provider `same` is asked.
pub fn same() -> Vec<Step> {
    let list = || Request::InventoryList(List {});
    let same = |what, config, request| Step::new(what, "same", config, request);
    let push = |similar: &[&str]| {
        let similar = similar.iter().map(|&image| image.to_owned()).collect();
        Request::PushRun(Run { reference: "shop.web:1".to_owned(), host: None, similar })
    };
    vec![
        same("no config is fit", Value::Null, check(Stage::Inventory)),
        same("a config is fit", json!({ "count": 2 }), check(Stage::Inventory)),
        same("a config is not fit", json!({ "colour": "red", "count": 2 }), check(Stage::Inventory)),
        same("no hosts", json!({}), list()),
        same("two hosts", json!({ "count": 2 }), list()),
        same("a failure", json!({ "fail": true }), list()),
        same("cancelled", json!({ "wait": true }), list()).cancelled(),
        same("the other stage's config is not fit", json!({ "tint": {} }), check(Stage::Push)),
        same("a push", json!({}), push(&["shop.web:0", "shop.base:1"])).keyed("push/shop.web:1"),
        same("the same push again", json!({}), push(&[])).keyed("push/shop.web:1"),
        Step::line("an unknown method", "same", "inventory.sing", json!({ "loud": true })),
        Step::line("an unknown provider", "other", "inventory.list", json!({})),
        Step::line("a method of a stage that it does not serve", "same", "source.sing", json!({})),
        Step::line("no params", "same", "inventory.list", Value::Null),
    ]
}
