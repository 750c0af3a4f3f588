//! fleet's API v1. I/O: by way of `carrier`.
//!
//! Every call here can be made again, and is, when fleet has trouble with its etcd or closes the connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloudpad_plugin_api::{Cancel, Failure, FailureKind, Outcome};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;

use crate::carrier::{Broken, Carrier};
use crate::check;
use crate::clock::Clock;
use crate::config::Config;
use crate::unit::{Desired, UnitOption};
use crate::wire::{Machine, Page, Put, Refused, Row, Unit, encoded};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often something is tried, and how long it is waited before the second time; then twice as long each time. An etcd
/// that chooses another leader is back within that.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The most pages of a list: who gets more is led in a circle.
const MOST_PAGES: usize = 10_000;

/// A fleet.
pub struct Client {
    carrier: Carrier,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// One that has not asked anything yet.
    ///
    /// # Errors
    /// `invalid` for a config that makes no sense.
    pub fn new(config: Config, clock: Arc<dyn Clock>, cancel: Cancel) -> Result<Self, Failure> {
        Ok(Self { carrier: Carrier::new(config, cancel)?, clock })
    }

    /// The clock by which it waits.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// All machines.
    ///
    /// # Errors
    /// `unreachable` when fleet does not answer.
    pub async fn machines(&self) -> Result<Vec<Machine>, Failure> {
        self.list("machines", "", |page| page.machines).await
    }

    /// All units, of whomever.
    ///
    /// # Errors
    /// `unreachable` when fleet does not answer.
    pub async fn units(&self) -> Result<Vec<Unit>, Failure> {
        self.list("units", "", |page| page.units).await
    }

    /// What systemd says, of all units or of one.
    ///
    /// # Errors
    /// `unreachable` when fleet does not answer.
    pub async fn states(&self, unit: Option<&str>) -> Result<Vec<Row>, Failure> {
        let query = unit.map(|name| format!("unitName={}", encoded(name))).unwrap_or_default();
        self.list("state", &query, |page| page.states).await
    }

    /// The unit of that name; none where there is none.
    ///
    /// # Errors
    /// `unreachable` when fleet does not answer.
    pub async fn unit(&self, name: &str) -> Result<Option<Unit>, Failure> {
        check::name(name)?;
        let path = format!("units/{}", encoded(name));
        match self.send(Method::GET, &path, None).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => read(&path, status, &body).map(Some),
        }
    }

    /// Declares a unit, whatever it was.
    ///
    /// # Errors
    /// `invalid` for what fleet must not be told; `unreachable`, `failed` when it refuses.
    pub async fn put(&self, name: &str, desired: Desired, options: &[UnitOption]) -> Result<(), Failure> {
        check::options(options)?;
        self.declare(name, &Put { desired_state: desired, options }).await
    }

    /// Has a unit that is there do something else.
    ///
    /// # Errors
    /// `unreachable`, `failed` when there is no such unit.
    pub async fn set(&self, name: &str, desired: Desired) -> Result<(), Failure> {
        self.declare(name, &Put { desired_state: desired, options: &[] }).await
    }

    async fn declare(&self, name: &str, put: &Put<'_>) -> Result<(), Failure> {
        check::name(name)?;
        let body = serde_json::to_vec(put)
            .map_err(|error| Failure::failed(format!("unit `{name}` cannot be written as JSON: {error}")))?;
        let path = format!("units/{}", encoded(name));
        match self.send(Method::PUT, &path, Some(body.into())).await? {
            (StatusCode::CREATED | StatusCode::NO_CONTENT, _) => Ok(()),
            (status, body) => Err(refused(&format!("does not take unit `{name}`"), status, &body)),
        }
    }

    /// Destroys a unit. One that is gone already is fine.
    ///
    /// # Errors
    /// `unreachable`, `failed` when fleet refuses.
    pub async fn destroy(&self, name: &str) -> Result<(), Failure> {
        check::name(name)?;
        match self.send(Method::DELETE, &format!("units/{}", encoded(name)), None).await? {
            (StatusCode::NO_CONTENT | StatusCode::NOT_FOUND, _) => Ok(()),
            (status, body) => Err(refused(&format!("does not destroy unit `{name}`"), status, &body)),
        }
    }

    async fn list<T>(&self, what: &str, query: &str, of: fn(Page) -> Vec<T>) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let token_query = token.map(|token| format!("nextPageToken={}", encoded(&token)));
            let queries = [Some(query.to_owned()).filter(|query| !query.is_empty()), token_query];
            let queries: Vec<String> = queries.into_iter().flatten().collect();
            let mark = if queries.is_empty() { "" } else { "?" };
            let path = format!("{what}{mark}{}", queries.join("&"));
            let (status, body) = self.send(Method::GET, &path, None).await?;
            let mut page: Page = read(&path, status, &body)?;
            token = page.next_page_token.take();
            all.extend(of(page));
            if token.is_none() {
                return Ok(all);
            }
        }
        Err(Failure::failed(format!("fleet's list of {what} does not end after {MOST_PAGES} pages")))
    }

    /// Sends until there is an answer that is none of trouble.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let mut pause = FIRST_PAUSE;
        let mut why = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.clock.pause(pause).await;
                pause *= 2;
            }
            let answer = tokio::select! {
                answer = self.carrier.send(self.request(&method, path, body.clone())?) => answer,
                () = self.clock.limit(PATIENCE) => Err(Broken::Once(format!("no answer in {} s", PATIENCE.as_secs()))),
            };
            match answer {
                Ok((status, body)) if is_trouble(status) => why = said(status, &body),
                Ok(answer) => return Ok(answer),
                Err(Broken::Once(broken)) => {
                    self.carrier.forget().await;
                    why = broken;
                }
                Err(Broken::Never(failure)) => return Err(failure),
            }
        }
        let message =
            format!("fleet at `{}` has not done `{method} {path}` in {TRIES} tries", self.carrier.endpoint());
        let outcome = if method == Method::GET { Outcome::None } else { Outcome::Unknown };
        let failure = Failure::new(FailureKind::Unreachable, message).cause(why).outcome(outcome).retryable();
        Err(failure.hint("look there at `systemctl status fleet etcd` and `journalctl -u fleet`"))
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request =
            Request::builder().method(method).uri(format!("/fleet/v1/{path}")).header(HOST, "fleet");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let asked = || Failure::failed(format!("`{method} {path}` is no request"));
        request.body(Full::new(body.unwrap_or_default())).map_err(|error| asked().cause(error))
    }
}

/// Whether an answer is about fleet's own trouble, which may pass.
fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error()
}

fn read<T: DeserializeOwned>(path: &str, status: StatusCode, body: &[u8]) -> Result<T, Failure> {
    if status != StatusCode::OK {
        return Err(refused(&format!("does not tell `{path}`"), status, body));
    }
    serde_json::from_slice(body)
        .map_err(|error| Failure::failed(format!("fleet's answer to `{path}` is none: {error}")))
}

fn refused(what: &str, status: StatusCode, body: &[u8]) -> Failure {
    Failure::failed(format!("fleet {what}: {}", said(status, body)))
}

/// A status with what was said to it, which may be nothing.
fn said(status: StatusCode, body: &[u8]) -> String {
    let refused: Refused = serde_json::from_slice(body).unwrap_or_default();
    match refused.error.message.as_str() {
        "" => status.to_string(),
        message => format!("{message} ({})", status.as_u16()),
    }
}
