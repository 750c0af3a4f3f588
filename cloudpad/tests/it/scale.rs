//! More instances, fewer instances, a service that is gone from the config.

use crate::support::{Project, get};

/// `web` with so many replicas over all hosts, each with a port of its own.
fn replicas(project: &Project, count: u32) -> String {
    let (first, last) = (project.port, project.port + 9);
    project.web().replace(&format!("{first}:8080"), &format!("{first}-{last}:8080"))
        + &format!("replicas = {count}\n")
}

/// The instances that run, over all hosts, sorted.
fn instances(project: &Project) -> Vec<String> {
    let mut names: Vec<_> = (1..=3).flat_map(|number| project.running(number)).map(|c| c.instance).collect();
    names.sort();
    names
}

#[test]
fn scaling_up_and_down_leaves_the_others_running() {
    let project = Project::new("scale");
    project.configure(&replicas(&project, 2));
    project.deploy();
    assert_eq!(instances(&project), ["web.1", "web.2"]);
    let first: Vec<_> = (1..=3).flat_map(|number| project.running(number)).collect();

    project.configure(&replicas(&project, 5));
    let up = project.deploy();
    assert_eq!(instances(&project), ["web.1", "web.2", "web.3", "web.4", "web.5"]);
    assert_eq!(up.count("deploy.start"), 3);
    let now: Vec<_> = (1..=3).flat_map(|number| project.running(number)).collect();
    assert!(first.iter().all(|container| now.contains(container)), "{first:?}\n{now:?}");

    project.configure(&replicas(&project, 1));
    let down = project.deploy();
    assert_eq!(instances(&project), ["web.1"]);
    assert_eq!((down.count("deploy.start"), down.count("deploy.stop")), (0, 4));
    let host = (1..=3).find(|number| !project.running(*number).is_empty()).expect("one runs");
    assert_eq!(get(&project.lab.host(host).direct, project.port, "/"), Ok((200, "one".into())));
}

#[test]
fn several_on_each_host_have_a_port_each() {
    let project = Project::new("perhost");
    project.configure(&replicas(&project, 0).replace("replicas = 0", "per_host = 2"));
    project.deploy();
    for number in 1..=3 {
        for port in [project.port, project.port + 1] {
            assert_eq!(get(&project.lab.host(number).direct, port, "/"), Ok((200, "one".into())));
        }
    }
}

#[test]
fn a_service_that_is_gone_from_the_config_is_removed() {
    let project = Project::new("gone");
    let extra = "\n[services.worker]\nimage = \"web\"\ncommand = [\"sleep\", \"1000\"]\n";
    project.configure(&(project.web() + extra));
    project.deploy();
    let web = project.running(1).into_iter().find(|container| container.instance == "web.1");
    assert_eq!(project.running(1).len(), 2);

    project.configure(&project.web());
    let outcome = project.deploy();
    assert!(outcome.changes().iter().all(|change| change["kind"] == "remove"), "{}", outcome.text());
    for number in 1..=3 {
        assert_eq!(project.running(number).len(), 1);
    }
    assert_eq!(project.running(1).into_iter().next(), web);
}

#[test]
fn one_of_the_services_that_are_gone_is_removed_alone() {
    let project = Project::new("goneone");
    let extra =
        |name: &str| format!("\n[services.{name}]\nimage = \"web\"\ncommand = [\"sleep\", \"1000\"]\n");
    project.configure(&(project.web() + &extra("store") + &extra("worker")));
    project.deploy();
    project.configure(&project.web());
    let nowhere = project.run(&["plan", "--service", "stor"]).expect(2);
    nowhere.says("no service matches `stor`").says("there is `store`, `web`, `worker`");
    project.run(&["build", "--service", "store"]).expect(2).says("no service matches `store`");
    let listed = project.run(&["ps", "--service", "store"]).expect(0).stdout;
    assert!(listed.contains("store.1") && !listed.contains("worker.1"), "{listed}");
    project.run(&["deploy", "--yes", "--service", "store"]).expect(0);
    for number in 1..=3 {
        let mut running: Vec<_> = project.running(number).into_iter().map(|c| c.instance).collect();
        running.sort();
        assert_eq!(running, ["web.1", "worker.1"]);
    }
}

#[test]
fn a_service_is_scaled_by_hand_until_the_next_deploy() {
    let project = Project::new("byhand");
    project.configure(&replicas(&project, 2));
    project.deploy();
    let first: Vec<_> = (1..=3).flat_map(|number| project.running(number)).collect();
    let scale = |args: &[&str], code| project.run(&[&["scale"], args].concat()).expect(code);
    scale(&[], 2).says("<SERVICE=N>");
    scale(&["web"], 2).says("such as `web=3`");
    scale(&["wbe=3", "--yes"], 2).says("did you mean `web`?");
    scale(&["web=11", "--yes"], 2).says("are too few for instance `web.11`");
    scale(&["web=3"], 2).says("+ web.3 create").says("there is no terminal to ask on");
    scale(&["web=2", "--yes"], 0).says("nothing to do: everything is as it should be");
    let outcome = scale(&["web=4", "--yes", "--json"], 0);
    assert_eq!((outcome.count("deploy.start"), outcome.count("deploy.record")), (2, 0));
    assert_eq!(instances(&project), ["web.1", "web.2", "web.3", "web.4"]);
    let now: Vec<_> = (1..=3).flat_map(|number| project.running(number)).collect();
    assert!(first.iter().all(|container| now.contains(container)), "{first:?}\n{now:?}");
    // With the hosts' own engines as the only place of its image, others go where that is.
    project.run(&["plan", "--exit-code"]).expect(3);
    project.deploy();
    assert_eq!(instances(&project), ["web.1", "web.2"]);
    scale(&["web=0", "--yes"], 0).says("2 to remove");
    assert_eq!(instances(&project), [""; 0]);
    scale(&["web=1", "--yes"], 0).says("+ web.1 create");
    assert_eq!(instances(&project), ["web.1"]);
    project.deploy();
    assert_eq!(instances(&project), ["web.1", "web.2"]);
}
