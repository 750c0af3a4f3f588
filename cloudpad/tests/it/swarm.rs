//! A swarm of the lab's hosts, which `cargo xtask lab up --swarm` makes, in place of hosts. What it does as hosts do is in `same`.

use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, Project};

/// A project whose deploy provider is `swarm`, with one service on nodes of the role `app`.
pub fn project(topic: &str, more: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, "\"h1\"", more);
    project
}

fn configure(project: &Project, managers: &str, more: &str) {
    configure_through(project, &project.lab.ssh_config, managers, more);
}

/// Writes its config, with hosts as that `ssh_config` has them.
pub fn configure_through(project: &Project, ssh_config: &Path, managers: &str, more: &str) {
    let (name, registry, config) = (&project.name, &project.lab.registry, ssh_config.display());
    project.write(
        "Cloudpad.toml",
        format!(
            "[project]\nname = \"{name}\"\n[stages.push]\nprovider = \"registry\"\n[stages.push.config]\nregistry = \"{registry}\"\n\
             namespace = \"{name}\"\n[stages.deploy]\nprovider = \"swarm\"\n[stages.deploy.config]\nmanagers = [{managers}]\n\
             ssh_config = \"{config}\"\n[deploy]\nsettle = \"1s\"\nready_timeout = \"10s\"\n[images.web]\n[services.web]\n\
             roles = [\"app\"]\nports = [\"{}:8080\"]\n\
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
    // Services that need the same secret and network, which whoever is first makes.
    let also = |number: u32| {
        format!(
            "[services.also{number}]\nimage = \"web\"\nreplicas = 0\nsecrets = {{ \"/run/token\" = \"TOKEN\" }}\n"
        )
    };
    let also: String = (1..=5).map(also).collect();
    let each = "[services.each]\nimage = \"web\"\nper_host = 1\nstop_signal = \"KILL\"\ncommand = [\"sh\", \"-c\", \"echo tick; exec sleep 600\"]\n";
    let more = "replicas = 1\nsecrets = { \"/run/token\" = \"TOKEN\" }\n\
                command = [\"sh\", \"-c\", \"mkdir -p /w; cat /run/token > /w/index.html; exec httpd -f -p 8080 -h /w\"]\n";
    let project = project("swarmsecret", "");
    // Somebody else, who is faster where there is that file.
    let (ssh, service) = (project.lab.ssh_config.display().to_string(), format!("{}_web", project.name));
    let update = format!("ssh -F {ssh} h1 docker service update --detach --env-add MORE=1 {service}");
    let hook = format!("[hooks]\nbefore_deploy = [\"test ! -e ~/theirs || {{ rm ~/theirs; {update}; }}\"]\n");
    configure(&project, "\"h1\"", &format!("{more}{also}{each}{hook}"));
    let list = format!("docker secret ls -q --filter label=cloudpad.project={}", project.name);
    for (number, value) in ["first", "second"].into_iter().enumerate() {
        project.write(".env", format!("TOKEN={value}\n"));
        let done = deploy(&project).expect(0);
        let done = ["cluster.apply", "cluster.ready", "cluster.record"].map(|method| done.count(method));
        assert_eq!(done, [7, 7, 1], "{number}");
        let shown = project.lab.host(1).run(&list);
        assert_eq!(shown.lines().count(), 1, "what nothing uses any more is removed: {shown}");
    }
    one_on_each_node_is_told_apart(&project);
    let serves = |value: &str| [2, 3].map(|host| project.get(host)).contains(&Ok((200, value.to_owned())));
    assert!(serves("second"));
    project.run(&["plan", "--exit-code"]).expect(0);
    project.write(".env", "TOKEN=third\n");
    project.write_home("theirs", "");
    let late =
        project.run(&["deploy", "--yes", "--service", "web"]).expect(1).says("is another one than was seen");
    assert!(!late.text().contains("taking back"), "theirs is left alone: {}", late.text());
    project.write(".env", "TOKEN=second\n");
    let planned = project.run(&["plan", "--exit-code"]).expect(3);
    assert!(planned.stdout.contains("changed by others"), "{}", planned.text());
    // What goes back gets the value of now, since no other is kept.
    project.write(".env", "TOKEN=third\n");
    let back = project.run(&["rollback", "--yes", "--service", "web"]).expect(0);
    assert!(back.text().contains("the value that the secret `TOKEN` has now"), "{}", back.text());
    assert!(serves("third"));
    let theirs = format!("{}_back", project.name);
    let make = "docker network create -d overlay --label cloudpad.project=other";
    project.lab.host(1).run(&format!("{make} {theirs}"));
    configure(&project, "\"h1\"", &format!("networks = [\"back\"]\n{more}"));
    project.run(&["deploy", "--yes", "--service", "web"]).expect(1).says("is of project `other`");
    project.lab.host(1).run(&format!("docker network rm {theirs}"));
    let make = format!("docker service create --detach --quiet --replicas 0 --name {}_front", project.name);
    project.lab.host(1).run(&format!("{make} {}", project.lab.base_image));
    let front = "[services.front]\nimage = \"web\"\nreplicas = 0\n";
    configure(&project, "\"h1\"", &format!("{more}{front}"));
    project.run(&["plan"]).expect(2).says("somebody who has made it without Cloudpad");
    project.lab.host(1).run(&format!("docker service rm {}_front", project.name));
    project.run(&["remove", "--yes"]).expect(0);
    assert_eq!(project.lab.host(1).run(&list).trim(), "");
}

#[test]
fn a_variable_that_is_secret_stays_when_scaled_and_is_the_one_of_now_when_undone() {
    let project = project("swarmvariable", "");
    let configure = |replicas: u32, more: &str| {
        let web = format!("replicas = {replicas}\nsecrets = {{ WORD = \"WORD\" }}\n");
        self::configure(&project, "\"h1\"", &format!("{web}{more}"));
    };
    let has = || {
        let env = "{{.Spec.TaskTemplate.ContainerSpec.Env}}";
        project.lab.host(1).run(&format!("docker service inspect {}_web --format '{env}'", project.name))
    };
    configure(1, "");
    project.write(".env", "WORD=one\n");
    deploy(&project).expect(0);
    project.write(".env", "WORD=two\n");
    project.run(&["scale", "web=2", "--yes"]).expect(0);
    assert!(has().contains("WORD=one"), "{}", has());
    let bad = "[services.bad]\nimage = \"web\"\nreplicas = 1\ncommand = [\"/missing\"]\n";
    configure(1, bad);
    let undone = project.run(&["deploy", "--yes"]).expect(1).says("new instances of");
    assert!(undone.text().contains("the value that the secret `WORD` has now"), "{}", undone.text());
    assert!(has().contains("WORD=two"), "{}", has());
    let rows: Vec<Value> =
        serde_json::from_str(&project.run(&["ps", "--json"]).expect(0).stdout).expect("rows");
    assert_eq!(rows.len(), 2, "as many as there were before: {rows:?}");
    project.run(&["remove", "--yes"]).expect(0);
}

/// `each` runs once on each node.
fn one_on_each_node_is_told_apart(project: &Project) {
    let json = |args: &[&str]| project.run(args).expect(0).stdout;
    let rows: Vec<Value> = serde_json::from_str(&json(&["ps", "each.1", "--json"])).expect("rows");
    let listed: Vec<_> = rows.iter().map(|row| format!("{} {}", row["instance"], row["host"])).collect();
    let lines = project.run(&["logs", "each.1", "--tail", "1", "--json"]).expect(0).events();
    let mut told: Vec<_> =
        lines.iter().map(|line| format!("{} {}", line["instance"], line["host"])).collect();
    told.sort();
    assert_eq!((told.len(), &told), (3, &listed));
    let words = ["second", "minute"];
    let is_told =
        |row: &Value| row["for"].as_str().is_some_and(|since| words.iter().any(|word| since.contains(word)));
    assert!(rows.iter().all(|row| is_told(row) && row["healthy"].is_null()), "{rows:?}");
    let web = &json(&["ps", "web"]);
    assert!(web.contains(" running (healthy) ") && web.contains(" web:"), "{web}");
}

#[test]
fn another_manager_is_asked_and_what_a_swarm_cannot_do_is_refused() {
    let project = project("swarmlost", "replicas = 1\n");
    configure(&project, "\"root@127.0.0.1:1\", \"h1\"", "replicas = 1\n");
    // It ran on a host before, as far as is known here.
    let run = format!(
        "{{\"event\":\"run\",\"command\":\"deploy\",\"project\":\"{}\",\"time\":\"1\"}}\n",
        project.name
    );
    let noted = "{\"event\":\"plan\",\"release\":\"1\",\"changes\":[],\"actions\":1,\"notes\":[]}\n\
                 {\"event\":\"done\",\"phase\":\"apply\",\"id\":0,\"method\":\"deploy.record\",\"host\":\"old1\",\"object\":\"\",\"ms\":1}\n";
    project.write(".cloudpad/journal/1-deploy.jsonl", run + noted);
    let planned = project.run(&["plan"]).expect(0);
    for told in ["+ web create", "release 1 was deployed to `old1`, before a cluster"] {
        assert!(planned.text().contains(told), "{}", planned.text());
    }
    configure(&project, "\"root@127.0.0.1:1\", \"h4\"", "replicas = 1\n");
    let nobody = project.run(&["plan"]).expect(2);
    nobody.says("no manager of the swarm answers").says("`h4` is no manager of a swarm");
    configure(&project, "\"h1\"", "replicas = 1\nvolumes = [\"data:/data\"]\n");
    project.run(&["plan"]).expect(2).says("Cloudpad.toml:").says("stay on a node");
}

#[test]
fn environments_are_apart() {
    let project = project("swarmenvs", "");
    let staging = "[environments.staging.services.web]\nreplicas = 0\n";
    configure(&project, "\"h1\"", &format!("replicas = 0\n{staging}"));
    let both = [&["plan", "--exit-code"][..], &["plan", "--exit-code", "-e", "staging"]];
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    let planned = project.run(both[0]).expect(3).stdout;
    assert!(planned.contains("+ web create"), "{planned}");
    project.run(&["deploy", "--yes"]).expect(0);
    for plan in both {
        project.run(plan).expect(0);
    }
    let listed = project.run(&["releases"]).expect(0).stdout;
    assert_eq!(listed.lines().filter(|line| line.starts_with("20")).count(), 1, "{listed}");
    project.run(&["remove", "--yes"]).expect(0);
    project.run(both[1]).expect(0);
    project.run(&["remove", "--yes", "-e", "staging"]).expect(0);
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
