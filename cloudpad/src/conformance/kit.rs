//! What the checks of one plugin share. I/O: through conversations.

use cloudpad_plugin_api::wire::{PluginHello, Provides};
use serde_json::{Value, json};

use super::case::Case;
use super::conversation::{Ask, Conversation, Over};
use super::verdict::Verdict;
use crate::plugin::limits::Limits;
use crate::plugin::start::Launch;

/// A name that no provider, method or key has.
pub const NOBODY: &str = "cloudpad-plugin-check";

/// How the plugin is started, what it is checked with, and what is known of it so far.
pub struct Kit<'a> {
    pub launch: &'a Launch,
    pub limits: Limits,
    pub case: &'a Case,
    pub allow_mutating: bool,
    /// Its hello, as it was said.
    pub said: Option<Value>,
    /// Its hello, once that was found fit to go on with.
    pub hello: Option<PluginHello>,
    /// A conversation in which nothing has failed so far.
    pub ordinary: Option<Conversation>,
    /// How one such ended.
    pub over: Option<Over>,
    /// The first line of all that was no message.
    pub stray: Option<String>,
    /// The first message of all that was about no call.
    pub misplaced: Option<String>,
}

impl Kit<'_> {
    /// A new process of the plugin, with which hellos were exchanged.
    pub fn open(&mut self) -> Result<Conversation, Verdict> {
        let mut opened = self.open_only()?;
        opened.greet(&json!({}));
        Ok(opened)
    }

    /// A new process of the plugin, which has said hello.
    pub fn open_only(&mut self) -> Result<Conversation, Verdict> {
        let mend = "it says hello whenever it is started with `--cloudpad-plugin`";
        Conversation::open(self.launch, self.limits).map_err(|why| Verdict::failed(why, mend))
    }

    /// Ends a conversation, and remembers what was wrong with it.
    pub fn close(&mut self, conversation: Conversation) -> Over {
        let over = conversation.close();
        self.stray = self.stray.take().or_else(|| over.transcript.stray.clone());
        self.misplaced = self.misplaced.take().or_else(|| over.transcript.misplaced.clone());
        over
    }

    /// Looks at each provider; the worst counts.
    pub fn for_each_offer(&mut self, check: impl Fn(&mut Self, &Provides, &Value) -> Verdict) -> Verdict {
        let (offers, config) = (self.offers(), self.config());
        let mut verdicts = Vec::new();
        for offer in &offers {
            let verdict = check(self, offer, &config);
            let part = format!("provider `{}` of stage `{}`", offer.provider, offer.stage);
            verdicts.push(if offers.len() > 1 { verdict.of(&part) } else { verdict });
        }
        let nothing = || Verdict::skipped("it provides nothing that could be checked");
        verdicts.into_iter().reduce(Verdict::and).unwrap_or_else(nothing)
    }

    /// Speaks to each provider in the ordinary conversation; the worst counts.
    pub fn with_each_offer(
        &mut self,
        check: impl Fn(&mut Conversation, &Provides, &Value) -> Verdict,
    ) -> Verdict {
        self.for_each_offer(|kit, offer, config| {
            kit.ordinarily(|conversation| check(conversation, offer, config))
                .unwrap_or_else(|verdict| verdict)
        })
    }

    /// Does something in the ordinary conversation, which goes on until a check fails in it.
    pub fn ordinarily(
        &mut self,
        check: impl FnOnce(&mut Conversation) -> Verdict,
    ) -> Result<Verdict, Verdict> {
        let mut conversation = match self.ordinary.take() {
            Some(conversation) => conversation,
            None => self.open()?,
        };
        let verdict = check(&mut conversation);
        match verdict {
            Verdict::Failed { .. } => drop(self.close(conversation)),
            _ => self.ordinary = Some(conversation),
        }
        Ok(verdict)
    }

    /// The providers that are checked.
    pub fn offers(&self) -> Vec<Provides> {
        let all = self.hello.iter().flat_map(|hello| &hello.provides);
        all.filter(|offer| self.case.stage.is_none_or(|stage| stage == offer.stage)).cloned().collect()
    }

    /// The config that was given; `null` where none was.
    pub fn config(&self) -> Value {
        self.case.config.clone().unwrap_or_default()
    }
}

/// Whether a provider offers a method.
pub fn offers(offer: &Provides, method: &str) -> bool {
    offer.methods.iter().any(|offered| offered == method)
}

/// A call that every provider answers, and that touches nothing.
pub fn probe<'a>(offer: &'a Provides, config: &'a Value) -> Ask<'a> {
    let params = json!({ "stage": offer.stage });
    Ask { provider: &offer.provider, method: "config.check", params, config, key: "" }
}
