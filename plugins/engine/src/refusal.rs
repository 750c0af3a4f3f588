//! What a registry's no means, and what can be done about it. Pure.
//!
//! The engine passes on what the registry or its own HTTP client has said, as text and mostly with status
//! 500, so the text is all there is to tell by.

use cloudpad_plugin_api::{Failure, FailureKind};

use crate::{Access, Reference};

/// What the engine has said, understood.
pub struct Refusal {
    /// What is told to the user.
    pub failure: Failure,
    /// Whether the registry was reached, but did not let us do it.
    pub denied: bool,
    /// Whether it may well go when it is tried again soon.
    pub passing: bool,
}

const DENIED: [&str; 5] =
    ["unauthorized", "authentication required", "no basic auth credentials", "denied", "forbidden"];

/// The registry's words for it, and how the engine puts it where there are none.
const LIMITED: [&str; 4] = ["toomanyrequests", "too many requests", "rate limit", "http 429"];

/// Of a registry that was reached, and of connections that it has taken.
const PASSING: [&str; 6] = [
    "unexpected http status: 5",
    "unexpected http response: 5",
    "parsing http 5",
    "connection reset",
    "broken pipe",
    "eof",
];

const UNREACHABLE: [&str; 8] = [
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "tls:",
    "timeout exceeded",
    "eof",
];

/// What it means that `said` is the engine's answer, when `tried` was tried: to `push` or to `pull` (`doing`)
/// an image of `registry`.
pub fn explain(tried: &str, said: &str, doing: &str, registry: &str, access: &Access) -> Refusal {
    let failure = Failure::failed(format!("{tried}: {said}"));
    // URLs stand in quotes, and an image may be called anything.
    let words = said.split('"').step_by(2).collect::<String>().to_lowercase();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    if has(&["x509:"]) {
        let hint = format!(
            "put the certificate of its authority into `/etc/docker/certs.d/{registry}/ca.crt`, here and on every host"
        );
        return unreachable(failure, hint);
    }
    if has(&["server gave http response to https client"]) {
        let hint = format!(
            "it does not speak TLS: add `{registry}` to `insecure-registries` of the engine, here and on every host"
        );
        return unreachable(failure, hint);
    }
    if has(&LIMITED) {
        let login = login(registry);
        let hint = format!(
            "`{registry}` limits how often it is asked: wait, or log in with `{login}`, which often allows more"
        );
        return Refusal { passing: true, ..unreachable(failure.retryable(), hint) };
    }
    if has(&["verification failed"]) {
        let hint =
            format!("something between here and `{registry}` changes what it sends, or it is damaged there");
        return unreachable(failure, hint);
    }
    if has(&DENIED) {
        let failure = failure.cause(format!("registry `{registry}` was asked {}", access.who));
        let hint = format!("log in with `{}` as a user who may {doing} there", login(registry));
        return Refusal { denied: true, ..unreachable(failure, hint) };
    }
    if has(&PASSING) {
        let hint =
            format!("`{registry}`, or what is before it, is in trouble: try again later, or look at its log");
        return Refusal { passing: true, ..unreachable(failure.retryable(), hint) };
    }
    if has(&UNREACHABLE) {
        let hint = match registry {
            Reference::HUB => {
                "the engine does not get to Docker Hub: look at its DNS and its proxy, or name the image at another \
                 registry (`reference` of an image, `image` of `[proxy]`)"
                    .to_owned()
            }
            _ => format!("is `{registry}` right, and does it run?"),
        };
        return unreachable(failure.retryable(), hint);
    }
    Refusal { failure, denied: false, passing: false }
}

fn login(registry: &str) -> String {
    if registry == Reference::HUB { "docker login".to_owned() } else { format!("docker login {registry}") }
}

fn unreachable(mut failure: Failure, hint: String) -> Refusal {
    failure.kind = FailureKind::Unreachable;
    Refusal { failure: failure.hint(hint), denied: false, passing: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(said: &str) -> Refusal {
        let access = Access { credentials: Default::default(), who: "as user `ann`".to_owned() };
        explain("could not push `r.io/denied:1`", said, "push", "r.io", &access)
    }

    #[test]
    fn a_denial_says_who_asked() {
        for said in [
            "unauthorized: authentication required",
            "Head \"https://r.io/v2/x/manifests/1\": no basic auth credentials",
            "denied: requested access to the resource is denied",
            "received unexpected HTTP status: 403 Forbidden",
        ] {
            let refusal = explained(said);
            assert!(refusal.denied && refusal.failure.kind == FailureKind::Unreachable, "{said}");
            assert_eq!(refusal.failure.causes, ["registry `r.io` was asked as user `ann`"]);
            assert_eq!(
                refusal.failure.hint.unwrap(),
                "log in with `docker login r.io` as a user who may push there"
            );
        }
    }

    #[test]
    fn trouble_with_tls_is_told_apart() {
        let authority = explained("Get \"https://r.io/v2/\": x509: certificate signed by unknown authority");
        assert!(authority.failure.hint.unwrap().contains("`/etc/docker/certs.d/r.io/ca.crt`"));
        let plain = explained("http: server gave HTTP response to HTTPS client");
        assert!(plain.failure.hint.unwrap().contains("`insecure-registries`"));
    }

    #[test]
    fn who_does_not_get_to_docker_hub_is_told_where_another_image_is_named() {
        let access = Access { credentials: Default::default(), who: "without a login".to_owned() };
        let said =
            "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host";
        let refusal = explain("could not pull `caddy:2`", said, "pull", Reference::HUB, &access);
        assert!(refusal.failure.hint.unwrap().contains("`image` of `[proxy]`"));
    }

    #[test]
    fn what_cannot_be_reached_may_be_tried_again() {
        let refusal =
            explained("Get \"http://r.io/v2/\": dial tcp 192.0.2.1:80: connect: connection refused");
        assert!(!refusal.denied && refusal.failure.retryable);
        assert_eq!(refusal.failure.kind, FailureKind::Unreachable);
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for said in [
            "toomanyrequests: You have reached your pull rate limit",
            "error parsing HTTP 429 response body: EOF",
            "received unexpected HTTP status: 503 Service Unavailable",
            "Patch \"http://r.io/v2/\": read tcp 127.0.0.1:1->127.0.0.1:2: connection reset by peer",
            "unexpected EOF",
        ] {
            let refusal = explained(said);
            assert!(refusal.passing && refusal.failure.retryable && !refusal.denied, "{said}");
        }
        assert!(explained("toomanyrequests: x").failure.hint.unwrap().contains("limits how often"));
        let stays = explained("manifest verification failed for digest sha256:00");
        assert!(!stays.passing && stays.failure.hint.unwrap().contains("changes what it sends"));
        assert!(!explained("dial tcp 192.0.2.1:80: connect: connection refused").passing);
    }

    #[test]
    fn other_words_stay_as_they_are() {
        let said = "Get \"http://r.io/v2/denied/x509:\": blob upload invalid";
        let refusal = explained(said);
        assert_eq!(refusal.failure, Failure::failed(format!("could not push `r.io/denied:1`: {said}")));
    }
}
