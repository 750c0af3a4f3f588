//! Source code from a git repository.

use std::process::Command;

use crate::support::Project;

/// Runs git in the application's repository.
fn git(project: &Project, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"]);
    let output =
        command.args(args).current_dir(project.path("repository")).output().expect("git does not start");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(project: &Project, page: &str) {
    project.write("repository/www/index.html", page);
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "-m", page]);
}

fn with_a_repository(topic: &str, revision: &str) -> Project {
    let project = Project::new(topic);
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("repository/Dockerfile", dockerfile);
    git(&project, &["init", "-q"]);
    commit(&project, "one");
    let url = project.path("repository").display().to_string();
    project.configure(&project.web().replace(
        "[images.web]\n",
        &format!("[sources.app]\ngit = \"file://{url}\"\n{revision}\n[images.web]\nsource = \"app\"\n"),
    ));
    project
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
fn uncommitted_changes_of_the_projects_own_directory_are_deployed() {
    let project = Project::new("dirty");
    project.configure(&project.web());
    project.deploy();
    project.page("not committed");
    project.deploy();
    project.serves("not committed");
}
