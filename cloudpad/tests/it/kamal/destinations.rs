//! Destinations: environments of one project, on the same hosts.

use crate::support::{Project, get};

#[test]
fn two_environments_share_hosts_and_nothing_else() {
    let project = Project::new("destinations");
    let web = |port: u16, kind: &str| format!("ports = [\"{port}:8080\"]\nenv = {{ KIND = \"{kind}\" }}\n");
    let staging = project.port + 1;
    let both = format!(
        "[images.web]\n[services.web]\nhealth = {{ http = \"/\", port = 8080, interval = \"200ms\" }}\n{}\
         [environments.staging.services.web]\n{}",
        web(project.port, "production"),
        web(staging, "staging")
    );
    project.configure_hosts("[hosts.h2]\naddress = \"h2\"\n", &both);
    let page = |port| get(&project.lab.host(2).direct, port, "/").map(|(_, page)| page).unwrap_or_default();
    project.deploy();
    project.page("two");
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    assert_eq!([page(project.port), page(staging)], ["one", "two"]);
    let kinds: Vec<_> = project.running(2).into_iter().flat_map(|container| container.env).collect();
    assert!(["KIND=production", "KIND=staging"].iter().all(|kind| kinds.contains(&(*kind).to_owned())));

    project.page("three");
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    project.run(&["rollback", "--yes", "-e", "staging"]).expect(0);
    assert_eq!([page(project.port), page(staging)], ["one", "two"]);
    project.run(&["remove", "--yes", "-e", "staging"]).expect(0);
    assert_eq!([page(project.port), page(staging)], ["one", ""]);
    project.page("one");
    project.run(&["plan", "--exit-code"]).expect(0);
}
