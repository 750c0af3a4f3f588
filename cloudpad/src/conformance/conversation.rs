//! A conversation with a plugin that is being checked: hello, calls, answers, end. I/O: through its [`Peer`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cloudpad_plugin_api::wire::{FromHost, HostHello, MAX_LINE, PROTOCOL};
use cloudpad_plugin_api::{Failure, FailureKind};
use serde::Serialize;
use serde_json::{Value, json};

use super::peer::{Ending, Heard, Peer};
use super::transcript::{Said, Transcript};
use crate::plugin::limits::Limits;
use crate::plugin::start::Launch;

/// A conversation with one process.
pub struct Conversation {
    /// What the plugin has said first.
    pub hello: Value,
    peer: Peer,
    transcript: Transcript,
    answers: BTreeMap<u64, Answer>,
    next: u64,
    /// How long a call that needs nothing of the world may take.
    quick: Duration,
}

/// How long any other call may take.
const LONG: Duration = Duration::from_secs(600);

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A result.
    Ok(Value),
    /// An error.
    Failed(Failure),
    /// Nothing, because of this.
    None(String),
}

/// A call to make, with its fields in the order of the host's own.
#[derive(Clone, Debug, Serialize)]
pub struct Ask<'a> {
    /// Which provider is meant.
    pub provider: &'a str,
    /// The provider's config; `null` for none.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub config: &'a Value,
    /// The same for the same work.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub key: &'a str,
    /// Which method.
    pub method: &'a str,
    /// Its parameters.
    pub params: Value,
}

#[derive(Serialize)]
struct Call<'a> {
    t: &'static str,
    id: u64,
    #[serde(flatten)]
    ask: &'a Ask<'a>,
}

/// A message with more fields than it has.
#[derive(Serialize)]
struct More<'a, T: Serialize> {
    #[serde(flatten)]
    message: T,
    #[serde(flatten)]
    more: &'a Value,
}

/// A conversation that is over.
pub struct Over {
    /// What is wrong with what was said.
    pub transcript: Transcript,
    /// How it ended.
    pub ending: Ending,
    /// The last lines of standard error.
    pub stderr: Vec<String>,
}

impl Conversation {
    /// Starts a plugin, and waits for its hello.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open(launch: &Launch, limits: Limits) -> Result<Self, String> {
        let peer = Peer::start(launch, limits).map_err(|failure| failure.to_string())?;
        let (transcript, answers) = (Transcript::default(), BTreeMap::new());
        let mut opened = Self { hello: Value::Null, peer, transcript, answers, next: 1, quick: limits.read };
        let heard = opened.peer.hear(Instant::now() + limits.hello);
        let said = match &heard {
            Heard::Line(line) => opened.transcript.line(line),
            Heard::Rest(_) | Heard::TooLong | Heard::Silence | Heard::End => Said::Other,
        };
        if let Said::Hello(hello) = said {
            opened.hello = hello;
            return Ok(opened);
        }
        let why = match heard {
            Heard::Silence => format!("it said nothing within {} s", limits.hello.as_secs_f64()),
            Heard::End => "it ended without a word".to_owned(),
            _ => {
                let stray = opened.transcript.stray.clone();
                stray.unwrap_or_else(|| "its first line is another message".to_owned())
            }
        };
        Err(with_stderr(why, &opened.close().stderr))
    }

    /// The host's hello, with these fields beside its own.
    pub fn greet(&mut self, more: &Value) {
        let hello = HostHello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            max_line: MAX_LINE,
        };
        self.say(&More { message: FromHost::Hello(hello), more });
    }

    /// Sends a message as it is.
    pub fn say(&mut self, message: &impl Serialize) {
        // Strings, numbers and what was JSON before can all be written.
        let mut line = serde_json::to_vec(message).unwrap_or_default();
        line.push(b'\n');
        self.peer.say(line);
    }

    /// Makes a call, with these fields beside its own, and returns its number.
    pub fn call(&mut self, ask: &Ask<'_>, more: &Value) -> u64 {
        let id = self.next;
        self.next += 1;
        self.transcript.begin(id);
        self.say(&More { message: Call { t: "call", id, ask }, more });
        id
    }

    /// Waits for the end of a call.
    pub fn answer(&mut self, id: u64) -> Answer {
        self.answer_within(id, self.quick)
    }

    fn answer_within(&mut self, id: u64, limit: Duration) -> Answer {
        let by = Instant::now() + limit;
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            let why = match self.peer.hear(by) {
                Heard::Line(line) => {
                    self.take(&line);
                    continue;
                }
                Heard::Rest(line) => {
                    self.transcript.rest(&line);
                    continue;
                }
                Heard::TooLong => format!("it wrote a line of more than {MAX_LINE} bytes"),
                Heard::Silence => format!("there was no answer within {} s", limit.as_secs_f64()),
                Heard::End => "it ended before it had answered".to_owned(),
            };
            return Answer::None(with_stderr(why, &self.peer.stderr()));
        }
    }

    /// Makes a call that needs nothing of the world, and waits for its end.
    pub fn ask(&mut self, ask: &Ask<'_>) -> Answer {
        let id = self.call(ask, &json!({}));
        self.answer(id)
    }

    /// Makes any call, and waits for its end.
    pub fn work(&mut self, ask: &Ask<'_>) -> Answer {
        let id = self.call(ask, &json!({}));
        self.answer_within(id, LONG)
    }

    /// How often a call was ended so far.
    pub fn ends(&self, id: u64) -> u32 {
        self.transcript.ends(id)
    }

    fn take(&mut self, line: &[u8]) {
        match self.transcript.line(line) {
            Said::End(id, Ok(ok)) => drop(self.answers.insert(id, Answer::Ok(ok))),
            Said::End(id, Err(error)) => drop(self.answers.insert(id, Answer::Failed(error))),
            Said::Hello(_) => {
                self.transcript.stray.get_or_insert_with(|| "it said hello twice".to_owned());
            }
            Said::Other => {}
        }
    }

    /// Waits until the plugin has ended by itself.
    pub fn ends_by_itself(&mut self, limit: Duration) -> bool {
        let by = Instant::now() + limit;
        loop {
            match self.peer.hear(by) {
                Heard::End => return self.peer.has_exited(),
                Heard::Silence => return false,
                Heard::Line(line) => self.take(&line),
                Heard::Rest(line) => self.transcript.rest(&line),
                Heard::TooLong => {}
            }
        }
    }

    /// Ends the conversation.
    pub fn close(self) -> Over {
        let Self { mut peer, mut transcript, .. } = self;
        let ending = peer.end(|heard| match heard {
            Heard::Line(line) => drop(transcript.line(&line)),
            Heard::Rest(line) => transcript.rest(&line),
            _ => {}
        });
        Over { stderr: peer.stderr(), transcript, ending }
    }
}

impl Answer {
    /// What it is, in words that follow "it answered".
    pub fn words(&self) -> String {
        match self {
            Answer::Ok(_) => "with a result".to_owned(),
            Answer::Failed(failure) => format!("`{}`: {failure}", kind(failure.kind)),
            Answer::None(why) => format!("nothing: {why}"),
        }
    }

    /// Whether it is a failure of this kind.
    pub fn is(&self, kind: FailureKind) -> bool {
        matches!(self, Answer::Failed(failure) if failure.kind == kind)
    }
}

/// A kind of failure as it is written on the wire.
pub fn kind(kind: FailureKind) -> String {
    serde_json::to_value(kind).ok().and_then(|kind| Some(kind.as_str()?.to_owned())).unwrap_or_default()
}

fn with_stderr(why: String, stderr: &[String]) -> String {
    const SHOWN: usize = 3;
    let last = &stderr[stderr.len().saturating_sub(SHOWN)..];
    last.iter().fold(why, |why, line| format!("{why}\nstderr: {line}"))
}
