//! Requests to a cluster's JSON gateway, of which any member may answer. I/O: HTTP, files with certificates.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use cloudpad_plugin_api::{Context, Failure, FailureKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::config::Config;
use crate::wire::{Authenticate, Authenticated, Refused};

/// The most bytes of an answer: more than etcd's own limit for all that one request may ask for.
const MOST_BYTES: u64 = 64 << 20;

/// How long an answer that comes bit by bit is waited for.
const LISTENS: Duration = Duration::from_secs(60);

/// A cluster. It is not bound to a call, so that it may outlive one that is stopped. Members are tried in the order of the config, from the one on that answered last.
pub(crate) struct Client {
    config: Config,
    agent: Agent,
    /// For answers that come bit by bit.
    listening: Agent,
    /// Which endpoint answered last.
    at: usize,
    token: Option<String>,
    /// Told of each endpoint that is asked.
    asks: Box<dyn Fn(&str) + Send>,
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// Another member may have one.
    Elsewhere(String),
    /// No member has one.
    Refused(Refused),
}

impl Client {
    /// A client that has not asked anything yet.
    ///
    /// # Errors
    /// `invalid`, for certificates that cannot be read.
    pub fn new(cx: &Context, config: Config, asks: Box<dyn Fn(&str) + Send>) -> Result<Self, Failure> {
        let tls = tls(cx, &config)?;
        let agent = || {
            let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
            agent.tls_config(tls.clone())
        };
        let timeout = Some(config.timeout());
        let whole = agent().timeout_global(timeout).build().into();
        let bits = agent().timeout_connect(timeout).timeout_recv_response(timeout);
        let listening = bits.timeout_recv_body(Some(LISTENS)).build().into();
        Ok(Self { config, agent: whole, listening, at: 0, token: None, asks })
    }

    /// What it was made from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Logs in where the config has a user. A token is good for all members.
    ///
    /// # Errors
    /// No password; no member answers; the cluster does not know them.
    pub fn log_in(&mut self) -> Result<(), Failure> {
        let Some(user) = self.config.user.clone() else { return Ok(()) };
        let variable = self.config.password_env().to_owned();
        let password = std::env::var(&variable).map_err(|_| {
            Failure::invalid(format!(
                "the password of `{user}` is missing: there is no variable `{variable}`"
            ))
            .hint("`password_env` names another")
        })?;
        let request = Authenticate { name: &user, password: &password };
        let answer: Authenticated =
            self.ask("/v3/auth/authenticate", &request).map_err(|refused| match refused {
                Ok(refused) => unreachable(format!("etcd does not let `{user}` in: {}", refused.text()))
                    .hint(format!("the password is that of the variable `{variable}`")),
                Err(failure) => failure,
            })?;
        self.token = Some(answer.token);
        Ok(())
    }

    /// Asks the members in turn, until one answers.
    ///
    /// # Errors
    /// What the cluster refuses it with, or the failure when no member has answered.
    pub fn ask<A: DeserializeOwned>(
        &mut self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A, Result<Refused, Failure>> {
        self.in_turn(|client, endpoint| client.attempt(endpoint, path, request))
    }

    /// The same of an answer in lines that come bit by bit, until `wanted` finds one, or for a minute: then it is none.
    ///
    /// # Errors
    /// As of [`Self::ask`].
    pub fn listen<A: DeserializeOwned, T>(
        &mut self,
        path: &str,
        request: &impl Serialize,
        wanted: impl Fn(A) -> Option<T>,
    ) -> Result<Option<T>, Result<Refused, Failure>> {
        self.in_turn(|client, endpoint| client.attempt_to_listen(endpoint, path, request, &wanted))
    }

    fn in_turn<A>(
        &mut self,
        attempt: impl Fn(&Self, &str) -> Result<A, NoAnswer>,
    ) -> Result<A, Result<Refused, Failure>> {
        let endpoints = &self.config.endpoints;
        let mut causes = Vec::new();
        for at in (self.at..endpoints.len()).chain(0..self.at) {
            let endpoint = endpoints[at].trim_end_matches('/');
            (self.asks)(endpoint);
            match attempt(self, endpoint) {
                Ok(answer) => {
                    self.at = at;
                    return Ok(answer);
                }
                Err(NoAnswer::Refused(refused)) => return Err(Ok(refused)),
                Err(NoAnswer::Elsewhere(why)) => causes.push(format!("`{endpoint}`: {why}")),
            }
        }
        let failure = unreachable("no member of the etcd cluster has answered").retryable();
        Err(Err(causes.into_iter().fold(failure, Failure::cause)))
    }

    fn attempt_to_listen<A: DeserializeOwned, T>(
        &self,
        endpoint: &str,
        path: &str,
        request: &impl Serialize,
        wanted: impl Fn(A) -> Option<T>,
    ) -> Result<Option<T>, NoAnswer> {
        let response = self.post(&self.listening, endpoint, path, request)?;
        if !response.status().is_success() {
            return Err(NoAnswer::Elsewhere(format!("answered {}", response.status())));
        }
        let mut has_heard = false;
        for line in BufReader::new(response.into_body().into_reader()).lines() {
            let Ok(line) = line else { break };
            let heard = serde_json::from_str(&line).map_err(|error| {
                NoAnswer::Elsewhere(format!("has sent what is no answer of etcd: {error}"))
            })?;
            has_heard = true;
            if let Some(found) = wanted(heard) {
                return Ok(Some(found));
            }
        }
        let silent = || NoAnswer::Elsewhere("has ended its answer before it began".to_owned());
        if has_heard { Ok(None) } else { Err(silent()) }
    }

    fn post(
        &self,
        agent: &Agent,
        endpoint: &str,
        path: &str,
        request: &impl Serialize,
    ) -> Result<Response<Body>, NoAnswer> {
        let mut post = agent.post(format!("{endpoint}{path}"));
        if let Some(token) = &self.token {
            post = post.header("Authorization", token);
        }
        post.send_json(request).map_err(|error| NoAnswer::Elsewhere(self.words(endpoint, &error)))
    }

    fn attempt<A: DeserializeOwned>(
        &self,
        endpoint: &str,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A, NoAnswer> {
        let elsewhere = |error: ureq::Error| NoAnswer::Elsewhere(self.words(endpoint, &error));
        let mut response = self.post(&self.agent, endpoint, path, request)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec().map_err(elsewhere)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| {
                NoAnswer::Elsewhere(format!("has sent what is no answer of etcd: {error}"))
            });
        }
        let refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
        match refused.is_of_member() {
            true if refused.text().is_empty() => Err(NoAnswer::Elsewhere(format!("answered {status}"))),
            true => Err(NoAnswer::Elsewhere(format!("answered {status}: {}", refused.text()))),
            false => Err(NoAnswer::Refused(refused)),
        }
    }

    fn words(&self, endpoint: &str, error: &ureq::Error) -> String {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let asks_for_ours = endpoint.starts_with("https:") && self.config.cert.is_none();
        match error {
            ureq::Error::Timeout(_) => format!("no answer in {} s", self.config.timeout().as_secs()),
            // TLS 1.3 lets us send before it tells that it would have wanted one.
            ureq::Error::Io(error)
                if asks_for_ours
                    && matches!(
                        error.kind(),
                        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
                    ) =>
            {
                format!("{error}: does it ask for a certificate of ours, which `cert` and `key` name?")
            }
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// A failure to reach the cluster, or to be let in.
pub(crate) fn unreachable(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unreachable, message)
}

fn tls(cx: &Context, config: &Config) -> Result<TlsConfig, Failure> {
    let roots = match &config.ca {
        Some(file) => RootCerts::new_with_certs(&certificates(cx, "ca", file)?),
        None => RootCerts::PlatformVerifier,
    };
    let own = match (&config.cert, &config.key) {
        (Some(cert), Some(key)) => {
            Some(ClientCert::new_with_certs(&certificates(cx, "cert", cert)?, private_key(cx, key)?))
        }
        _ => None,
    };
    Ok(TlsConfig::builder().root_certs(roots).client_cert(own).build())
}

fn certificates(cx: &Context, what: &str, file: &str) -> Result<Vec<Certificate<'static>>, Failure> {
    let pem = read(cx, what, file)?;
    let items = parse_pem(&pem).filter_map(Result::ok);
    let found: Vec<_> = items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        Err(Failure::invalid(format!("{what} `{file}` has no certificate in PEM")))
    } else {
        Ok(found)
    }
}

fn private_key(cx: &Context, file: &str) -> Result<PrivateKey<'static>, Failure> {
    PrivateKey::from_pem(&read(cx, "key", file)?)
        .map_err(|_| Failure::invalid(format!("key `{file}` has no private key in PEM")))
}

fn read(cx: &Context, what: &str, file: &str) -> Result<Vec<u8>, Failure> {
    fs::read(cx.path(Path::new(file)))
        .map_err(|error| Failure::invalid(format!("{what} `{file}` cannot be read: {error}")))
}
