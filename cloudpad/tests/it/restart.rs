//! `cloudpad restart`: the same containers again, and no more of them once one has not come up.

use crate::support::Project;

#[test]
fn a_restart_that_fails_goes_no_further_and_says_why() {
    let project = Project::new("restartbad");
    let once = "if test -e /tmp/started; then echo it starts only once; exit 3; fi; touch /tmp/started; exec sleep 1000";
    let web = format!(
        "[images.web]\n[services.web]\nimage = \"web\"\ncommand = [\"sh\", \"-c\", \"{once}\"]\nrestart = \"no\"\n"
    );
    project.configure(&(web + "[deploy]\nsettle = \"300ms\"\n"));
    project.deploy();
    let before: Vec<_> = (2..=3).flat_map(|number| project.running(number)).collect();
    let outcome = project.run(&["restart", "web", "--yes"]).expect(1);
    let outcome = outcome.says("which does not answer meanwhile").says("it starts only once");
    outcome.says("failed: 2 done, 1 failed on h1, 6 not begun");
    assert!(project.running(1).is_empty(), "it is the only one that there was");
    assert_eq!((2..=3).flat_map(|number| project.running(number)).collect::<Vec<_>>(), before);
    let told = project.run(&["restart", "web.1", "--host", "h1", "--yes"]).expect(2);
    told.says("no container of `web.1` runs: web.1 on h1 is stopped")
        .says("`cloudpad start web.1` starts it");
    let told = project.run(&["restart", "web", "--host", "h1", "--host", "h2"]).expect(2);
    told.says("`web.1` on `h1` is stopped, and stays so")
        .says("~ web.1 restart")
        .says("there is no terminal to ask on");
    assert_eq!((2..=3).flat_map(|number| project.running(number)).collect::<Vec<_>>(), before);
}
