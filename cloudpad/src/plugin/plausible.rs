//! Whether a reply can be what it says, beyond its shape. Pure.
//!
//! What is wrong here would else show up where nobody knows any more who has said it, or look like words of ours.

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::build::{Images, Recipe};
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::{self, Observation};
use cloudpad_plugin_api::stage::push::Listed;
use cloudpad_plugin_api::{Reply, Request};

/// The longest tag: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>.
const LONGEST_TAG: usize = 128;

/// Checks a reply to this request.
///
/// # Errors
/// What cannot be so.
pub fn check(request: &Request, reply: &Reply) -> Result<(), String> {
    match (request, reply) {
        (Request::BuildObserve(asked), Reply::Images(found)) => images(&asked.recipes, found),
        (Request::SourceResolve(asked), Reply::Resolved(found)) if found.name != asked.name => {
            Err(format!("it was asked for source `{}` and has told of {:?}", asked.name, found.name))
        }
        (_, Reply::Resolved(found)) if !found.path.is_absolute() => {
            Err(format!("the path {:?} of a source is not absolute", found.path))
        }
        (_, Reply::Pushed(pushed)) => reference("a pushed image", &pushed.reference),
        (_, Reply::Listed(listed)) => stored(listed),
        (_, Reply::Secrets(found)) => {
            let zero = found.values.0.iter().find(|(_, value)| value.expose().contains('\0'));
            zero.map_or(Ok(()), |(name, _)| {
                Err(format!("secret {name:?} has a zero byte, which the value of no secret can have: keep it encoded, such as in base64"))
            })
        }
        (_, Reply::Observation(seen)) => containers(seen),
        (Request::DeployResolve(asked), Reply::Digests(told)) => digests(&asked.images, told),
        (_, Reply::ClusterSeen(seen)) => cluster(seen),
        (_, Reply::Machine(machine)) => {
            let words = [&machine.system, &machine.kernel, &machine.engine.version];
            match words.into_iter().find(|word| word.contains(char::is_control)) {
                Some(word) => Err(format!("{word:?}, which it says of a host, has control characters")),
                None => Ok(()),
            }
        }
        (_, Reply::Measured(measured)) => {
            let names = measured.containers.iter().flat_map(|used| [&used.container, &used.instance.service]);
            let stopped = measured.stopped.iter().map(|instance| &instance.service);
            match names.chain(stopped).find(|name| name.contains(char::is_control)) {
                Some(name) => Err(format!("the name {name:?} of a container has control characters")),
                None => Ok(()),
            }
        }
        (_, Reply::HostKey(key)) => {
            let words = [&key.server, &key.key_type, &key.fingerprint, &key.place];
            match words.into_iter().find(|word| word.contains(char::is_control)) {
                Some(word) => Err(format!("{word:?}, which it says of a key, has control characters")),
                None => Ok(()),
            }
        }
        (_, Reply::Terminal(terminal)) if terminal.command.is_empty() => {
            Err("the command for a shell is empty".to_owned())
        }
        (_, Reply::Locked(deploy::Locked { held_by: Some(holder) })) => {
            let words = [&holder.who, &holder.since, &holder.command];
            match words.into_iter().find(|word| word.contains(char::is_control)) {
                Some(word) => Err(format!("the holder {word:?} of a lock has control characters")),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn images(recipes: &[Recipe], found: &Images) -> Result<(), String> {
    let mut told = BTreeSet::new();
    for image in &found.images {
        let Some(recipe) = recipes.iter().find(|recipe| recipe.name == image.name) else {
            return Err(format!("it has told of image {:?}, which was not asked for", image.name));
        };
        if !told.insert(&image.name) {
            return Err(format!("it has told of image `{}` twice", image.name));
        }
        let tag = image.reference.strip_prefix(&recipe.repository).and_then(|rest| rest.strip_prefix(':'));
        if !tag.is_some_and(is_tag) {
            let (reference, repository) = (&image.reference, &recipe.repository);
            return Err(format!("the reference {reference:?} is not `{repository}`, a colon and a tag"));
        }
    }
    match recipes.iter().find(|recipe| !told.contains(&recipe.name)) {
        Some(recipe) => Err(format!("it has not told of image `{}`", recipe.name)),
        None => Ok(()),
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.starts_with(word)
        && tag.len() <= LONGEST_TAG
        && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

fn reference(what: &str, text: &str) -> Result<(), String> {
    match text.starts_with('-')
        || text.is_empty()
        || text.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        true => Err(format!("the reference {text:?} of {what} is none")),
        false => Ok(()),
    }
}

fn digests(asked: &[String], told: &deploy::Digests) -> Result<(), String> {
    for told in &told.images {
        if !asked.contains(&told.image) {
            return Err(format!("it has told of image {:?}, which was not asked for", told.image));
        }
        let digest = told.digest.as_deref().unwrap_or("sha256:0");
        if !is_digest(digest) {
            return Err(format!("{digest:?}, which it says of `{}`, is no digest", told.image));
        }
    }
    match asked.iter().find(|image| told.images.iter().all(|told| told.image != **image)) {
        Some(image) => Err(format!("it has not told of image `{image}`")),
        None => Ok(()),
    }
}

fn is_digest(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.split_once(':').is_some_and(|(algorithm, hex)| is_word(algorithm) && is_word(hex))
}

/// What is removed is found by its digest, and told by its tags.
fn stored(listed: &Listed) -> Result<(), String> {
    let mut told = BTreeSet::new();
    for image in &listed.images {
        let digest = &image.digest;
        if !is_digest(digest) {
            return Err(format!("{digest:?}, which it says of an image, is no digest"));
        }
        if !told.insert(digest) {
            return Err(format!("it has told of image `{digest}` twice"));
        }
        if let Some(tag) = image.tags.iter().chain(&image.releases).find(|tag| !is_tag(tag)) {
            return Err(format!("{tag:?}, which it says of image `{digest}`, is no tag"));
        }
    }
    match listed.place.contains(char::is_control) {
        true => Err(format!("the place {:?} of images has control characters", listed.place)),
        false => Ok(()),
    }
}

fn containers(seen: &Observation) -> Result<(), String> {
    let names =
        seen.containers.iter().flat_map(|c| [&c.id, &c.name, &c.instance.service, &c.release, &c.spec_id]);
    let images = seen.releases.iter().flatten().flat_map(|release| &release.images);
    let open =
        images.filter(|(_, from)| !matches!(from, deploy::ImageRef::Known(_))).map(|(image, _)| image).next();
    if let Some(image) = open {
        return Err(format!("it remembers image {image:?} as one that is still to be pushed"));
    }
    let ports = seen.ports.iter().map(|held| &held.container);
    let one_offs = seen.one_offs.iter().flat_map(|one_off| {
        let labels = one_off.labels.iter().flat_map(|(key, value)| [key, value]);
        [&one_off.id, &one_off.name, &one_off.release].into_iter().chain(labels)
    });
    let proxy = seen.proxy.iter();
    let claims =
        proxy.flat_map(|proxy| proxy.claims.iter().flat_map(|claim| [&claim.project, &claim.service]));
    match names.chain(ports).chain(one_offs).chain(claims).find(|name| name.contains(char::is_control)) {
        Some(name) => Err(format!("the name {name:?} of a container has control characters")),
        None => Ok(()),
    }
}

fn cluster(seen: &cluster::Observation) -> Result<(), String> {
    let nodes = seen.nodes.iter().flat_map(|node| {
        let labels = node.labels.iter().flat_map(|(key, value)| [key, value]);
        [&node.name, &node.address, &node.closed].into_iter().chain(&node.roles).chain(labels)
    });
    let services = seen.services.iter().flat_map(|service| {
        let instances = service.instances.iter().flat_map(|instance| [&instance.node, &instance.status]);
        let own = [&service.name, &service.revision, &service.release, &service.id, &service.image];
        own.into_iter().chain([&service.message]).chain(instances)
    });
    let taken = seen.taken.iter().flat_map(|(name, owner)| [name, owner]);
    if let Some(word) = nodes.chain(services).chain(taken).find(|word| word.contains(char::is_control)) {
        return Err(format!("{word:?}, which it says of the cluster, has control characters"));
    }
    let names: BTreeSet<_> = seen.services.iter().map(|service| &service.name).collect();
    if names.len() < seen.services.len() {
        return Err("it has told of a service twice".to_owned());
    }
    let images = seen.releases.iter().flatten().flat_map(|release| &release.images);
    match images.into_iter().find(|(_, from)| !matches!(from, deploy::ImageRef::Known(_))) {
        Some((image, _)) => {
            Err(format!("it remembers the image of {image:?} as one that is still to be pushed"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::stage::build::Observe;
    use serde_json::{Value, json};

    /// What is wrong with this reply.
    fn wrong(method: &str, params: Value, ok: Value) -> String {
        let request: Request = serde_json::from_value(json!({ "method": method, "params": params })).unwrap();
        check(&request, &request.reply(ok).unwrap()).err().unwrap_or_default()
    }

    fn built(images: Value) -> String {
        let recipe = json!({ "name": "web", "repository": "shop.web", "context": ".", "dockerfile": "Dockerfile",
                             "source": { "name": "app", "path": "/app" } });
        let observe: Observe = serde_json::from_value(json!({ "recipes": [recipe], "cache": "/c" })).unwrap();
        wrong("build.observe", serde_json::to_value(observe).unwrap(), json!({ "images": images }))
    }

    #[test]
    fn an_image_has_its_repository_and_a_tag() {
        assert_eq!(built(json!([{ "name": "web", "reference": "shop.web:0f3a" }])), "");
        for reference in
            ["", "--help", "shop.web", "shop.web:", "shop.web:a b", "shop.web:a\nb", "alpine:latest"]
        {
            let why = built(json!([{ "name": "web", "reference": reference }]));
            assert!(why.contains("is not `shop.web`, a colon and a tag") && !why.contains('\n'), "{why}");
        }
        assert!(built(json!([])).contains("has not told of image `web`"));
        let twice = json!([{ "name": "web", "reference": "shop.web:1" }, { "name": "web", "reference": "shop.web:2" }]);
        assert!(built(twice).contains("twice"));
        assert!(built(json!([{ "name": "db", "reference": "shop.web:1" }])).contains("not asked for"));
    }

    #[test]
    fn what_a_host_remembers_is_known() {
        let observe = json!({ "host": { "name": "h", "address": "local" }, "project": { "name": "p" } });
        let remembered = |image: Value| {
            let release =
                json!({ "id": "r1", "about": {}, "containers": [], "images": { "p.web:1": image } });
            wrong("deploy.observe", observe.clone(), json!({ "containers": [], "releases": [release] }))
        };
        assert_eq!(remembered(json!("registry.example/p.web@sha256:0")), "");
        assert!(remembered(json!({ "pushed_by": 7 })).contains("still to be pushed"));
    }

    #[test]
    fn what_a_cluster_says_is_plain_and_said_once() {
        let observe = json!({ "project": { "name": "p" } });
        let said = |services: Value, releases: Value| {
            wrong("cluster.observe", observe.clone(), json!({ "services": services, "releases": releases }))
        };
        assert_eq!(said(json!([{ "name": "web", "revision": "1" }]), json!(null)), "");
        assert!(
            said(json!([{ "name": "web", "revision": "1\n" }]), json!(null)).contains("control characters")
        );
        let taken = json!({ "services": [], "taken": { "web": "a\u{7}b" } });
        assert!(wrong("cluster.observe", observe.clone(), taken).contains("control characters"));
        let twice = json!([{ "name": "web", "revision": "1" }, { "name": "web", "revision": "2" }]);
        assert!(said(twice, json!(null)).contains("twice"));
        let open = json!([{ "id": "r1", "images": { "web": { "pushed_by": 7 } } }]);
        assert!(said(json!([]), open).contains("still to be pushed"));
    }

    #[test]
    fn what_else_cannot_be() {
        let source =
            json!({ "name": "app", "location": { "type": "directory", "path": "/app" }, "cache": "/c" });
        for (found, why) in [
            (json!({ "name": "app", "path": "/app" }), ""),
            (json!({ "name": "other", "path": "/app" }), "has told of \"other\""),
            (json!({ "name": "app", "path": "app" }), "not absolute"),
        ] {
            let said = wrong("source.resolve", source.clone(), found);
            assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{said}");
        }
        let one_off =
            json!({ "containers": [], "one_offs": [{ "id": "1", "name": "a\nb", "state": "stopped" }] });
        let observe = json!({ "host": { "name": "h", "address": "local" }, "project": { "name": "p" } });
        assert!(wrong("deploy.observe", observe, one_off).contains("control characters"));
        let push = |reference: &str| {
            wrong("push.run", json!({ "reference": "a:1" }), json!({ "reference": reference }))
        };
        assert_eq!(push("r.example/a@sha256:0"), "");
        assert!(push("--privileged").contains("is none") && push("a\n").contains("is none"));
        let secret = |value: &str| {
            wrong("secrets.get", json!({ "names": ["a"] }), json!({ "values": { "a": value } }))
        };
        assert_eq!(secret("one\ntwo"), "");
        assert!(secret("a\0b").contains("zero byte"));
        let lock =
            json!({ "host": { "name": "h", "address": "local" }, "project": { "name": "p" }, "holder": {} });
        let held = |who: &str| wrong("deploy.lock", lock.clone(), json!({ "held_by": { "who": who } }));
        assert_eq!(held("alice@laptop"), "");
        assert!(held("alice\nerror: all is lost").contains("control characters"));
    }

    #[test]
    fn a_digest_is_one_and_was_asked_for() {
        let asked = json!({ "host": { "name": "h", "address": "local" }, "images": ["a:1"] });
        let told = |image: &str, digest: &str| {
            let images = json!({ "images": [{ "image": image, "digest": digest }] });
            wrong("deploy.resolve", asked.clone(), images)
        };
        assert_eq!(told("a:1", "sha256:0f"), "");
        assert!(told("b:1", "sha256:0f").contains("was not asked for"));
        assert!(told("a:1", "--privileged").contains("is no digest"));
        assert!(told("a:1", "sha256:").contains("is no digest"));
        assert!(wrong("deploy.resolve", asked.clone(), json!({})).contains("has not told of image `a:1`"));
    }

    #[test]
    fn what_is_kept_has_digests_and_tags_and_is_told_once() {
        let told = |images: Value, place: &str| {
            wrong(
                "push.list",
                json!({ "repository": "shop.web" }),
                json!({ "images": images, "place": place }),
            )
        };
        let image = |digest: &str, tag: &str| json!({ "digest": digest, "tags": [tag], "releases": [tag] });
        assert_eq!(told(json!([image("sha256:0f", "v1")]), "r.test/shop.web"), "");
        assert!(told(json!([image("--all", "v1")]), "").contains("is no digest"));
        assert!(told(json!([image("sha256:0f", "a b")]), "").contains("is no tag"));
        assert!(told(json!([image("sha256:0f", "v1"), image("sha256:0f", "v2")]), "").contains("twice"));
        assert!(told(json!([]), "a\nb").contains("control characters"));
    }
}
