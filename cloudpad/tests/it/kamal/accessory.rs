//! Accessories: services that deploys of the application leave alone.

use std::process::Command;

use crate::support::{Container, Project};

fn of(project: &Project, instance: &str) -> Vec<Container> {
    project.running(2).into_iter().filter(|container| container.instance == instance).collect()
}

/// The application on h2, and this of an accessory.
fn configure(project: &Project, accessory: &str) {
    let web = format!(
        "[images.web]\n[services.web]\nhealth = {{ http = \"/\", port = 8080, interval = \"200ms\" }}\n\
         [services.db]\nimage = \"web\"\nvolumes = [\"data:/data\"]\nprotected = true\n\
         health = {{ tcp = 8080, interval = \"200ms\" }}\n{accessory}"
    );
    project.configure_hosts("[hosts.h2]\naddress = \"h2\"\n", &web);
}

#[test]
fn an_accessory_is_booted_inspected_rebooted_and_removed_by_its_name() {
    let project = Project::new("accessory");
    project.write(".env", "conf=max_connections\n");
    project.write(".dockerignore", ".env\n");
    let files = "secrets = { \"/etc/db.conf\" = { name = \"conf\", mode = \"0640\", uid = 70, gid = 71 } }\n";
    configure(&project, files);
    project.run(&["deploy", "--yes", "--service", "db"]).expect(0);
    let booted = of(&project, "db.1");
    assert_eq!((booted.len(), of(&project, "web.1").len()), (1, 0), "it alone");
    let stat = ["exec", "db", "--", "stat", "-c", "%a %u %g", "/etc/db.conf"];
    assert_eq!(project.run(&stat).expect(0).stdout, "640 70 71\n");
    project.run(&["exec", "db", "--", "touch", "/data/kept"]).expect(0);
    assert!(project.run(&["ps"]).expect(0).stdout.contains("db.1"));

    project.page("two");
    project.deploy();
    assert_eq!(of(&project, "db.1"), booted, "left alone");
    project.run(&["deploy", "--yes", "--service", "db"]).expect(0);
    assert_ne!(of(&project, "db.1")[0].id, booted[0].id);
    project.run(&["exec", "db", "--", "test", "-e", "/data/kept"]).expect(0);

    project.run(&["remove", "--yes"]).expect(0).says("is protected, and stays");
    assert_eq!((of(&project, "db.1").len(), of(&project, "web.1").len()), (1, 0));
    project.run(&["remove", "--yes", "--service", "db"]).expect(0);
    assert_eq!(project.containers(2).len(), 0);
    let volumes =
        project.lab.host(2).run(&format!("docker volume ls -q --filter name=^{}.data", project.name));
    assert_eq!(volumes, format!("{}.data", project.name), "its data stay");
}

#[test]
fn an_accessory_has_a_route_and_deploys_of_the_application_leave_it_alone() {
    let project = Project::new("proxied");
    let name = format!("{}.test", project.name);
    let route = format!(
        "[services.db.route]\nhosts = [\"{name}\"]\nport = 8080\n[proxy]\nimage = \"{}\"\ndrain = \"1s\"\n",
        project.lab.proxy_image
    );
    configure(&project, &route);
    let page = || {
        let host = format!("Host: {name}");
        let url = format!("http://{}/", project.lab.host(2).direct);
        let output = Command::new("curl").args(["-s", "-m", "20", "-H", &host, &url]).output();
        String::from_utf8_lossy(&output.expect("`curl` does not start").stdout).trim().to_owned()
    };
    project.deploy();
    assert_eq!(page(), "one");
    let booted = of(&project, "db.1");
    project.page("two");
    project.deploy();
    assert_eq!((page(), of(&project, "db.1")), ("one".to_owned(), booted));
    project.run(&["deploy", "--yes", "--service", "db"]).expect(0);
    assert_eq!(page(), "two");
    project.run(&["remove", "--yes", "--service", "db"]).expect(0);
    assert_ne!(page(), "two");
    project.run(&["remove", "--yes"]).expect(0);
}
