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

#[test]
fn one_that_does_not_come_up_gets_no_requests_until_another_restart_leads_them_back() {
    let routed = Routed::new("restartsick", &[2]);
    let project = &routed.project;
    let patience = |limit: &str| routed.configure("", &format!("[deploy]\nready_timeout = \"{limit}\"\n"));
    patience("60s");
    routed.deploy();
    let name = project.running(2)[0].name.clone();
    let page = |name: &str, text: &str| {
        project.lab.host(2).run(&format!("docker exec {name} sh -c 'echo {text} > /page'"));
    };
    page(&name, "sick");
    patience("2s");
    let failed = project.run(&["restart", "web", "--yes"]).expect(1);
    failed.says("what has not come up gets no requests").says("`cloudpad restart` again");
    assert_eq!(routed.get(2, "/").0, 503);
    page(&format!("{name}.unproven"), "well");
    patience("60s");
    let again = project.run(&["restart", "web", "--yes"]).expect(0);
    assert!(!again.text().contains("gets no requests"), "{}", again.text());
    assert_eq!(routed.get(2, "/"), (200, "well".into()));
}
