//! Going back when the last deploy has not come to its end.

use crate::support::Project;

#[test]
fn a_failed_deploy_is_what_a_rollback_takes_back() {
    let project = Project::new("unfinished");
    let deploy = "[deploy]\non_failure = \"stop\"\nready_timeout = \"2s\"\n";
    project.configure(&(project.web().replace("http = \"/\"", "http = \"/up\"") + deploy));
    project.write("www/up", "yes");
    for page in ["six", "seven"] {
        project.page(page);
        project.deploy();
    }
    project.page("eight");
    std::fs::remove_file(project.path("www/up")).expect("it was there");
    project.run(&["deploy", "--yes"]).expect(1);
    assert_ne!(project.get(1), Ok((200, "seven".to_owned())), "h1 was begun with");
    let back = project.run(&["rollback", "--yes"]).expect(0).text();
    assert!(back.contains("is not complete: what ran before it began is brought back"), "{back}");
    project.serves("seven");
    project.run(&["rollback", "--yes"]).expect(0);
    project.serves("six");
}
