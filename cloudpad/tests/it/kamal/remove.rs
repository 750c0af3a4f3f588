//! Set up on a virgin host, and removed from it again.

use crate::support::Project;

/// What of a project there is on a host: containers, images, networks, volumes.
fn left(project: &Project, number: usize) -> String {
    let name = &project.name;
    project.lab.host(number).run(&format!(
        "docker ps -aq --filter label=cloudpad.project={name}
         docker images --format '{{{{.Repository}}}}' | grep '^{name}[.]' || :
         docker network ls --format '{{{{.Name}}}}' --filter name=^{name}
         docker volume ls -q --filter name=^{name}"
    ))
}

#[test]
fn a_virgin_host_is_as_it_was_once_the_project_is_removed() {
    let project = Project::new("virgin");
    let rest = format!(
        "volumes = [\"data:/data\"]\n[services.web.route]\nhosts = [\"{}.test\"]\nport = 8080\n[proxy]\nimage = \"{}\"\ndrain = \"1s\"\n",
        project.name, project.lab.proxy_image
    );
    project.configure_hosts("[hosts.h3]\naddress = \"deploy@h3\"\n", &(project.web() + &rest));
    assert_eq!(left(&project, 3), "");
    for page in ["one", "two"] {
        project.page(page);
        project.deploy();
        assert_eq!(project.get(3), Ok((200, page.to_owned())));
    }
    let refused = project.run(&["remove"]).expect(2);
    assert!(refused.text().contains("--yes"), "{}", refused.text());
    let said = project.on_terminal(&["remove"], "n\n");
    assert!(said.stderr.contains("web.1 remove") && said.code == Some(2), "{}", said.text());
    assert_eq!(project.get(3), Ok((200, "two".to_owned())));

    let outcome = project.run(&["remove", "--yes", "--json"]).expect(0);
    assert_eq!((outcome.count("deploy.stop"), outcome.count("deploy.clear")), (1, 1), "{}", outcome.text());
    let data = format!("{}.data", project.name);
    assert_eq!(left(&project, 3), data, "volumes stay");
    // Whether it goes is for other tests to say, whose routes it may have.
    assert!(outcome.text().contains("the proxy on `h3` "), "{}", outcome.text());
    let proxy =
        "docker ps -aq --filter name=^cloudpad-proxy$; docker volume ls -q --filter name=^cloudpad-proxy$";
    let there = project.lab.host(3).run(proxy);
    assert_ne!(there.lines().count(), 1, "the proxy and its volume go together: {there}");
    assert_eq!(project.run(&["releases", "--json"]).expect(0).stdout.trim(), "[]");
    assert!(project.run(&["remove", "--yes"]).expect(0).stderr.contains("nothing to do"));
    project.deploy();
    assert_eq!(project.get(3), Ok((200, "two".to_owned())));
    project.run(&["remove", "--yes", "--volumes"]).expect(0);
    assert_eq!(left(&project, 3), "");
}
