//! What registries have, listed and removed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::slice::from_ref;

use cloudpad_plugin_api::stage::push::{Gone, List, Listed, Remove, Stored};
use cloudpad_plugin_api::{Event, Failure, FailureKind, Level, Outcome, Reply, Request};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::private::{RIGHT, WRONG, call, config, push_to};
use crate::proxy::Proxy;
use crate::real::{Place, Registry};
use crate::shelf::Shelf;
use crate::support::{Call, Image, Server, docker};

/// More often than anybody tries.
const ALWAYS: u32 = 1000;
const RELEASE: &str = "20260131T235959Z-4b825dc";

fn sorted(images: &[&Stored]) -> Vec<Stored> {
    let mut images: Vec<Stored> = images.iter().map(|image| (*image).clone()).collect();
    images.sort_by(|a, b| a.digest.cmp(&b.digest));
    images
}

fn list_as(registry: &str, namespace: &str, name: &str, config: &TempDir) -> Result<Listed, Failure> {
    match call(registry, namespace, Request::PushList(List { repository: name.to_owned() }), config)? {
        Reply::Listed(listed) => Ok(listed),
        other => panic!("{other:?}"),
    }
}

/// How many requests, of all that there were, have this in their line.
fn count(proxy: Proxy, words: &str) -> usize {
    proxy.all().iter().filter(|line| line.contains(words)).count()
}

fn warnings(call: &Call) -> Vec<String> {
    let warning = |event| match event {
        Event::Log { level: Level::Warn, message } => Some(message),
        _ => None,
    };
    call.events().into_iter().filter_map(warning).collect()
}

#[test]
fn what_there_is_is_listed_and_goes_with_all_its_tags() {
    let registry = Registry::open(Place::Loopback);
    let shelf = Shelf::of(&registry.address, "team/x/shop.web");
    let call = Call::to(&registry.address);
    assert_eq!(call.list("shop.web").unwrap().images, [], "nobody has pushed yet");
    let one = shelf.put(Some("shop.web:v1"), 61, &["v1", RELEASE]);
    let two = shelf.put(Some("shop.web:v2"), 62, &["mine", "v2"]);
    let foreign = shelf.put(None, 63, &["latest"]);
    let several = shelf.put_several(&one, &["v3"]);
    let other =
        call.list("shop.web").unwrap().images.into_iter().find(|image| image.tags == ["other"]).unwrap();
    let listed = call.list("shop.web").unwrap();
    assert_eq!(listed.place, format!("{}/team/x/shop.web", registry.address));
    assert_eq!(listed.images, sorted(&[&one, &two, &foreign, &several, &other]));

    // While somebody was asked, the first of them has got another tag.
    let kept = shelf.put(Some("shop.web:v1"), 61, &["keepme"]);
    assert_eq!(kept.digest, one.digest);
    call.remove("shop.web", &[&one, &several]).unwrap();
    let tags = vec!["keepme".to_owned(), "v1".to_owned()];
    let kept = Stored { tags, ..one };
    assert_eq!(call.list("shop.web").unwrap().images, sorted(&[&kept, &two, &foreign, &other]));
    let words =
        format!("/team/x/shop.web@{}`: since it was listed, it has got the tag `keepme`", kept.digest);
    assert!(warnings(&call).iter().any(|line| line.ends_with(&words)), "{:?}", warnings(&call));

    let goes = [&kept, &several];
    call.remove("shop.web", &goes).unwrap();
    call.remove("shop.web", &goes).unwrap();
    assert_eq!(call.list("shop.web").unwrap().images, sorted(&[&two, &foreign, &other]));
    for odd in ["", "Shop", "../other"] {
        assert_eq!(call.list(odd).unwrap_err().kind, FailureKind::Invalid, "{odd}");
    }
}

#[test]
fn a_registry_that_removes_nothing_is_told_with_what_to_do() {
    let server = Server::open();
    let image = Shelf::of(&server.address, "team/x/shop.web").put(None, 1, &["v1"]);
    let failure = Call::to(&server.address).remove("shop.web", &[&image]).unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Failed, Outcome::None));
    assert!(failure.message.ends_with("the registry lets nobody remove images"), "{failure}");
    assert!(failure.causes[0].starts_with("unsupported: "), "{failure}");
    assert!(failure.hint.unwrap().contains("`storage.delete.enabled`"));
}

#[test]
fn it_is_asked_as_the_user_whom_docker_knows() {
    let server = Server::private();
    let image = Shelf::of(&server.address, "team/shop.web").put(None, 1, &["v1"]);
    let login = |auth: &str| config(&json!({ "auths": { (&server.address): { "auth": auth } } }));
    let list = |config: &TempDir| list_as(&server.address, "team", "shop.web", config);
    assert_eq!(list(&login(RIGHT)).unwrap().images, from_ref(&image));

    let with_helper = config(&json!({ "credsStore": "cloudpad-test" }));
    let helper = with_helper.path().join("docker-credential-cloudpad-test");
    fs::write(&helper, "#!/bin/sh\nread server\necho '{\"Username\":\"ann\",\"Secret\":\"right\"}'\n")
        .unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(list(&with_helper).unwrap().images, [image]);

    let wrong = list(&login(WRONG)).unwrap_err();
    assert_eq!((wrong.kind, wrong.outcome), (FailureKind::Unreachable, Outcome::None));
    assert!(wrong.causes[0].contains("as user `ann`, from `config.json`"), "{wrong}");
    assert!(
        wrong
            .hint
            .unwrap()
            .contains(&format!("`docker login {}` as a user who may list images", server.address))
    );
    let nobody = list(&config(&json!({}))).unwrap_err();
    assert!(nobody.causes[0].contains("without credentials"), "{nobody}");
}

#[test]
fn a_list_goes_on_until_its_last_page() {
    let registry = Registry::open(Place::Loopback);
    let shelf = Shelf::of(&registry.address, "team/x/shop.web");
    let tags: Vec<String> = (0..7).map(|number| format!("v{number}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let image = shelf.put(None, 1, &tags);
    for (size, pages) in [(2, 4), (7, 1)] {
        let faults = json!([{ "on": "/tags/list", "times": ALWAYS, "do": "page", "size": size }]);
        let proxy = Proxy::before(&registry.address, &faults);
        assert_eq!(Call::to(&proxy.address).list("shop.web").unwrap().images, from_ref(&image));
        assert_eq!(count(proxy, "/tags/list"), pages);
    }
}

/// What the registry is told to do wrong, a few times.
fn status(on: &str, times: u32, status: u16, after: Option<&str>) -> Value {
    let headers = after.map_or(json!({}), |after| json!({ "Retry-After": after }));
    json!([{ "on": on, "times": times, "do": "status", "status": status, "headers": headers, "body": "" }])
}

#[test]
fn a_registry_says_when_it_is_asked_again() {
    let registry = Registry::open(Place::Loopback);
    let image = Shelf::of(&registry.address, "team/x/shop.web").put(None, 1, &["v1"]);
    // A date that has passed is as good as now.
    for (on, code, after, seconds) in [
        ("/tags/list", 429, "1", 1),
        ("/manifests/", 503, "Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("/blobs/", 500, "0", 0),
    ] {
        let proxy = Proxy::before(&registry.address, &status(on, 2, code, Some(after)));
        let call = Call::to(&proxy.address);
        assert_eq!(call.list("shop.web").unwrap().images, from_ref(&image), "{on}");
        let told = warnings(&call);
        let words = format!("trying again in {seconds} s");
        assert_eq!(told.iter().filter(|line| line.ends_with(&words)).count(), 2, "{told:?}");
    }
    let proxy = Proxy::before(&registry.address, &status("/tags/list", ALWAYS, 429, Some("3600")));
    let failure = Call::to(&proxy.address).list("shop.web").unwrap_err();
    assert!(failure.retryable && failure.kind == FailureKind::Unreachable, "{failure}");
    assert_eq!(failure.causes, ["it wants to be asked again in 3600 s, and not before"]);
    assert!(failure.hint.unwrap().contains("limits how often"));
    assert_eq!(count(proxy, "/tags/list"), 1);

    let proxy = Proxy::before(&registry.address, &status("^DELETE ", 1, 503, Some("0")));
    Call::to(&proxy.address).remove("shop.web", &[&image]).unwrap();
    assert_eq!(count(proxy, "DELETE "), 2);
}

#[test]
fn what_comes_in_half_is_asked_for_again_and_what_is_wrong_is_not_taken() {
    let registry = Registry::open(Place::Loopback);
    let image = Shelf::of(&registry.address, "team/x/shop.web").put(Some("shop.web:v1"), 1, &["v1"]);
    let faults = |on: &str, times: u32, kind: &str| json!([{ "on": on, "times": times, "do": kind }]);
    let proxy = Proxy::before(&registry.address, &faults("/manifests/", 1, "truncate"));
    let call = Call::to(&proxy.address);
    assert_eq!(call.list("shop.web").unwrap().images, [image]);
    assert!(warnings(&call)[0].ends_with("trying again in 2 s"), "{:?}", warnings(&call));
    for on in ["/manifests/", "/blobs/"] {
        let proxy = Proxy::before(&registry.address, &faults(on, ALWAYS, "change"));
        let failure = Call::to(&proxy.address).list("shop.web").unwrap_err();
        assert!(failure.message.contains("should have come, and `sha256:"), "{on}: {failure}");
        assert!(failure.hint.unwrap().contains("changes what it sends"), "{on}");
    }
}

#[test]
fn a_password_is_asked_for_in_the_middle() {
    let server = Server::private();
    let image = Shelf::of(&server.address, "team/shop.web").put(None, 1, &["v1"]);
    let faults = json!([{ "on": "/blobs/", "times": 1, "do": "status", "status": 401, "body": "",
                          "headers": { "WWW-Authenticate": "Basic realm=\"x\"" } }]);
    let proxy = Proxy::before(&server.address, &faults);
    let login = config(&json!({ "auths": { (&proxy.address): { "auth": RIGHT } } }));
    assert_eq!(list_as(&proxy.address, "team", "shop.web", &login).unwrap().images, [image]);
    assert_eq!(count(proxy, " 401 "), 2, "once, and once in the middle");
}

#[test]
fn a_registry_that_is_down_or_leads_elsewhere_is_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let failure = Call::to(&format!("127.0.0.1:{port}")).list("shop.web").unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Unreachable, Outcome::None));
    assert!(failure.retryable && failure.message.to_lowercase().contains("connection refused"), "{failure}");
    let faults = json!([{ "on": "/tags/list", "times": 1, "do": "status", "status": 200, "body": "{\"tags\":[]}",
                          "headers": { "Link": "<https://192.0.2.1/v2/>; rel=\"next\"" } }]);
    let server = Server::open();
    let failure = Call::to(&Proxy::before(&server.address, &faults).address).list("shop.web").unwrap_err();
    assert!(failure.message.contains("`https://192.0.2.1/v2/`, and is not followed there"), "{failure}");
}

#[test]
fn tokens_are_for_what_is_listed_and_removed_and_the_authority_is_the_engines() {
    let (registry, image) = (Registry::token(Place::Elsewhere), Image::new(1000));
    let login = config(&json!({ "auths": { (&registry.address): { "auth": RIGHT } } }));
    let list = |namespace| list_as(&registry.address, namespace, &image.name, &login);
    let failure = list("team").unwrap_err();
    let file = format!("`/etc/docker/certs.d/{}/ca.crt`", registry.address);
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains(&file)), "{failure}");

    let _trusted = registry.trusted();
    let pushed = push_to(&registry.address, "team", &image, &login).unwrap();
    let listed = list("team").unwrap();
    let digest = pushed.reference.split_once('@').unwrap().1;
    let told: Vec<_> = listed.images.iter().map(|image| (image.digest.as_str(), &image.tags[..])).collect();
    assert_eq!(told, [(digest, &["content".to_owned()][..])]);
    let gone = Gone { digest: digest.to_owned(), tags: vec!["content".to_owned()] };
    let remove = Remove { repository: image.name.clone(), images: vec![gone] };
    call(&registry.address, "team", Request::PushRemove(remove.clone()), &login).unwrap();
    assert_eq!(list("team").unwrap().images, []);
    let given = registry.tokens();
    let token = |actions: &str| format!("given ann team/{}:{actions}", image.name);
    assert!(given.contains(&token("pull")) && given.contains(&token("delete")), "{given:?}");

    let refused = call(&registry.address, "public", Request::PushRemove(remove), &login).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Unreachable);
    assert!(refused.hint.unwrap().contains("a user who may remove images there"));
    docker(&["rmi", &image.reference]);
}
