//! What makes a new tag, and what does not.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use cloudpad_plugin_api::stage::build::{Arg, SecretSource};

use crate::support::Project;

fn project(name: &str) -> Project {
    let project = Project::new(name, "FROM BASE AS t\nCOPY . /\n");
    project.write("src/main", "code");
    project.write(".dockerignore", "*.log\n");
    project.write("x.log", "noise");
    project
}

#[test]
fn what_goes_into_the_build_makes_the_tag() {
    let mut project = project("tag");
    let first = project.observe().reference;
    let (repository, tag) = first.rsplit_once(':').unwrap();
    assert_eq!(repository, project.recipe.repository);
    assert!(tag.len() == 12 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    assert_eq!(project.observe().reference, first);

    let mut seen = vec![first];
    let mut is_new = |project: &Project, what: &str| {
        let reference = project.observe().reference;
        assert!(!seen.contains(&reference), "{what} makes no new tag");
        seen.push(reference);
    };
    project.write("src/main", "Code");
    is_new(&project, "a changed file");
    project.write("src/more", "");
    is_new(&project, "a new file");
    std::fs::create_dir(project.path().join("src/empty")).unwrap();
    is_new(&project, "an empty directory");
    std::fs::set_permissions(
        project.path().join("src/more"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    is_new(&project, "a changed mode");
    std::os::unix::fs::symlink("main", project.path().join("src/link")).unwrap();
    is_new(&project, "a link");
    project.recipe.target = Some("t".into());
    is_new(&project, "a target");
    project.arg("A", Arg::Value("1".into()));
    is_new(&project, "an argument");
    project.arg("A", Arg::Value("2".into()));
    is_new(&project, "an argument's value");
    project.recipe.labels = BTreeMap::from([("a".into(), "b".into())]);
    is_new(&project, "a label");
    project.recipe.platforms = vec!["linux/amd64".into()];
    is_new(&project, "a platform");
    project.recipe.ssh = true;
    is_new(&project, "the agent");
    project.recipe.secrets = BTreeMap::from([("s".into(), SecretSource::Env("PATH".into()))]);
    is_new(&project, "a secret's name");
    project.write(".dockerignore", "*.log\nDockerfile\n");
    is_new(&project, "a Dockerfile that is left out");
    project.write("Dockerfile", "FROM scratch AS t\nCOPY . /\n");
    is_new(&project, "a Dockerfile that is left out and changed");
}

#[test]
fn what_does_not_go_into_the_build_does_not_make_the_tag() {
    let mut project = project("same");
    let first = project.observe().reference;
    let file = std::fs::File::options().write(true).open(project.path().join("src/main")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    assert_eq!(project.observe().reference, first, "a time");
    project.write("x.log", "other noise");
    assert_eq!(project.observe().reference, first, "a file that is left out");
    project.write(".cloudpad/journal", "a run");
    assert_eq!(project.observe().reference, first, "what Cloudpad keeps");
    project.write("Cloudpad.toml", "[project]");
    assert_eq!(project.observe().reference, first, "the config");
    project.write(".git/index", "a commit");
    assert_eq!(project.observe().reference, first, "git's own files");
    project.recipe.cache_from = vec!["x".into()];
    assert_eq!(project.observe().reference, first, "where the cache comes from");
    project.recipe.secrets = BTreeMap::from([("s".into(), SecretSource::Env("PATH".into()))]);
    let with_secret = project.observe().reference;
    project.recipe.secrets = BTreeMap::from([("s".into(), SecretSource::Env("HOME".into()))]);
    assert_eq!(project.observe().reference, with_secret, "where a secret's value comes from");
}

#[test]
fn a_pinned_source_is_not_looked_at() {
    let mut project = project("unseen-pinned");
    project.recipe.source.revision = Some("abcdef0123".into());
    project.recipe.source.pinned = true;
    project.recipe.source.path = "/nowhere/at/all".into();
    let reference = project.observe().reference;
    assert!(reference.contains(":abcdef0-"), "{reference}");
    project.recipe.context = "sub".into();
    assert_ne!(project.observe().reference, reference);
    // What is wrong without its files is told all the same.
    project.recipe.target = Some("0".into());
    project.recipe.runit.insert("web".into(), "exec puma".into());
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.ends_with("its `target` is the number of a stage"), "{failure}");
}
