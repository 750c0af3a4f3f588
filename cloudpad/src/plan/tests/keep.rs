//! What a registry keeps.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{ImageRef, State};
use cloudpad_plugin_api::stage::push::{Listed, Stored};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::kit::Case;
use super::record::{release, remembering};
use crate::plan::Plan;
use crate::plan::{Fate, Needs, judged, prune_registry, repositories};

const REPOSITORY: &str = "shop.web";

/// An image of the project's, pushed for release `number`.
fn stored(number: u32) -> Stored {
    Stored {
        digest: format!("sha256:{number:02}"),
        tags: vec![format!("v{number}")],
        releases: vec![format!("20260131T2359{number:02}Z")],
        built: Some(format!("{REPOSITORY}:v{number}")),
        created: Some(i64::from(number)),
        ..Stored::default()
    }
}

fn needs(case: &Case) -> Needs {
    let mut needs = Needs::default();
    needs.add(&case.observed);
    needs
}

fn plan(images: &[Stored], needs: &Needs, keep: usize) -> Plan {
    let listed = Listed { place: "r.test/shop.web".into(), images: images.to_vec() };
    prune_registry(&BTreeMap::from([(REPOSITORY.to_owned(), listed)]), needs, keep)
}

/// The digests that a plan removes.
fn removed(plan: &Plan) -> Vec<&str> {
    let removes = plan.actions.iter().map(|action| match &action.request {
        Request::PushRemove(remove) => remove,
        other => panic!("{other:?}"),
    });
    removes.flat_map(|remove| &remove.images).map(|image| image.digest.as_str()).collect()
}

fn fates(images: &[Stored], needs: &Needs, keep: usize) -> Vec<(String, Fate)> {
    judged(REPOSITORY, images, needs, keep)
        .iter()
        .map(|image| (image.stored.digest.clone(), image.fate))
        .collect()
}

#[test]
fn what_runs_or_is_remembered_stays_and_the_newest() {
    let mut case = remembering();
    release(&mut case, "r1", "web", "v2");
    release(&mut case, "r2", "web", "v4");
    let images: Vec<Stored> = (1..=7).map(stored).collect();
    let needs = needs(&case);
    let judged = judged(REPOSITORY, &images, &needs, 2);
    let told: Vec<_> = judged.iter().map(|image| (&*image.stored.tags[0], image.fate)).collect();
    let expected = [
        ("v7", Fate::Recent),
        ("v6", Fate::Recent),
        ("v5", Fate::Spare),
        ("v4", Fate::Needed),
        ("v3", Fate::Spare),
        ("v2", Fate::Needed),
        ("v1", Fate::Spare),
    ];
    assert_eq!(told, expected);
    assert_eq!(judged[3].uses.runs_on, BTreeSet::from(["h1", "h2", "h3"].map(str::to_owned)));
    assert_eq!(judged[5].uses.releases, BTreeSet::from(["r1".to_owned()]));
    assert!(judged[5].uses.others, "its containers are there, stopped");
    let plan = plan(&images, &needs, 2);
    assert_eq!(removed(&plan), ["sha256:05", "sha256:03", "sha256:01"]);
    let told: Vec<_> = plan.notes.iter().map(|note| note.message.as_str()).collect();
    let unknown = "3 images are of releases that no host of this file remembers: they are forgotten, or run on hosts \
                   that are not in it, and are removed all the same";
    assert_eq!(told, [unknown, "a registry has the space again once it collects its garbage"]);
}

#[test]
fn it_is_told_what_hosts_of_another_file_may_run() {
    let mut case = remembering();
    release(&mut case, "20260131T235902Z", "web", "v9");
    let mut images = vec![stored(1), stored(2), stored(3)];
    images[1].releases = vec!["20260131T235902Z-4b825dc".into()];
    images[2].releases.clear();
    let plan = plan(&images, &needs(&case), 0);
    assert_eq!(removed(&plan).len(), 3);
    let note = plan.notes[0].message.as_str();
    assert!(note.starts_with("1 image is of releases that no host of this file remembers"), "{note}");
}

#[test]
fn what_is_needed_by_its_digest_or_elsewhere_stays() {
    let images: Vec<Stored> = (1..=4).map(stored).collect();
    let mut case = remembering();
    release(&mut case, "r1", "web", "v1");
    let seen = case.seen("h1");
    seen.needed_elsewhere = vec!["shop.web:v2".into()];
    let from = ImageRef::Known("r.test/shop.web@sha256:03".into());
    seen.releases.as_mut().unwrap()[0].images.insert("shop.web:other".into(), from);
    assert_eq!(removed(&plan(&images, &needs(&case), 0)), ["sha256:04"]);
}

#[test]
fn nothing_goes_while_it_is_not_known_what_a_container_is_made_from() {
    let mut case = remembering();
    release(&mut case, "r1", "web", "v1");
    case.seen("h2").containers[0].spec = None;
    let plan = plan(&[stored(1), stored(2)], &needs(&case), 0);
    assert!(plan.is_empty());
    let name = case.seen("h2").containers[0].name.clone();
    let words = format!("it is not understood what `{name}` on `h2` is made from, so no image is removed");
    assert_eq!(plan.notes[0].message, words);
}

#[test]
fn what_a_cluster_runs_or_remembers_stays() {
    let spec = |image: &str| json!({ "image": image, "stop_timeout": 10 });
    let update =
        json!({ "batch": 1, "order": "start-first", "settle_ms": 0, "ready_within_ms": 0, "rollback": true });
    let service = |image: &str| json!({ "name": "web", "spec": spec(image), "scale": { "replicas": 1 }, "update": update });
    let seen = |services: Value| {
        let release = json!({ "id": "r1", "services": { "web": service("shop.web:v2") },
                              "images": { "web": "r.test/shop.web@sha256:03" } });
        let seen = json!({ "services": services, "releases": [release] });
        let mut case = remembering();
        case.observed.cluster = Some(Box::new(serde_json::from_value(seen).unwrap()));
        needs(&case)
    };
    let images: Vec<Stored> = (1..=6).map(stored).collect();
    let known = seen(json!([
        { "name": "web", "revision": "1", "service": service("shop.web:v1") },
        { "name": "other", "revision": "1", "image": "r.test/shop.web@sha256:04" },
    ]));
    assert_eq!(removed(&plan(&images, &known, 0)), ["sha256:06", "sha256:05"]);
    assert_eq!(judged(REPOSITORY, &images[..1], &known, 0)[0].uses.runs_on, ["cluster".to_owned()].into());
    let unknown = seen(json!([{ "name": "web", "revision": "1", "image": "web:1" }]));
    assert!(plan(&images, &unknown, 0).is_empty(), "it may be any of them");
}

#[test]
fn what_is_not_only_ours_is_left_and_told() {
    type Change = fn(&mut Stored);
    let cases: [(&str, Change, Fate, Option<&str>); 6] = [
        ("ours", |_| {}, Fate::Spare, None),
        ("without its first tag", |image| image.tags.clear(), Fate::Spare, None),
        (
            "with another tag",
            |image| image.tags.push("mine".into()),
            Fate::Foreign,
            Some("not Cloudpad's, and left in `r.test/shop.web`: `mine`"),
        ),
        ("not built", |image| image.built = None, Fate::Foreign, Some("`v1`")),
        (
            "of another project",
            |image| image.built = Some("shop.web2:v1".into()),
            Fate::Foreign,
            Some("`v1`"),
        ),
        (
            "a release of nobody",
            |image| {
                image.built = None;
                image.tags.clear();
            },
            Fate::Foreign,
            Some("`20260131T235901Z`"),
        ),
    ];
    for (what, change, fate, words) in cases {
        let mut image = stored(1);
        change(&mut image);
        let (images, needs) = ([image], Needs::default());
        assert_eq!(fates(&images, &needs, 0), [("sha256:01".to_owned(), fate)], "{what}");
        let plan = plan(&images, &needs, 0);
        assert_eq!(plan.is_empty(), fate == Fate::Foreign, "{what}");
        let note = plan.notes.last().unwrap().message.as_str();
        assert!(note.contains(words.unwrap_or("garbage")), "{what}: {note}");
    }
}

#[test]
fn what_is_in_an_image_that_stays_stays() {
    let mut several = stored(2);
    several.parts = vec!["sha256:01".into()];
    let images = [stored(1), several];
    let fate = |keep| fates(&images, &Needs::default(), keep).pop().unwrap().1;
    assert_eq!((fate(1), fate(0)), (Fate::Part, Fate::Spare));
}

#[test]
fn images_that_only_hosts_know_are_looked_for() {
    let mut case = remembering();
    case.seen("h1").needed_elsewhere = vec!["shop.old:v1".into(), "shop2.web:v1".into(), "nginx:1".into()];
    let all = repositories([&case.config], &needs(&case));
    assert_eq!(all.into_iter().collect::<Vec<_>>(), ["shop.old", "shop.web"]);
}

#[test]
fn what_a_container_has_run_on_a_host_is_told_apart() {
    let mut case = remembering();
    release(&mut case, "r1", "web", "v1");
    case.seen("h2").containers[0].state = State::Stopped;
    let images = [stored(1)];
    let needs = needs(&case);
    let uses = judged(REPOSITORY, &images, &needs, 0).remove(0).uses;
    assert_eq!(uses.runs_on, BTreeSet::from(["h1", "h3"].map(str::to_owned)));
    assert!(uses.others);
}

prop_compose! {
    /// Any image: with a release or none, perhaps somebody else's, perhaps made of others.
    fn any_stored()(number in 1_u32..30, kind in 0..8, part in 1_u32..30) -> Stored {
        let mut image = stored(number);
        match kind {
            0 => image.releases.clear(),
            1 => image.built = None,
            2 => image.tags.push("mine".into()),
            3 => image.parts = vec![format!("sha256:{part:02}")],
            4 => image.created = None,
            _ => {}
        }
        image
    }
}

proptest! {
    #[test]
    fn only_what_nobody_needs_goes_and_once_is_enough(
        images in proptest::collection::vec(any_stored(), 0..20),
        needed in proptest::collection::btree_set(1_u32..30, 0..6),
        keep in 0_usize..5,
    ) {
        let by_digest: BTreeMap<String, Stored> =
            images.into_iter().map(|image| (image.digest.clone(), image)).collect();
        let images: Vec<Stored> = by_digest.into_values().collect();
        let mut case = remembering();
        case.seen("h1").needed_elsewhere = needed.iter().map(|number| format!("shop.web:v{number}")).collect();
        let needs = needs(&case);
        let once = plan(&images, &needs, keep);
        let gone: BTreeSet<&str> = removed(&once).into_iter().collect();
        let is_ours = |image: &&Stored| image.built.is_some() && !image.tags.contains(&"mine".to_owned());
        for image in &images {
            let goes = gone.contains(image.digest.as_str());
            let is_needed = needed.iter().any(|number| image.tags.contains(&format!("v{number}")));
            prop_assert!(!goes || (!is_needed && is_ours(&image)), "{image:?}");
        }
        let left: Vec<Stored> = images.iter().filter(|image| !gone.contains(image.digest.as_str())).cloned().collect();
        let ours = images.iter().filter(is_ours).count();
        prop_assert!(left.iter().filter(is_ours).count() >= keep.min(ours));
        let parts: BTreeSet<&String> = left.iter().flat_map(|image| &image.parts).collect();
        prop_assert!(images.iter().all(|image| !gone.contains(image.digest.as_str()) || !parts.contains(&image.digest)));
        prop_assert!(removed(&plan(&left, &needs, keep)).is_empty(), "once is enough");
        let more = plan(&images, &needs, keep + 1);
        let fewer = removed(&more);
        prop_assert!(fewer.iter().all(|digest| gone.contains(digest)), "who keeps more removes no more");
    }
}
