//! `cloudpad maintenance`: a page in place of a service, until it is switched off.

use super::Routed;

#[test]
fn a_page_is_shown_until_it_is_switched_off_whatever_is_deployed() {
    let routed = Routed::new("routedown", &[3]);
    let project = &routed.project;
    project.write(".dockerignore", "down.html\n");
    project.run(&["maintenance", "on"]).expect(2).says("no service that is meant has a route");
    routed.deploy();
    let refused = project.run(&["maintenance", "on"]).expect(2);
    refused.says("with the maintenance page in place of web").says("`--yes` goes ahead without asking");
    assert_eq!(routed.get(3, "/").0, 200);
    project
        .run(&["maintenance", "on", "--yes", "--message", "back <at> noon {env.HOME}"])
        .expect(0)
        .says("`cloudpad maintenance off` ends it");
    let (status, page) = routed.get(3, "/");
    assert!(status == 503 && page.contains("<p>back &lt;at&gt; noon {env.HOME}</p>"), "{status} {page}");
    project.run(&["ps"]).expect(0).says("`web` on `h3` is in maintenance");
    project.page("two");
    project.run(&["deploy", "--yes"]).expect(0).says("is in maintenance");
    assert_eq!(routed.get(3, "/").0, 503);
    project.write("down.html", "<h1>own {page}</h1>");
    project.run(&["maintenance", "on", "--yes", "--page", "down.html", "--service", "web"]).expect(0);
    assert_eq!(routed.get(3, "/"), (503, "<h1>own {page}</h1>".into()));
    project.run(&["maintenance", "on", "--page", "none.html"]).expect(2).says("there is no file `none.html`");
    project.run(&["maintenance", "off"]).expect(0);
    assert_eq!(routed.get(3, "/"), (200, "two".into()));
    project.run(&["plan", "--exit-code"]).expect(0);
}
