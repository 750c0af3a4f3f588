//! Containers that were started again and have not served since.

use crate::support::Project;

/// A service with a secret whose health check asks for a file.
fn web(topic: &str) -> Project {
    let project = Project::new(topic);
    let web = project.web().replace("http = \"/\"", "http = \"/up\"");
    project.configure(&(web + "secrets = [\"KEY\"]\n[deploy]\nready_timeout = \"2s\"\n"));
    project.write(".env", "KEY=value\n");
    project.write("www/up", "yes");
    project.deploy();
    project
}

/// Breaks the container of the first host from within, and has it started again.
fn broken(project: &Project) {
    project.run(&["exec", "web", "--host", "h1", "--", "rm", "/www/up"]).expect(0);
    project.run(&["restart", "web", "--host", "h1", "--yes"]).expect(1).says("answered 404");
}

#[test]
fn one_with_secrets_is_restarted_and_started_without_their_values() {
    let project = web("unprovensecret");
    broken(&project);
    let id = project.containers(1)[0].id.clone();
    let mend = format!("echo yes > /tmp/{0}; docker cp /tmp/{0} {id}:/www/up; rm /tmp/{0}", project.name);
    project.lab.host(1).run(&mend);
    project.run(&["restart", "web", "--host", "h1", "--yes"]).expect(0);
    project.serves("one");
    broken(&project);
    project.lab.host(1).run(&format!("docker stop -t 0 {id}; {mend}"));
    project.run(&["start", "web", "--yes"]).expect(0);
    project.serves("one");
    assert_eq!(project.containers(1)[0].id, id, "it is the same all the time");
}

#[test]
fn one_that_is_broken_within_is_replaced_by_a_deploy() {
    let project = web("unprovenbroken");
    for stops in [false, true] {
        let id = project.containers(1)[0].id.clone();
        broken(&project);
        if stops {
            project.lab.host(1).run(&format!("docker stop -t 0 {id}"));
        }
        project.deploy();
        project.serves("one");
        let now = project.containers(1);
        assert!(now.len() == 1 && now[0].id != id, "another one took its place: {now:?}");
        project.run(&["plan", "--exit-code"]).expect(0);
    }
}
