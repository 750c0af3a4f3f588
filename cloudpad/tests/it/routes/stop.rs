//! `cloudpad stop` and `start` of a service with a route.

use super::Routed;

#[test]
fn what_was_asked_is_answered_before_it_stops_and_requests_come_back_with_it() {
    let routed = Routed::new("routestop", &[3]);
    routed.deploy();
    let load = routed.load();
    load.wait_for("one");
    routed.project.run(&["stop", "web", "--yes"]).expect(0).says("= lead");
    assert_eq!(routed.get(3, "/").0, 503);
    routed.project.run(&["start", "web", "--yes"]).expect(0);
    assert_eq!(routed.get(3, "/"), (200, "one".into()));
    let heard = load.end();
    // Nobody serves meanwhile, which the proxy says; and none is cut off.
    assert!(heard.failures.iter().all(|failure| failure.contains("503")), "{:?}", heard.failures);
}
