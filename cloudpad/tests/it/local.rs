//! No hosts at all: the engine of this machine.

use crate::support::{Project, get};

#[test]
fn without_hosts_the_local_engine_is_deployed_to() {
    let project = Project::new("local");
    project.configure_hosts("", &project.web());
    project.deploy();
    assert_eq!(get("127.0.0.1", project.port, "/"), Ok((200, "one".into())));
    assert_eq!(project.local_containers().len(), 1);

    project.page("two");
    project.deploy();
    assert_eq!(get("127.0.0.1", project.port, "/"), Ok((200, "two".into())));
    let again = project.deploy();
    assert_eq!(again.report()["ending"], "nothing_to_do");
}

#[test]
fn nothing_is_sent_to_the_engine_that_built_the_image() {
    let project = Project::new("nothing");
    project.configure_hosts("[hosts.here]\naddress = \"local\"\n", &project.web());
    assert_eq!(project.deploy().report()["sent"], 0);
}
