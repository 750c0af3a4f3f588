//! What becomes of the other hosts when one has failed.

use crate::support::Project;

/// A project whose application looks for marks on its host, and is updated everywhere at once.
fn project(topic: &str, on_failure: &str) -> Project {
    let project = Project::new(topic);
    let rest = format!(
        "volumes = [\"/srv/{}:/marks:ro\"]\n[deploy]\nbatch = \"100%\"\nready_timeout = \"20s\"\non_failure = \"{on_failure}\"\n",
        project.name
    );
    project.configure(&(project.web() + &rest));
    project
}

/// Leaves a mark on a host.
fn mark(project: &Project, number: usize, name: &str) {
    let folder = format!("/srv/{}", project.name);
    project.lab.host(number).run(&format!("mkdir -p {folder} && touch {folder}/{name}"));
}

/// The next version of the application: what it serves, how it is started, and what stops it.
fn version(project: &Project, page: &str, script: &str, signal: &str) {
    project.page(page);
    let from = format!("FROM {}\nCOPY www /www\nSTOPSIGNAL {signal}\n", project.lab.base_image);
    project.write("Dockerfile", format!("{from}CMD [\"sh\", \"-c\", \"{script}\"]\n"));
}

#[test]
fn with_stop_the_others_finish_what_they_have_begun() {
    let project = project("stops", "stop");
    let slow = "trap '[ ! -e /marks/slow ] || sleep 5; exit' TERM; httpd -f -p 8080 -h /www & wait";
    version(&project, "one", slow, "SIGTERM");
    project.deploy();
    // While the old ones of the others take their time to stop, the new one on h2 fails.
    [1, 3].into_iter().for_each(|number| mark(&project, number, "slow"));
    mark(&project, 2, "broken");
    version(&project, "two", "[ ! -e /marks/broken ] || exit 3; exec httpd -f -p 8080 -h /www", "SIGKILL");
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "failed", "{}", outcome.text());
    assert_eq!([1, 3].map(|number| project.get(number)), [Ok((200, "two".into())), Ok((200, "two".into()))]);
    assert!(project.get(2).is_err());
}

#[test]
fn what_cannot_be_brought_back_on_one_host_is_brought_back_on_the_others() {
    let project = project("halfway", "rollback");
    let picky =
        "[ ! -e /marks/slow ] || sleep 5; [ ! -e /marks/gone ] || exit 4; exec httpd -f -p 8080 -h /www";
    version(&project, "one", picky, "SIGKILL");
    project.deploy();
    // The new one fails everywhere. While the old ones of the others take their time, that of h2 fails too.
    [1, 3].into_iter().for_each(|number| mark(&project, number, "slow"));
    mark(&project, 2, "gone");
    version(&project, "two", "exit 3", "SIGKILL");
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "failed", "{}", outcome.text());
    assert_eq!([1, 3].map(|number| project.get(number)), [Ok((200, "one".into())), Ok((200, "one".into()))]);
    let left = [1, 3].map(|number| project.containers(number).len());
    assert_eq!(left, [1, 1], "what was new is removed: {}", outcome.text());
}
