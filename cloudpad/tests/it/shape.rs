//! Several images, services and roles in one project.

use crate::support::{Project, get};

fn services(project: &Project) -> String {
    let (web, admin) = (project.port, project.port + 1);
    format!(
        r#"
[images.web]
[images.worker]
dockerfile = "worker.Dockerfile"

[services.web]
roles = ["front"]
ports = ["{web}:8080"]
health = {{ http = "/", interval = "200ms" }}
[services.admin]
image = "web"
roles = ["back"]
ports = ["{admin}:8080"]
health = {{ tcp = 8080, interval = "200ms" }}
groups = ["inner"]
[services.worker]
roles = ["back"]
groups = ["inner"]
"#
    )
}

fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    let worker = format!("FROM {}\nSTOPSIGNAL SIGKILL\nCMD [\"sleep\", \"1000\"]\n", project.lab.base_image);
    project.write("worker.Dockerfile", worker);
    let hosts = "[hosts.h1]\naddress = \"h1\"\nroles = [\"front\"]\n[hosts.h2]\naddress = \"h2\"\nroles = [\"front\", \"back\"]\n\
                 [hosts.h3]\naddress = \"h3\"\nroles = [\"back\"]\n";
    project.configure_hosts(hosts, &services(&project));
    project
}

fn instances(project: &Project, number: usize) -> Vec<String> {
    let mut names: Vec<_> = project.running(number).into_iter().map(|container| container.instance).collect();
    names.sort();
    names
}

#[test]
fn two_images_three_services_and_two_roles() {
    let project = project("shape");
    let outcome = project.deploy();
    assert_eq!(outcome.count("build.run"), 2);
    assert_eq!(instances(&project, 1), ["web.1"]);
    assert_eq!(instances(&project, 2), ["admin.1", "web.1", "worker.1"]);
    assert_eq!(instances(&project, 3), ["admin.1", "worker.1"]);
    assert_eq!(get(&project.lab.host(2).direct, project.port, "/"), Ok((200, "one".into())));
    assert_eq!(get(&project.lab.host(3).direct, project.port + 1, "/"), Ok((200, "one".into())));
}

#[test]
fn a_host_gets_only_the_images_it_needs() {
    let project = project("images");
    project.deploy();
    let images = |number: usize| project.lab.host(number).run("docker images --format '{{.Repository}}'");
    let has =
        |number, image: &str| images(number).lines().any(|line| line == format!("{}.{image}", project.name));
    assert_eq!([has(1, "web"), has(1, "worker"), has(3, "worker")], [true, false, true]);
}

#[test]
fn a_group_is_deployed_alone() {
    let project = project("group");
    project.run(&["deploy", "--yes", "--group", "inner"]).expect(0);
    assert_eq!(instances(&project, 1), [""; 0]);
    assert_eq!(instances(&project, 2), ["admin.1", "worker.1"]);
}

#[test]
fn services_of_a_host_reach_each_other_by_name() {
    let project = project("names");
    project.deploy();
    let worker =
        project.running(2).into_iter().find(|container| container.instance == "worker.1").expect("it runs");
    let page =
        project.lab.host(2).run(&format!("docker exec {} wget -q -O - http://admin:8080/", worker.name));
    assert_eq!(page, "one");
}
