//! Requests to a registry's own API, with whatever it wants to know of who asks. I/O: HTTP.
//!
//! <https://github.com/opencontainers/distribution-spec>. All that is asked here may be asked twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use cloudpad_engine::{Access, Reference, refusal};
use cloudpad_plugin_api::{Context, Failure};
use serde::Deserialize;
use ureq::Body;
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, header};

use crate::challenge::{self, Challenge};
use crate::patience::{self, Again, Refused};
use crate::reach::{Reach, reach};
use crate::token;

/// The most bytes of an answer. What the specification recommends for manifests is a quarter of it.
const MOST_BYTES: u64 = 16 << 20;

/// A registry. What is cloned is the same one.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    registry: String,
    reach: Reach,
    access: Access,
    /// What each kind of request was let in with last.
    authorizations: Mutex<BTreeMap<String, String>>,
}

/// What is asked.
#[derive(Clone)]
pub struct Ask {
    /// `GET`, `HEAD` or `DELETE`.
    pub method: Method,
    /// The path, from `/v2/` on.
    pub path: String,
    /// What may come.
    pub accept: &'static str,
    /// What is tried, as words that go before "why not".
    pub tried: String,
    /// What is done at the registry, as a word after "may".
    pub doing: &'static str,
}

/// What a registry has answered, where that was yes, that there is nothing, or that it never does that.
pub struct Answer {
    /// Success, or 404 or 405.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The registry's own words for a no, and else its status.
    pub fn said(&self) -> String {
        said(self.status, &self.body)
    }
}

impl Client {
    /// The registry of `reference`, with the user's credentials for it.
    ///
    /// # Errors
    /// Credentials or certificates that cannot be read.
    pub async fn of(reference: &Reference) -> Result<Self, Failure> {
        let access = Access::to(reference).await?;
        let reach = reach(&reference.registry).await?;
        let registry = reference.registry.clone();
        Ok(Self(Arc::new(Inner { registry, reach, access, authorizations: Mutex::default() })))
    }

    /// `SCHEME://HOST`.
    pub fn base(&self) -> &str {
        &self.0.reach.base
    }

    /// Asks, and asks again where that may help.
    ///
    /// # Errors
    /// `unreachable` when the registry does not answer or does not let us in, `failed` when it refuses.
    pub async fn ask(&self, cx: &Context, ask: Ask) -> Result<Answer, Failure> {
        self.ask_for(cx, ask, |_| Ok(())).await
    }

    /// The same, where an answer that is not `whole` is none, and is asked for again.
    ///
    /// # Errors
    /// As of [`Self::ask`]; what is wrong with the answer.
    pub async fn ask_for(
        &self,
        cx: &Context,
        ask: Ask,
        whole: impl Fn(&Answer) -> Result<(), String>,
    ) -> Result<Answer, Failure> {
        patience::again(cx, async || {
            let (inner, own) = (self.0.clone(), ask.clone());
            let answer = tokio::task::spawn_blocking(move || inner.answer(&own)).await;
            let answer = answer.map_err(|error| Failure::failed(error.to_string()))??;
            match whole(&answer) {
                Ok(()) => Ok(answer),
                Err(why) => Err(self.0.refused(&ask, &why)),
            }
        })
        .await
    }
}

impl Inner {
    /// Sends it, and once more with what the registry wants to know.
    fn answer(&self, ask: &Ask) -> Result<Answer, Refused> {
        let known = self.authorizations().get(ask.doing).cloned();
        let first = self.send(ask, known.as_deref())?;
        if first.status != StatusCode::UNAUTHORIZED {
            return self.judged(ask, first);
        }
        let Some(authorization) = self.authorization(ask, &first)? else { return self.judged(ask, first) };
        let second = self.send(ask, Some(&authorization))?;
        if second.status != StatusCode::UNAUTHORIZED {
            self.authorizations().insert(ask.doing.to_owned(), authorization);
        }
        self.judged(ask, second)
    }

    fn authorizations(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What meets the challenge; none where nothing that we have does.
    fn authorization(&self, ask: &Ask, refused: &Answer) -> Result<Option<String>, Refused> {
        let challenges = refused.headers.get_all(header::WWW_AUTHENTICATE);
        let challenges = challenges.iter().filter_map(|value| value.to_str().ok());
        match challenge::read(challenges) {
            Some(Challenge::Basic) => Ok(token::basic(&self.access.credentials)),
            Some(Challenge::Bearer(bearer)) => {
                let request = token::request(&bearer, &self.access.credentials, &self.reach.base);
                let request = request.map_err(|why: String| self.refused(ask, &why))?;
                let answer = self.sent(ask, self.reach.agent.run(request))?;
                let answer = self.judged(ask, answer)?;
                let token = token::read(&answer.body);
                token
                    .map(Some)
                    .ok_or_else(|| self.refused(ask, &format!("`{}` has given no token", bearer.realm)))
            }
            None => Ok(None),
        }
    }

    fn send(&self, ask: &Ask, authorization: Option<&str>) -> Result<Answer, Refused> {
        let mut request =
            Request::builder().method(&ask.method).uri(format!("{}{}", self.reach.base, ask.path));
        request = request.header(header::ACCEPT, ask.accept);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(());
        let request = request.map_err(|error| Failure::invalid(format!("{}: {error}", ask.tried)))?;
        self.sent(ask, self.reach.agent.run(request))
    }

    fn sent(&self, ask: &Ask, sent: Result<Response<Body>, ureq::Error>) -> Result<Answer, Refused> {
        let (parts, mut body) = sent.map_err(|error| self.refused(ask, &words(&error)))?.into_parts();
        let read = body.with_config().limit(MOST_BYTES).read_to_vec();
        let body = read.map_err(|error| self.refused(ask, &words(&error)))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    fn judged(&self, ask: &Ask, answer: Answer) -> Result<Answer, Refused> {
        let is_answer = matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        if answer.status.is_success() || is_answer {
            return Ok(answer);
        }
        let refused = self.refused(ask, &answer.said());
        let after = answer.header("retry-after").and_then(|value| patience::after(value, SystemTime::now()));
        match (refused.again, after) {
            (Again::Soon, Some(seconds)) => Err(Refused { again: Again::After(seconds), ..refused }),
            _ => Err(refused),
        }
    }

    fn refused(&self, ask: &Ask, said: &str) -> Refused {
        refusal::explain(&ask.tried, said, ask.doing, &self.registry, &self.access).into()
    }
}

/// What a registry says, as the engine would pass it on.
fn said(status: StatusCode, body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        errors: Vec<One>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct One {
        code: String,
        message: String,
    }
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let status = format!("unexpected HTTP status: {status}");
    match said.errors.first() {
        Some(one) if !status_says_more(&one.code) => format!("{}: {}", one.code.to_lowercase(), one.message),
        _ => status,
    }
}

fn status_says_more(code: &str) -> bool {
    code.is_empty() || code.eq_ignore_ascii_case("unknown")
}

/// What has gone wrong on the way, in the words that the engine has for it.
fn words(error: &ureq::Error) -> String {
    use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Timeout(what) => format!("timeout exceeded: {what}"),
        ureq::Error::Io(error) if error.kind() == UnexpectedEof => {
            "unexpected EOF: the answer has ended before all of it was there".to_owned()
        }
        ureq::Error::Io(error) if error.kind() == ConnectionReset => "connection reset by peer".to_owned(),
        ureq::Error::Rustls(error) => in_tls(&error.to_string()),
        ureq::Error::Io(error) if error.to_string().contains("certificate") => in_tls(&error.to_string()),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn in_tls(error: &str) -> String {
    match error {
        error if error.contains("corrupt message") => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        error if error.contains("certificate") => format!("x509: {error}"),
        error => format!("tls: {error}"),
    }
}
