//! An instance with a route that fails its health check.

use std::collections::BTreeSet;

use super::Routed;

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
