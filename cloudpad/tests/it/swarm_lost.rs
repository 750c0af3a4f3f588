//! Managers of a swarm that are lost while a deploy is under way.

use crate::support::{Broken, Lab, Line, Project, Running};
use crate::swarm::configure_through;

/// An instance, in another version each time.
fn version(number: u32) -> String {
    format!("replicas = 1\nenv = {{ V = \"{number}\" }}\n")
}

/// A deploy that waits for the service to become the next version.
fn under_way(project: &Project) -> Running {
    let mut deploy = Running::start(project, &["deploy", "--yes", "--json"]);
    deploy.until(&["started", "cluster.ready"]);
    deploy
}

#[test]
fn the_way_to_a_manager_breaks_off() {
    let project = Project::new("swarmcut");
    let line = Line::to(&project, "h1");
    let configure = |managers: &str, number| {
        configure_through(&project, &line.config(), managers, &version(number));
    };
    configure("\"h1\"", 1);
    project.deploy();
    configure("\"h1\"", 2);
    let deploy = under_way(&project);
    line.cut();
    let (code, last) = deploy.end();
    assert_eq!(code, Some(0), "it was another way to it that was wanted: {last}");
    configure("\"h1\", \"h2\"", 3);
    let deploy = under_way(&project);
    line.close(true);
    line.cut();
    let (code, last) = deploy.end();
    assert_eq!(code, Some(0), "another manager goes on: {last}");
    project.run(&["plan", "--exit-code"]).expect(0);
    project.run(&["remove", "--yes"]).expect(0);
}

#[test]
fn the_leader_is_lost() {
    let project = Project::with(Lab::alone(), "swarmleader");
    let leads = |number: &usize| {
        let leader = "docker node inspect self --format '{{.ManagerStatus.Leader}}'";
        project.lab.host(*number).run(leader) == "true"
    };
    let leader = (1..=3).find(leads).expect("one of them leads");
    let other = leader % 3 + 1;
    let configure = |number| {
        let managers = format!("\"h{leader}\", \"h{other}\"");
        configure_through(&project, &project.lab.ssh_config, &managers, &version(number));
    };
    configure(1);
    project.deploy();
    configure(2);
    let deploy = under_way(&project);
    let lost = Broken::by(&project, leader, "kill");
    let (code, last) = deploy.end();
    assert_eq!(code, Some(0), "those that are left choose another leader: {last}");
    drop(lost);
    let ready = "test $(docker node ls --format '{{.Status}} {{.ManagerStatus}}' | grep -cE '^Ready (Leader|Reachable)') = 3";
    project.lab.host(other).wait_until(ready);
    project.run(&["plan", "--exit-code"]).expect(0);
    project.run(&["remove", "--yes"]).expect(0);
}
