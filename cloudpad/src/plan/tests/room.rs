//! Room on hosts for what a plan brings there.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::deploy::Disk;

use super::kit::*;
use crate::plan::{look_for_room, room};

const MEGABYTE: u64 = 1_000_000;

/// One host, to which the image `web` is to be brought. It is built where its size is known.
fn one_host(megabytes: Option<u64>, images: &[&str]) -> Case {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.seen("h1").images = images.iter().map(|image| (*image).to_owned()).collect();
    let image = case.observed.images.get_mut("web").unwrap();
    (image.built, image.size) = (megabytes.is_some(), megabytes.map(|size| size * MEGABYTE));
    case
}

/// What is said of a disk of so many megabytes of which so many are free.
fn said(case: &Case, (size, free): (u64, u64)) -> Result<Vec<String>, Vec<String>> {
    let disk = Disk { path: "/d".into(), size: size * MEGABYTE, free: free * MEGABYTE };
    let disks = BTreeMap::from([("h1".to_owned(), disk)]);
    let said = room(&case.plan(), &case.inventory(), &case.observed, &disks);
    let notes = said.map(|notes| notes.into_iter().map(|note| note.message).collect());
    notes.map_err(|problems| problems.into_iter().map(|problem| problem.message).collect())
}

#[test]
fn little_room_is_told_and_none_is_refused() {
    let (new, other, similar) = (&[][..], &["valkey:8"][..], &["shop.web:v0"][..]);
    let low = "`h1` is low on disk: ";
    // The image's size, what the host has, its disk, and the beginning of what is said.
    let cases = [
        (Some(300), new, (20_000, 5_000), Ok(None)),
        (
            Some(300),
            new,
            (20_000, 1_200),
            Ok(Some(format!(
                "{low}1.2 GB of 20.0 GB are free in `/d`, and `shop.web:v1` takes up to 300.0 MB; "
            ))),
        ),
        (Some(300), new, (400, 339), Ok(Some(format!("{low}339.0 MB of 400.0 MB are free")))),
        (Some(300), new, (400, 340), Ok(None)),
        (
            Some(300),
            new,
            (400, 299),
            Err(
                "image `shop.web:v1` has no room on `h1`: it takes 300.0 MB, and 299.0 MB of 400.0 MB are free in `/d`",
            ),
        ),
        // Some of it may be there already.
        (Some(300), other, (400, 299), Ok(Some(format!("{low}299.0 MB of 400.0 MB are free in `/d`, and")))),
        (Some(300), similar, (400, 299), Ok(None)),
        (
            Some(300),
            similar,
            (400, 39),
            Ok(Some(format!("{low}39.0 MB of 400.0 MB are free in `/d`; `cloudpad prune --host h1`"))),
        ),
        // Nobody knows how large it will be.
        (None, new, (400, 50), Ok(None)),
        (None, new, (400, 39), Ok(Some(format!("{low}39.0 MB of 400.0 MB are free in `/d`; ")))),
    ];
    for (size, images, disk, expected) in cases {
        let said = said(&one_host(size, images), disk);
        match (&said, expected) {
            (Ok(notes), Ok(None)) => assert!(notes.is_empty(), "{size:?} {disk:?}: {said:?}"),
            (Ok(notes), Ok(Some(begins))) => assert!(
                matches!(&notes[..], [note] if note.starts_with(&begins)),
                "{size:?} {disk:?}: {said:?}"
            ),
            (Err(problems), Err(message)) => assert_eq!(*problems, [message]),
            _ => panic!("{size:?} {disk:?}: {said:?}"),
        }
    }
}

#[test]
fn only_hosts_that_get_an_image_are_looked_at() {
    let mut case = case();
    case.seen("h2").images = vec!["shop.web:v1".to_owned()];
    let hosts = |case: &Case| {
        let looks = look_for_room(&case.plan());
        looks.iter().map(|look| look.host().unwrap().name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&case), ["h1", "h3"]);
    case.deploy();
    assert!(hosts(&case).is_empty());
    // And one that does not tell is taken to have enough.
    let said = room(&super::kit::case().plan(), &case.inventory(), &case.observed, &BTreeMap::new());
    assert_eq!(said, Ok(Vec::new()));
}
