//! A swarm of the lab's hosts, which `cargo xtask lab up --swarm` makes, in place of hosts. What it does as hosts do is in `same`.

use crate::support::{Outcome, Project};

/// A project whose deploy provider is `swarm`, with one service on the workers.
fn project(topic: &str, more: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, "\"h1\"", more);
    project
}

fn configure(project: &Project, managers: &str, more: &str) {
    let (name, registry, config) = (&project.name, &project.lab.registry, project.lab.ssh_config.display());
    project.write(
        "Cloudpad.toml",
        format!(
            "[project]\nname = \"{name}\"\n[stages.push]\nprovider = \"registry\"\n[stages.push.config]\nregistry = \"{registry}\"\n\
             namespace = \"{name}\"\n[stages.deploy]\nprovider = \"swarm\"\n[stages.deploy.config]\nmanagers = [{managers}]\n\
             ssh_config = \"{config}\"\n[deploy]\nsettle = \"1s\"\nready_timeout = \"10s\"\n[images.web]\n[services.web]\n\
             roles = [\"worker\"]\nports = [\"{}:8080\"]\n\
             health = {{ command = [\"wget\", \"-q\", \"-O\", \"/dev/null\", \"http://127.0.0.1:8080/\"], interval = \"500ms\" }}\n{more}\n",
            project.port
        ),
    );
}

fn deploy(project: &Project) -> Outcome {
    project.run(&["deploy", "--yes", "--json"])
}

#[test]
fn a_secret_is_the_swarms_and_another_value_an_update() {
    let more = "replicas = 1\nsecrets = { \"/run/token\" = \"TOKEN\" }\n\
                command = [\"sh\", \"-c\", \"mkdir -p /w; cat /run/token > /w/index.html; exec httpd -f -p 8080 -h /w\"]\n";
    let project = project("swarmsecret", "");
    // Somebody else, who is faster where there is that file.
    let (ssh, service) = (project.lab.ssh_config.display().to_string(), format!("{}_web", project.name));
    let update = format!("ssh -F {ssh} h1 docker service update --detach --env-add MORE=1 {service}");
    let hook = format!("[hooks]\nbefore_deploy = [\"test ! -e ~/theirs || {{ rm ~/theirs; {update}; }}\"]\n");
    configure(&project, "\"h1\"", &format!("{more}{hook}"));
    let list = format!("docker secret ls -q --filter label=cloudpad.project={}", project.name);
    for (number, value) in ["first", "second"].into_iter().enumerate() {
        project.write(".env", format!("TOKEN={value}\n"));
        let done = deploy(&project).expect(0);
        let done = ["cluster.apply", "cluster.ready", "cluster.record"].map(|method| done.count(method));
        assert_eq!(done, [1, 1, 1], "{number}");
        let shown = project.lab.host(1).run(&list);
        assert_eq!(shown.lines().count(), 1, "what nothing uses any more is removed: {shown}");
    }
    let serves = |value: &str| [2, 3].map(|host| project.get(host)).contains(&Ok((200, value.to_owned())));
    assert!(serves("second"));
    project.run(&["plan", "--exit-code"]).expect(0);
    project.write(".env", "TOKEN=third\n");
    project.write_home("theirs", "");
    let late = project.run(&["deploy", "--yes"]).expect(1).says("is another one than was seen");
    assert!(!late.text().contains("taking back"), "theirs is left alone: {}", late.text());
    project.write(".env", "TOKEN=second\n");
    let planned = project.run(&["plan", "--exit-code"]).expect(3);
    assert!(planned.stdout.contains("changed by others"), "{}", planned.text());
    // What goes back gets the value of now, since no other is kept.
    project.write(".env", "TOKEN=third\n");
    let back = project.run(&["rollback", "--yes"]).expect(0);
    assert!(back.text().contains("the value that the secret `TOKEN` has now"), "{}", back.text());
    assert!(serves("third"));
    let theirs = format!("{}_back", project.name);
    let make = "docker network create -d overlay --label cloudpad.project=other";
    project.lab.host(1).run(&format!("{make} {theirs}"));
    configure(&project, "\"h1\"", &format!("networks = [\"back\"]\n{more}"));
    project.run(&["deploy", "--yes"]).expect(1).says("is of project `other`");
    project.lab.host(1).run(&format!("docker network rm {theirs}"));
    project.run(&["remove", "--yes"]).expect(0);
    assert_eq!(project.lab.host(1).run(&list).trim(), "");
}

#[test]
fn another_manager_is_asked_and_what_a_swarm_cannot_do_is_refused() {
    let project = project("swarmlost", "replicas = 1\n");
    configure(&project, "\"root@127.0.0.1:1\", \"h1\"", "replicas = 1\n");
    let planned = project.run(&["plan"]).expect(0);
    assert!(planned.text().contains("+ web create"), "{}", planned.text());
    configure(&project, "\"root@127.0.0.1:1\", \"h2\"", "replicas = 1\n");
    let nobody = project.run(&["plan"]).expect(2);
    nobody.says("no manager of the swarm answers").says("`h2` is no manager of a swarm");
    configure(&project, "\"h1\"", "replicas = 1\nvolumes = [\"data:/data\"]\n");
    project.run(&["plan"]).expect(2).says("Cloudpad.toml:").says("stay on a node");
}

#[test]
fn a_node_of_a_swarm_is_a_host_like_any_other() {
    let project = Project::new("swarmnode");
    let asks = "[services.asks]\nimage = \"web\"\ncommand = [\"sleep\", \"600\"]\nstop_signal = \"KILL\"\n";
    let web = project.web().replace(&format!("ports = [\"{}:8080\"]\n", project.port), "");
    let web = web.replace("http = \"/\"", "http = \"/\", port = 8080");
    project.configure_hosts("[hosts.h2]\naddress = \"h2\"\n", &(web + asks));
    project.deploy();
    // By its name too, which it has got when it ran already.
    let own =
        project.containers(2).into_iter().map(|container| container.name).find(|name| name.contains("-web-"));
    for name in ["web", &own.expect("it runs")] {
        let asked =
            project.run(&["exec", "asks", "--", "wget", "-q", "-O", "-", &format!("http://{name}:8080/")]);
        assert!(asked.expect(0).stdout.contains("one"), "{name}");
    }
}
