//! `cloudpad scale` of a service with a route.

use super::Routed;

#[test]
fn more_and_fewer_lose_no_request() {
    let routed = Routed::new("scaling", &[1, 3]);
    let project = &routed.project;
    routed.deploy();
    let load = routed.load();
    load.settles_on("one", 500);
    // What is in the file by now is for the next deploy.
    project.page("two");
    let outcome = project.run(&["scale", "web=3", "--yes"]).expect(0);
    outcome.says("+ web.3 create").says("until the next `cloudpad deploy`");
    let running = |number| project.running(number).into_iter().map(|c| c.instance).collect::<Vec<_>>();
    assert_eq!((running(1), running(3).len()), (vec!["web.1".into(), "web.2".into(), "web.3".into()], 3));
    project.run(&["scale", "web=1", "--yes"]).expect(0).says("- web.2 remove");
    assert_eq!((running(1), running(3)), (vec!["web.1".to_owned()], vec!["web.1".to_owned()]));
    assert_eq!(project.containers(1).len(), 1, "what is too many is removed");
    let heard = load.end();
    heard.none_failed();
    project.run(&["scale", "web=0", "--yes"]).expect(0);
    assert_eq!((running(1).len(), routed.get(1, "/").0), (0, 503));
    routed.deploy();
    assert_eq!(routed.get(3, "/"), (200, "two".into()));
}
