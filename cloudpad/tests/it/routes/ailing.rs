//! An instance with a route that fails its health check.

use std::collections::BTreeSet;

use super::Routed;

/// Deploys two of `web` to host 2, of which the first does not do well from then on.
fn first_falls_ill(routed: &Routed) {
    let project = &routed.project;
    routed.configure_two_each("[deploy]\nready_timeout = \"2s\"\n");
    routed.deploy();
    let first = &project.running(2)[0];
    assert_eq!(first.instance, "web.1");
    project.lab.host(2).run(&format!("docker exec {} kill -USR1 1", first.name));
    while !project.run(&["ps", "web.1"]).stdout.contains("unhealthy") {}
}

#[test]
fn by_hand_it_does_not_count_as_one_that_serves() {
    let routed = Routed::new("ailhand", &[2]);
    let project = &routed.project;
    first_falls_ill(&routed);
    // There is no terminal to ask on.
    project.run(&["stop", "web.2"]).expect(2).says("nothing of `web` on `h2` serves then");
    project.run(&["restart", "web.2"]).expect(2).says("`web.2` is all that serves of `web` on `h2`");
    let load = routed.load();
    load.settles_on("one", 100);
    project.run(&["scale", "web=1", "--yes"]).expect(0).says("fails its health check").says("web.2 remove");
    load.end().none_failed();
    assert_eq!((project.containers(2).len(), routed.get(2, "/")), (1, (200, "one".into())));
}

#[test]
fn it_is_replaced_starting_the_new_one_first_and_no_request_is_lost() {
    let routed = Routed::new("ailing", &[2]);
    let project = &routed.project;
    routed.configure_two_each("[deploy]\nready_timeout = \"20s\"\n");
    routed.deploy();
    let before = project.running(2);
    let load = routed.load();
    load.settles_on("one", 100);
    project.lab.host(2).run(&format!("docker exec {} kill -USR1 1", before[0].name));
    let mut plan = project.run(&["plan", "--exit-code"]);
    while plan.code == Some(3) && plan.stdout.contains("wait until it serves") {
        plan = project.run(&["plan", "--exit-code"]);
    }
    let why = "starting the new one first (fails its health check: `GET /up` on port 8080 answered 503)";
    let plan = plan.expect(3);
    assert!(plan.stdout.contains(why) && plan.stdout.contains("1 to replace"), "{}", plan.text());
    let deploy = routed.deploy();
    assert_eq!(deploy.changes().len(), 1, "{}", deploy.text());
    load.end().none_failed();
    let after = project.containers(2);
    let ids = |all: &[crate::support::Container]| all.iter().map(|c| c.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(after.len(), 2, "what was ill is gone: {after:?}");
    assert_eq!(ids(&before).intersection(&ids(&after)).collect::<Vec<_>>(), [&before[1].id]);
    let listed = project.run(&["ps", "web"]).expect(0).stdout;
    assert_eq!(
        (listed.matches(&routed.name()).count(), listed.matches("running (healthy)").count()),
        (2, 2),
        "{listed}"
    );
}
