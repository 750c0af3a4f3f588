//! `cloudpad restart` of a service with a route.

use super::Routed;
use crate::support::{Container, Project};

/// What each container of the service was started at, sorted.
fn starts(project: &Project) -> Vec<(String, String)> {
    let all = [1, 3].into_iter().flat_map(|number| project.running(number));
    let mut all: Vec<_> = all.map(|Container { id, started, .. }| (id, started)).collect();
    all.sort();
    all
}

#[test]
fn two_on_a_host_are_restarted_and_lose_no_request() {
    let routed = Routed::new("restart", &[1, 3]);
    let project = &routed.project;
    routed.configure_two_each("");
    routed.deploy();
    let load = routed.load();
    load.settles_on("one", 500);
    let before = starts(project);
    // Of two on a host one stays, however large a batch is.
    routed.configure_two_each("[deploy]\nbatch = \"100%\"\n");
    project.run(&["restart", "web", "--yes"]).expect(0).says("4 to restart");
    project.run(&["restart", "web.1", "--host", "h3", "--yes"]).expect(0).says("1 to restart");
    let heard = load.end();
    heard.none_failed();
    let after = starts(project);
    let ids = |all: &[(String, String)]| all.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "the same containers");
    assert!(before.iter().zip(&after).all(|(before, after)| before.1 != after.1), "{before:?} {after:?}");
    // Another test may be changing the proxy that they share, which is no change of a container.
    let plan = project.run(&["plan"]).expect(0).text();
    assert!(["no container changes", "nothing to do"].iter().any(|words| plan.contains(words)), "{plan}");
}
