//! Jobs before a deploy that depend on services of it: these are there first, and stay when the job fails.

use crate::support::{Container, Project};

const HOST: &str = "[hosts.h1]\naddress = \"h1\"\n";

/// A project with `web`, and `db`, to which `migrate` connects and says what it gets, before `line`.
fn project(topic: &str, line: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, line);
    project
}

fn configure(project: &Project, line: &str) {
    // It has an image of its own, since a job runs before all that have its image.
    let db = "[images.db]\n\n[services.db]\nimage = \"db\"\nupdate = \"stop-first\"\nprotected = true\n\
              health = { tcp = 8080, interval = \"200ms\" }\n";
    let migrate = format!(
        "[jobs.migrate]\nservice = \"web\"\nwhen = \"before\"\ndepends_on = [\"db\"]\n\
         command = 'wget -q -O- http://db:8080/ && {line}'\n"
    );
    project.configure_hosts(HOST, &(project.web() + db + &migrate));
}

/// The services that run on h1.
fn running(project: &Project) -> Vec<String> {
    let running = project.containers(1).into_iter().filter(|c: &Container| c.running);
    running.map(|c| c.instance).collect()
}

#[test]
fn a_first_deploy_has_the_database_serve_before_the_job() {
    let project = project("jobdb", "echo migrated");
    let plan = project.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("  run migrate (when db serves) on h1\n"), "{}", plan.stdout);
    project.run(&["deploy", "--yes", "-v"]).expect(0).says("migrated");
    assert_eq!(running(&project), ["db.1", "web.1"]);
    assert!(project.deploy().done().is_empty());
}

#[test]
fn a_job_that_fails_leaves_the_database_and_the_next_deploy_goes_on() {
    let project = project("jobdbno", "exit 3");
    let outcome = project.run(&["deploy", "--yes"]).expect(1);
    let outcome = outcome
        .says("job `migrate` has ended with exit code 3")
        .says("`db` stays as it is now, since job `migrate` has begun to work with it");
    assert!(!outcome.stderr.contains("has been taken back"), "{}", outcome.text());
    assert_eq!(running(&project), ["db.1"]);
    configure(&project, "echo migrated");
    let outcome = project.run(&["deploy", "--yes", "-v"]).expect(0).says("migrated");
    assert!(!outcome.stderr.contains("started `jobdbno-db"), "{}", outcome.text());
    assert_eq!(running(&project), ["db.1", "web.1"]);
}
