//! Which file is used, as a table: what there is, what is asked for, and what comes of it.

use super::*;
use Place::*;

fn candidate(place: Place, file: &str) -> Candidate {
    let path = PathBuf::from(file);
    let (name, carrier) = read_name(path.file_name().unwrap()).unwrap().unwrap();
    Candidate { name, place, carrier, path, fault: None, trusted: None }
}

fn built_in(stage: Stage, name: &str) -> Candidate {
    let carrier = Carrier::BuiltIn(stage);
    Candidate { name: name.into(), place: BuiltIn, carrier, path: PathBuf::new(), fault: None, trusted: None }
}

fn broken(place: Place, file: &str) -> Candidate {
    Candidate { fault: Some("it is broken".into()), ..candidate(place, file) }
}

fn listing(folders: &[&[Candidate]]) -> Listing {
    Listing {
        folders: folders.iter().map(|folder| folder.to_vec()).collect(),
        passed: Vec::new(),
        unread: None,
    }
}

fn files(candidates: &[&Candidate]) -> Vec<String> {
    candidates.iter().map(|candidate| candidate.path.display().to_string()).collect()
}

/// What is used, shadowed and rejected for provider `aws` of stage `inventory`.
fn aws(folders: &[&[Candidate]]) -> (String, Vec<String>, Vec<String>) {
    let listing = listing(folders);
    let found = find(&listing, Stage::Inventory, "aws");
    let used = found.used.map_or("nothing".to_owned(), |used| match used.carrier {
        Carrier::BuiltIn(stage) => format!("built in {stage}"),
        _ => used.path.display().to_string(),
    });
    (used, files(&found.shadowed), files(&found.rejected))
}

#[test]
fn the_first_place_wins_and_the_others_are_shadowed() {
    let all = [
        candidate(Config, "/c/cloudpad-aws"),
        built_in(Stage::Inventory, "aws"),
        candidate(Project, "/p/cloudpad-aws"),
        candidate(User, "/u/cloudpad-aws"),
        candidate(System, "/s/cloudpad-aws"),
        candidate(Path, "/bin/cloudpad-aws"),
    ];
    for first in 0..all.len() {
        let folders: Vec<_> = all[first..].iter().map(std::slice::from_ref).collect();
        let (used, shadowed, rejected) = aws(&folders);
        let expected = match all[first].place {
            BuiltIn => "built in inventory".to_owned(),
            _ => all[first].path.display().to_string(),
        };
        assert_eq!(used, expected);
        assert_eq!((shadowed.len(), rejected.len()), (all.len() - first - 1, 0));
    }
    assert_eq!(aws(&[]), ("nothing".into(), vec![], vec![]));
}

#[test]
fn the_order_within_a_folder() {
    let folder = [
        candidate(User, "/u/libcloudpad_aws_inventory.so"),
        candidate(User, "/u/cloudpad-aws.so"),
        candidate(User, "/u/cloudpad-aws"),
        candidate(User, "/u/cloudpad-aws-inventory.so"),
        candidate(User, "/u/cloudpad-aws-inventory"),
    ];
    let (used, shadowed, _) = aws(&[&folder]);
    assert_eq!(used, "/u/cloudpad-aws-inventory");
    let expected = [
        "/u/cloudpad-aws-inventory.so",
        "/u/libcloudpad_aws_inventory.so",
        "/u/cloudpad-aws",
        "/u/cloudpad-aws.so",
    ];
    assert_eq!(shadowed, expected);
}

#[test]
fn a_nearer_place_wins_over_a_better_name() {
    let (used, ..) =
        aws(&[&[candidate(User, "/u/cloudpad-aws")], &[candidate(System, "/s/cloudpad-aws-inventory")]]);
    assert_eq!(used, "/u/cloudpad-aws");
}

#[test]
fn other_names_and_stages_do_not_fit() {
    let folder = [
        candidate(Path, "/bin/cloudpad-aws-push"),
        candidate(Path, "/bin/cloudpad-awsinventory"),
        candidate(Path, "/bin/cloudpad-aw"),
        candidate(Path, "/bin/cloudpad-aws-inventory-more"),
        built_in(Stage::Push, "aws"),
    ];
    assert_eq!(aws(&[&folder]).0, "nothing");
}

#[test]
fn what_cannot_be_used_is_passed_over() {
    let (used, _, rejected) =
        aws(&[&[broken(User, "/u/cloudpad-aws")], &[candidate(System, "/s/cloudpad-aws")]]);
    assert_eq!((used.as_str(), rejected), ("/s/cloudpad-aws", vec!["/u/cloudpad-aws".to_owned()]));
    let (used, _, rejected) = aws(&[&[broken(Path, "/bin/cloudpad-aws")]]);
    assert_eq!((used.as_str(), rejected.len()), ("nothing", 1));
}

#[test]
fn what_the_project_brings_has_to_work() {
    for place in [Config, Project] {
        let listing = listing(&[&[broken(place, "/p/cloudpad-aws")], &[candidate(User, "/u/cloudpad-aws")]]);
        let found = find(&listing, Stage::Inventory, "aws");
        assert_eq!(found.used.unwrap().fault.as_deref(), Some("it is broken"));
        assert_eq!(files(&found.shadowed), ["/u/cloudpad-aws"]);
    }
    // What another place has already decided cannot be an error.
    let (used, _, rejected) =
        aws(&[&[built_in(Stage::Inventory, "aws")], &[broken(Project, "/p/cloudpad-aws")]]);
    assert_eq!((used.as_str(), rejected.len()), ("built in inventory", 1));
}

#[test]
fn everything_by_name() {
    let listing = listing(&[
        &[built_in(Stage::Deploy, "ssh"), built_in(Stage::Push, "ssh")],
        &[candidate(User, "/u/cloudpad-zoo"), candidate(User, "/u/cloudpad-aws-push")],
        &[candidate(User, "/u/cloudpad-lib.so")],
        &[
            candidate(Path, "/bin/cloudpad-zoo"),
            broken(Path, "/bin/cloudpad-bad"),
            candidate(Path, "/bin/cloudpad-ssh"),
        ],
    ]);
    assert_eq!(listing.names(), ["aws-push", "bad", "lib", "ssh", "zoo"]);
    let found: Vec<_> = listing.names().into_iter().map(|name| words(&named(&listing, name))).collect();
    assert_eq!(
        found,
        [
            "/u/cloudpad-aws-push 0 0",
            "nothing 0 1",
            "/u/cloudpad-lib.so 0 0",
            "/bin/cloudpad-ssh 0 0",
            "/u/cloudpad-zoo 1 0"
        ]
    );
    assert_eq!(words(&command(&listing, "zoo")), "/u/cloudpad-zoo 1 0");
    assert_eq!(words(&command(&listing, "ssh")), "/bin/cloudpad-ssh 0 0", "a provider is no command");
    assert_eq!(words(&command(&listing, "lib")), "nothing 0 0", "nor is a library");
    assert_eq!(words(&command(&listing, "aws")), "nothing 0 0", "nor is another name");
    assert_eq!(listing.providers(Stage::Push), ["aws", "lib", "ssh", "zoo"]);
    assert_eq!(listing.providers(Stage::Inventory), ["lib", "ssh", "zoo"]);
    assert_eq!(listing.providers_only(Stage::Push), ["aws", "ssh"]);
    assert_eq!(listing.providers_only(Stage::Inventory), [""; 0]);
}

/// What is used, and how many are shadowed and rejected.
fn words(found: &Finding<'_>) -> String {
    let used = found.used.map_or("nothing".to_owned(), |used| used.path.display().to_string());
    format!("{used} {} {}", found.shadowed.len(), found.rejected.len())
}
