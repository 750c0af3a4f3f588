//! Containers that somebody has taken out of their network.

use crate::support::Project;

#[test]
fn a_container_out_of_its_network_is_told_and_mended() {
    let project = Project::new("takenout");
    let worker = "[services.worker]\nimage = \"web\"\nhosts = [\"h2\"]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"SIGKILL\"\n";
    project.configure(&(project.web() + worker));
    project.deploy();
    let apart = |number: usize, service: &str| {
        let containers = project.running(number);
        let name = &containers.iter().find(|c| c.name.contains(service)).expect("it runs").name;
        project.lab.host(number).run(&format!("docker network disconnect {}.default {name}", project.name));
    };
    apart(1, "web");
    apart(2, "worker");
    let told = project.run(&["plan", "--exit-code"]).expect(3).stdout;
    let why = format!("not in the network `{}.default` any more", project.name);
    for what in [
        "web.1 replace, stopping the old one first (fails its health check",
        "worker.1 replace, starting the new one first (is not well",
    ] {
        assert!(told.contains(&format!("{what}: {why})")), "{told}");
    }
    assert!(project.run(&["ps"]).expect(0).stdout.contains(&why));
    project.deploy();
    project.serves("one");
    project.run(&["plan", "--exit-code"]).expect(0);
    apart(1, "web");
    project.run(&["restart", "web", "--host", "h1", "--yes"]).expect(0);
    project.serves("one");
    project.run(&["plan", "--exit-code"]).expect(0);
}
