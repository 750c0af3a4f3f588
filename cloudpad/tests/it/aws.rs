//! `cloudpad-aws-inventory`, a plugin that is none of Cloudpad's own: hosts from EC2, here its double moto, in a deploy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::moto::{Moto, environment};
use crate::support::{Outcome, Project};

const REGION: &str = "eu-central-1";
const PROGRAM: &str = "cloudpad-aws-inventory";
const LIBRARY: &str = "libcloudpad_aws_inventory.so";

/// The folder with the plugin, as cargo has built it. It is no member of the workspace, and so not built with it.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace");
        let folder = Path::new(env!("CARGO_BIN_EXE_cloudpad")).parent().expect("it is in a folder");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--manifest-path=plugins/aws-inventory/Cargo.toml", "--target-dir"]);
        cargo.arg(folder.parent().expect("the target folder")).current_dir(workspace);
        let output = cargo.output().expect("cargo does not start");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.to_owned()
    })
}

/// Copies the plugin to where a project keeps its own. Another process does: what is open for writing does not run,
/// and a child of this one that is just being started holds everything open.
fn install(project: &Project, file: &str) {
    let plugins = project.path(".cloudpad/plugins");
    std::fs::create_dir_all(&plugins).expect("a folder");
    let copied = Command::new("cp").arg(built().join(file)).arg(plugins).status();
    assert!(copied.expect("cp does not start").success());
}

/// The config of stage `inventory`: instances of this project, each with the name that the lab's hosts have for SSH.
fn config(project: &Project, moto: &Moto) -> String {
    format!(
        "regions = [\"{REGION}\"]\nendpoint_url = \"{}\"\ntags = {{ project = \"{}\" }}\naddress = \"tag:ssh\"\n\
         roles_tag = \"roles\"\n",
        moto.url, project.name
    )
}

/// A project whose hosts EC2 knows: three of them are this project's, and one is not.
fn project(topic: &str, moto: &Moto) -> Project {
    let project = Project::new(topic);
    for (host, owner) in
        [("h1", &*project.name), ("h2", &project.name), ("h3", &project.name), ("none", "other")]
    {
        let name = format!("web-{host}");
        moto.run(REGION, 1, &[("Name", &name), ("ssh", host), ("project", owner), ("roles", "web")]);
    }
    let config = config(&project, moto);
    let inventory = format!("[stages.inventory]\nprovider = \"aws\"\n[stages.inventory.config]\n{config}\n");
    project.configure_hosts("", &(inventory + &project.web() + "roles = [\"web\"]\n"));
    project
}

/// Runs the program with what the aws tool needs.
fn run(project: &Project, args: &[&str]) -> Outcome {
    let environment = environment();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    project.run_with(args, &environment)
}

fn deploys(topic: &str, file: &str) {
    let moto = Moto::start(&[]);
    let project = project(topic, &moto);
    install(&project, file);
    run(&project, &["deploy", "--yes"]).expect(2).says("cloudpad trust");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    run(&project, &["trust", "--yes"]).expect(0);
    run(&project, &["plugin", "lock"]).expect(0);
    let outcome = run(&project, &["deploy", "--yes", "--json"]).expect(0);
    project.serves("one");
    let mut hosts: Vec<_> = outcome.changes().iter().map(|change| change["host"].to_string()).collect();
    hosts.sort();
    assert_eq!(hosts, ["\"web-h1\"", "\"web-h2\"", "\"web-h3\""], "{}", outcome.text());
    let again = run(&project, &["deploy", "--yes", "--json"]).expect(0);
    assert_eq!(again.report()["ending"], "nothing_to_do");
}

#[test]
fn it_lists_the_hosts_of_a_deploy() {
    deploys("awsprogram", PROGRAM);
}

#[test]
fn it_does_so_as_a_library() {
    deploys("awslibrary", LIBRARY);
}

#[test]
fn it_keeps_to_the_protocol_in_both_carriers() {
    let moto = Moto::start(&[]);
    let project = project("awscheck", &moto);
    let case = format!(
        "[config]\n{}\n[[call]]\nmethod = \"inventory.list\"\nparams = {{}}\n",
        config(&project, &moto)
    );
    project.write("case.toml", case);
    for file in [PROGRAM, LIBRARY] {
        let path = built().join(file).display().to_string();
        let outcome = run(&project, &["plugin", "check", &path, "--config", "case.toml"]).expect(0);
        assert!(outcome.stdout.contains(" 0 warnings, 0 failed, 0 skipped"), "{}", outcome.text());
    }
}

#[test]
fn its_readme_has_every_key_and_an_example_that_is_fine() {
    let project = Project::new("awsreadme");
    let readme = include_str!("../../../plugins/aws-inventory/README.md");
    let example =
        readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    project.configure_hosts("", &format!("{example}\n{}", project.web()));
    install(&project, PROGRAM);
    run(&project, &["trust", "--yes"]).expect(0);
    run(&project, &["check"]).expect(0);
    project.configure_hosts("", &format!("{}\n{}", example.replace("profile =", "colour ="), project.web()));
    let refused =
        run(&project, &["check"]).expect(2).says("unknown field `colour`, expected one of `profile`, ");
    let keys =
        refused.stderr.split("expected one of ").nth(1).and_then(|rest| rest.lines().next()).expect("keys");
    for key in keys.split(", ") {
        assert!(readme.contains(&format!("\n| {key}")) || readme.contains(&format!(", {key} |")), "{key}");
    }
}

#[test]
fn why_there_are_no_hosts_is_told_before_anything_is_touched() {
    let moto = Moto::start(&[]);
    let project = project("awsnone", &moto);
    install(&project, PROGRAM);
    run(&project, &["trust", "--yes"]).expect(0);
    let mine = project.run_with(&["plan"], &[("PATH", "/nonexistent")]);
    mine.expect(2).says("there is no program `aws`").says("install the AWS command line interface");
}
