//! Catalogues of made-up listings.

use std::path::PathBuf;

use super::*;
use crate::plugin::find::{Passed, Place, read_name};

fn file(place: Place, path: &str) -> Candidate {
    let path = PathBuf::from(path);
    let (name, carrier) = read_name(path.file_name().unwrap()).unwrap().unwrap();
    Candidate { name, place, carrier, path, fault: None, trusted: None }
}

fn built_in(stage: Stage, name: &str) -> Candidate {
    let carrier = Carrier::BuiltIn(stage);
    Candidate { carrier, path: PathBuf::new(), ..file(Place::BuiltIn, &format!("cloudpad-{name}")) }
}

fn listing(folders: &[&[Candidate]]) -> Listing {
    let folders = folders.iter().map(|folder| folder.to_vec());
    Listing { folders: folders.collect(), passed: Vec::new(), unread: None }
}

fn catalogue(listing: &Listing, chosen: &[(Stage, &str)], all: bool) -> Catalogue {
    let chosen = chosen.iter().map(|(stage, name)| (*stage, (*name).to_owned())).collect();
    let given = Given {
        listing,
        chosen: &chosen,
        built_in: &["deploy".to_owned()].into(),
        version: &|candidate| (candidate.name == "git").then(|| "1.0".to_owned()),
        objection: &|candidate| (candidate.name == "locked").then(|| "it has another sum".to_owned()),
    };
    Catalogue::new(&given, all)
}

fn lines(catalogue: &Catalogue) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    catalogue.text().lines().map(words).collect()
}

#[test]
fn providers_by_stage_then_those_of_any_then_commands() {
    let listing = listing(&[
        &[built_in(Stage::Source, "git")],
        &[file(Place::User, "/u/cloudpad-aws-inventory"), file(Place::User, "/u/libcloudpad_vault.so")],
        &[file(Place::Path, "/bin/cloudpad-foo"), file(Place::Path, "/bin/cloudpad-deploy")],
    ]);
    let shown = lines(&catalogue(&listing, &[(Stage::Source, "git"), (Stage::Deploy, "foo")], true));
    let expected = [
        "STAGE PROVIDER CARRIER VERSION USED FOR WHERE",
        "inventory aws executable /u/cloudpad-aws-inventory",
        "source git built in 1.0 source",
        "deploy foo executable deploy /bin/cloudpad-foo",
        "any deploy executable /bin/cloudpad-deploy",
        "any vault library /u/libcloudpad_vault.so",
        "",
        "COMMAND WHERE",
        "aws-inventory /u/cloudpad-aws-inventory",
        "foo /bin/cloudpad-foo",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_the_project_uses_and_may_not_is_told() {
    let untrusted = Candidate {
        fault: Some("you have not trusted it".into()),
        ..file(Place::Project, "/p/cloudpad-own")
    };
    let broken = Candidate { fault: Some("it is a folder".into()), ..file(Place::Path, "/bin/cloudpad-bad") };
    let listing = listing(&[&[untrusted], &[file(Place::User, "/u/cloudpad-locked")], &[broken]]);
    let chosen =
        [(Stage::Inventory, "own"), (Stage::Source, "locked"), (Stage::Build, "bad"), (Stage::Push, "none")];
    let shown = lines(&catalogue(&listing, &chosen, false));
    let expected = [
        "STAGE PROVIDER CARRIER VERSION USED FOR WHERE",
        "inventory own executable inventory /p/cloudpad-own cannot be used: you have not trusted it",
        "source locked executable source /u/cloudpad-locked cannot be used: it has another sum",
        "build bad missing build `/bin/cloudpad-bad` cannot be used: it is a folder",
        "push none missing push there is no such plugin",
        "",
        "COMMAND WHERE",
        "locked /u/cloudpad-locked",
        "own /p/cloudpad-own cannot be used: you have not trusted it",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_is_not_used_is_told_once_and_only_when_asked() {
    let broken = Candidate { fault: Some("it is a folder".into()), ..file(Place::Path, "/bin/cloudpad-bad") };
    let mut listing = listing(&[
        &[file(Place::Config, "/c/cloudpad-ssh")],
        &[built_in(Stage::Source, "git"), built_in(Stage::Push, "ssh")],
        &[file(Place::User, "/u/cloudpad-aws")],
        &[file(Place::Path, "/bin/cloudpad-aws"), broken, file(Place::Path, "/bin/cloudpad-git-source")],
    ]);
    listing.passed.push(Passed { path: ".".into(), why: "it is relative".into() });
    let heading = "NOT USED WHY".to_owned();
    assert!(!lines(&catalogue(&listing, &[], false)).contains(&heading));
    let shown = lines(&catalogue(&listing, &[], true));
    let unused = &shown[shown.iter().position(|line| *line == heading).unwrap() + 1..];
    let expected = [
        "/bin/cloudpad-aws `/u/cloudpad-aws` goes before it",
        "/bin/cloudpad-bad it is a folder",
        "/bin/cloudpad-git-source the built-in source provider `git` goes before it",
        "the built-in push provider `ssh` `/c/cloudpad-ssh` goes before it",
        ". it is relative",
    ];
    assert_eq!(unused, expected);
}

#[test]
fn programs_get_the_same() {
    let listing = listing(&[&[file(Place::User, "/u/cloudpad-aws")]]);
    let told = serde_json::to_value(catalogue(&listing, &[(Stage::Inventory, "aws")], true)).unwrap();
    let row = serde_json::json!({
        "stage": "inventory", "provider": "aws", "carrier": "executable", "used_for": ["inventory"],
        "path": "/u/cloudpad-aws",
    });
    let command = serde_json::json!({ "command": "aws", "path": "/u/cloudpad-aws" });
    assert_eq!(told, serde_json::json!({ "providers": [row], "commands": [command], "unused": [] }));
}
