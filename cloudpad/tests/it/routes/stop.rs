//! `cloudpad stop` and `start` of a service with a route.

use super::Routed;

#[test]
fn what_was_asked_is_answered_before_it_stops_and_requests_come_back_with_it() {
    let routed = Routed::new("routestop", &[3]);
    routed.deploy();
    let load = routed.load();
    load.settles_on("one", 100);
    // Nobody serves for a while, which the proxy says; and no request is cut off.
    load.excuse("503");
    routed.project.run(&["stop", "web", "--yes"]).expect(0).says("= lead");
    assert_eq!(routed.get(3, "/").0, 503);
    routed.project.run(&["start", "web", "--yes"]).expect(0);
    assert_eq!(routed.get(3, "/"), (200, "one".into()));
    load.end().none_failed();
}
