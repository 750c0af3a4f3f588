//! The calls of a session: those that wait, those that are under way, and what is still to be written. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::wire::{FromHost, HostHello, PROTOCOL, PluginHello};

use super::fault::Fault;
use super::mailbox::{End, Post};
use super::talk::{Breach, Heard, Talk};
use crate::plugin::mask::Mask;

/// The calls of a session, and the conversation about them.
pub struct Calls {
    talk: Talk,
    /// Its hello, once it was said and until it was taken.
    pub hello: Option<PluginHello>,
    /// Whether it works on several calls at a time.
    parallel: bool,
    waiting: VecDeque<(u64, Vec<u8>, Post)>,
    under_way: BTreeMap<u64, UnderWay>,
    outbox: VecDeque<Message>,
}

struct UnderWay {
    post: Post,
    /// When it has to have ended after it was cancelled.
    cancelled: Option<Instant>,
}

struct Message {
    /// The call that it is.
    call: Option<u64>,
    line: Vec<u8>,
    written: usize,
}

impl Calls {
    /// No calls yet.
    pub fn new(mask: Arc<Mask>) -> Self {
        Self {
            talk: Talk::new(mask),
            hello: None,
            parallel: false,
            waiting: VecDeque::new(),
            under_way: BTreeMap::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Answers the plugin's hello.
    pub fn introduce(&mut self, hello: &PluginHello, max_line: usize) {
        self.parallel = hello.parallel;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.say(None, &FromHost::Hello(HostHello { protocol: PROTOCOL, version, max_line }));
    }

    fn say(&mut self, call: Option<u64>, message: &FromHost) {
        // Numbers and strings can all be written.
        self.push(call, serde_json::to_vec(message).unwrap_or_default());
    }

    fn push(&mut self, call: Option<u64>, mut line: Vec<u8>) {
        line.push(b'\n');
        self.outbox.push_back(Message { call, line, written: 0 });
    }

    /// Takes a call.
    pub fn add(&mut self, id: u64, line: Vec<u8>, post: Post) {
        self.waiting.push_back((id, line, post));
    }

    /// Sends the calls that may be sent now.
    pub fn send(&mut self) {
        while self.parallel || self.under_way.is_empty() {
            let Some((id, line, post)) = self.waiting.pop_front() else { return };
            self.talk.begin(id);
            self.under_way.insert(id, UnderWay { post, cancelled: None });
            self.push(Some(id), line);
        }
    }

    /// Cancels a call, which then has to end by `by`.
    pub fn cancel(&mut self, id: u64, by: Instant) {
        if let Some(at) = self.waiting.iter().position(|(waiting, ..)| *waiting == id) {
            if let Some((_, _, post)) = self.waiting.remove(at) {
                post.end(End::Cancelled);
            }
        } else if let Some(call) = self.under_way.get_mut(&id)
            && call.cancelled.is_none()
        {
            call.cancelled = Some(by);
            self.say(None, &FromHost::Cancel { id, reason: "interrupted".to_owned() });
        }
    }

    /// When the first of the cancelled calls has to have ended.
    pub fn cancelled(&self) -> Option<Instant> {
        self.under_way.values().filter_map(|call| call.cancelled).min()
    }

    /// Takes a line of the plugin.
    ///
    /// # Errors
    /// When it breaks the protocol.
    pub fn hear(&mut self, line: &[u8]) -> Result<(), Breach> {
        match self.talk.line(line)? {
            Heard::Hello(hello) => self.hello = Some(hello),
            Heard::Event(id, event) => {
                if let Some(call) = self.under_way.get(&id) {
                    call.post.event(event, line.len());
                }
            }
            Heard::End(id, answer) => {
                if let Some(call) = self.under_way.remove(&id) {
                    call.post.end(End::Answer(answer));
                }
            }
            Heard::Nothing => {}
        }
        Ok(())
    }

    /// Whether somebody has to listen before more is read.
    pub fn is_full(&self) -> bool {
        self.under_way.values().any(|call| call.post.is_full())
    }

    /// What is to be written next; empty when there is nothing.
    pub fn to_write(&self) -> &[u8] {
        self.outbox.front().map_or(&[], |message| &message.line[message.written..])
    }

    /// So much of it was written.
    pub fn wrote(&mut self, count: usize) {
        if let Some(message) = self.outbox.front_mut() {
            message.written += count;
            if message.written >= message.line.len() {
                self.outbox.pop_front();
            }
        }
    }

    /// Ends every call. Those of which the plugin has not seen a byte may be sent to another session.
    pub fn end(&mut self, fault: &Fault, failure: &Failure) {
        let unseen = self.outbox.iter().filter(|message| message.written == 0);
        let unseen: Vec<u64> = unseen.filter_map(|message| message.call).collect();
        for (id, call) in std::mem::take(&mut self.under_way) {
            call.post.end(match unseen.contains(&id) {
                true => End::NotSent(failure.clone()),
                false => End::Broken(fault.for_call(call.cancelled.is_some(), failure.clone())),
            });
        }
        for (_, _, post) in self.waiting.drain(..) {
            post.end(End::NotSent(failure.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::session::mailbox::{Mailbox, Next};
    use crate::plugin::session::talk::Breach;
    use cloudpad_plugin_api::FailureKind;

    fn calls(parallel: bool) -> Calls {
        let mut calls = Calls::new(Arc::default());
        let hello = format!(
            r#"{{"t":"hello","name":"x","version":"1","protocols":[1],"provides":[],"parallel":{parallel}}}"#
        );
        calls.hear(hello.as_bytes()).unwrap();
        let hello = calls.hello.take().unwrap();
        calls.introduce(&hello, 1);
        calls.wrote(calls.to_write().len());
        calls
    }

    fn add(calls: &mut Calls, id: u64) -> Arc<Mailbox> {
        let (mailbox, post) = Mailbox::new(1);
        calls.add(id, format!("call {id}").into_bytes(), post);
        mailbox
    }

    fn end(mailbox: &Mailbox) -> String {
        match mailbox.next() {
            Next::Event(..) => "event".to_owned(),
            Next::End(end) => format!("{end:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn those_of_which_nothing_was_written_were_not_sent() {
        let mut calls = calls(true);
        let mailboxes: Vec<_> = (1..=3).map(|id| add(&mut calls, id)).collect();
        calls.send();
        calls.wrote("call 1\n".len());
        calls.wrote("ca".len());
        let late = add(&mut calls, 4);
        let breach = Fault::Breach(Breach::Other(String::new()));
        calls.end(&breach, &Failure::new(FailureKind::Crashed, "it has ended"));
        let ends: Vec<_> = mailboxes.iter().chain([&late]).map(|mailbox| end(mailbox)).collect();
        assert_eq!(ends, ["Broken", "Broken", "NotSent", "NotSent"]);
    }

    #[test]
    fn calls_are_written_in_their_order_and_one_at_a_time() {
        let mut calls = calls(false);
        let (first, second) = (add(&mut calls, 1), add(&mut calls, 2));
        calls.send();
        assert_eq!(calls.to_write(), b"call 1\n");
        calls.wrote(5);
        assert_eq!(calls.to_write(), b"1\n");
        calls.wrote(2);
        calls.send();
        assert_eq!(calls.to_write(), b"");
        calls.hear(br#"{"t":"result","id":1,"ok":{}}"#).unwrap();
        calls.send();
        assert_eq!((end(&first).as_str(), calls.to_write()), ("Answer", &b"call 2\n"[..]));
        drop(second);
    }

    #[test]
    fn a_call_that_waits_is_cancelled_and_one_that_is_under_way_is_asked_to_stop() {
        let (mut calls, by) = (calls(false), Instant::now());
        let (first, second) = (add(&mut calls, 1), add(&mut calls, 2));
        calls.send();
        calls.wrote("call 1\n".len());
        calls.cancel(2, by);
        assert_eq!(
            (end(&second).as_str(), calls.cancelled(), calls.to_write()),
            ("Cancelled", None, &b""[..])
        );
        calls.cancel(1, by);
        calls.cancel(1, by);
        let cancel = b"{\"t\":\"cancel\",\"id\":1,\"reason\":\"interrupted\"}\n";
        assert_eq!((calls.cancelled(), calls.to_write()), (Some(by), &cancel[..]));
        calls.wrote(cancel.len());
        assert_eq!(calls.to_write(), b"", "it is asked once");
        drop(first);
    }
}
