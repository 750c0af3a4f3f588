//! Registries that want tokens, TLS, or neither, where engines do and do not expect it.

use cloudpad_plugin_api::FailureKind;
use serde_json::{Value, json};

use crate::private::{RIGHT, WRONG, config, push_to};
use crate::real::{Place, Registry};
use crate::support::{Image, docker};

fn login(registry: &Registry, auth: &str) -> Value {
    json!({ "auths": { (&registry.address): { "auth": auth } } })
}

#[test]
fn a_service_gives_tokens_for_what_is_done_and_no_more() {
    let (registry, image) = (Registry::token(Place::Loopback), Image::new(100_000));
    let config = config(&login(&registry, RIGHT));
    let push = |namespace| push_to(&registry.address, namespace, &image, &config);
    let pushed = push("team").unwrap();
    assert!(pushed.sent > Some(0));
    let again = push("team").unwrap();
    assert_eq!((again.reference, again.sent), (pushed.reference.clone(), Some(0)));
    let given = registry.tokens();
    assert!(
        given.iter().any(|line| *line == format!("given ann team/{}:pull,push", image.name)),
        "{given:?}"
    );
    assert!(given.iter().all(|line| line.starts_with("given ann ")), "{given:?}");

    let elsewhere = push("other").unwrap_err();
    assert_eq!(elsewhere.kind, FailureKind::Unreachable);
    assert!(elsewhere.causes[0].contains("as user `ann`"), "{elsewhere}");
    assert!(elsewhere.hint.unwrap().contains("a user who may push there"));

    let folder = config.path().to_str().unwrap();
    docker(&["rmi", &image.reference]);
    docker(&["--config", folder, "pull", "--quiet", &pushed.reference]);
    docker(&["rmi", &pushed.reference]);
}

#[test]
fn a_service_that_does_not_know_the_password_is_told_with_whose_it_is() {
    let (registry, image) = (Registry::token(Place::Loopback), Image::new(1000));
    let failure = push_to(&registry.address, "team", &image, &config(&login(&registry, WRONG))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.causes[0].contains("as user `ann`, from `config.json`"), "{failure}");
    assert!(registry.tokens().contains(&"refused ann is not known".to_owned()), "{:?}", registry.tokens());
}

#[test]
fn a_token_can_be_had_by_nobody_in_particular() {
    let (registry, image) = (Registry::token(Place::Loopback), Image::new(1000));
    let ann = config(&login(&registry, RIGHT));
    let first = push_to(&registry.address, "public", &image, &ann).unwrap();
    let nobody = config(&json!({}));
    let again = push_to(&registry.address, "public", &image, &nobody).unwrap();
    assert_eq!((again.reference, again.sent), (first.reference, Some(0)), "looking is allowed");
    let failure = push_to(&registry.address, "team", &image, &nobody).unwrap_err();
    assert!(failure.causes[0].contains("without credentials"), "{failure}");
    let given = registry.tokens();
    assert!(given.contains(&format!("given anonymous public/{}:pull", image.name)), "{given:?}");
}

#[test]
fn an_authority_that_the_engine_does_not_know_is_told_and_then_known() {
    let (registry, image) = (Registry::tls(), Image::new(1000));
    let nobody = config(&json!({}));
    let failure = push_to(&registry.address, "team", &image, &nobody).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    let file = format!("`/etc/docker/certs.d/{}/ca.crt`", registry.address);
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains(&file)), "{failure}");
    let _trusted = registry.trusted();
    let first = push_to(&registry.address, "team", &image, &nobody).unwrap();
    assert!(first.sent > Some(0));
    assert_eq!(push_to(&registry.address, "team", &image, &nobody).unwrap().sent, Some(0));
    docker(&["rmi", &image.reference]);
    docker(&["pull", "--quiet", &first.reference]);
    docker(&["rmi", &first.reference]);
}

#[test]
fn without_tls_it_is_asked_only_where_the_engine_was_told_so() {
    let (registry, image) = (Registry::open(Place::Elsewhere), Image::new(1000));
    let failure = push_to(&registry.address, "team", &image, &config(&json!({}))).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    let words = format!("add `{}` to `insecure-registries` of the engine", registry.address);
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains(&words)), "{failure}");
    assert_eq!(image.references(), [image.reference.as_str()]);
}
