//! Source code from a git repository.

use std::process::Command;

use crate::support::{Outcome, Project};

/// Runs git in the application's repository.
fn git(project: &Project, args: &[&str]) {
    git_in(project, "repository", args);
}

fn git_in(project: &Project, folder: &str, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"]);
    let output = command.args(args).current_dir(project.path(folder)).output().expect("git does not start");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Commits a page that the application serves.
pub fn commit(project: &Project, page: &str) {
    project.write("repository/www/index.html", page);
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", page]);
}

fn with_a_repository(topic: &str, revision: &str) -> Project {
    let project = Project::new(topic);
    let web = source_in_a_repository(&project, revision);
    project.configure(&web);
    project
}

/// Makes a repository with page `one` in the project's folder, and returns its service `web` with that as its source.
pub fn source_in_a_repository(project: &Project, revision: &str) -> String {
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("repository/Dockerfile", dockerfile);
    git(project, &["init", "-q"]);
    commit(project, "one");
    let url = project.path("repository").display().to_string();
    project.web().replace(
        "[images.web]\n",
        &format!("[sources.app]\ngit = \"file://{url}\"\n{revision}\n[images.web]\nsource = \"app\"\n"),
    )
}

#[test]
fn a_commit_is_what_is_deployed() {
    let project = with_a_repository("git", "branch = \"main\"");
    project.deploy();
    project.serves("one");
    project.write("repository/www/index.html", "not committed");
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
    commit(&project, "two");
    project.deploy();
    project.serves("two");
}

#[test]
fn a_tag_stays_where_it_is() {
    let project = with_a_repository("tag", "tag = \"v1\"");
    project.run(&["plan"]).expect(2).says("v1");
    git(&project, &["tag", "v1"]);
    project.deploy();
    commit(&project, "two");
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
    project.serves("one");
}

#[test]
fn uncommitted_changes_of_the_projects_own_directory_are_deployed_and_the_release_says_so() {
    let project = Project::new("dirty");
    project.configure(&project.web());
    git_in(&project, ".", &["init", "-q"]);
    git_in(&project, ".", &["add", "-A"]);
    git_in(&project, ".", &["commit", "-q", "-m", "one"]);
    let release = |outcome: &Outcome| outcome.report()["release"].as_str().expect("a release").to_owned();
    assert!(!release(&project.deploy()).ends_with("-dirty"));
    project.page("not committed");
    assert!(release(&project.deploy()).ends_with("-dirty"));
    project.serves("not committed");
    git_in(&project, ".", &["commit", "-q", "-a", "-m", "two"]);
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
}

#[test]
fn what_prepare_makes_is_deployed() {
    let project = Project::new("prepare");
    let prepare = |page: &str| {
        let command = format!("echo {page} > www/index.html");
        let source = format!(
            "[sources.app]\npath = \".\"\nprepare = [\"{command}\"]\n[images.web]\nsource = \"app\"\n"
        );
        project.configure(&project.web().replace("[images.web]\n", &source));
    };
    prepare("made");
    project.deploy();
    project.serves("made");
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
    prepare("anew");
    project.deploy();
    project.serves("anew");
}
