//! What runs, and what does not, as `cloudpad ps` lists it.

use serde_json::Value;

use crate::support::{Lab, Project};

/// The first cells of each row.
fn rows(listed: &str, count: usize) -> Vec<Vec<&str>> {
    listed.lines().skip(1).map(|line| line.split_whitespace().take(count).collect()).collect()
}

#[test]
fn what_runs_is_listed_and_what_is_kept_only_where_it_is_asked_for() {
    let project = Project::new("ps");
    let health = "health = { command = [\"true\"], interval = \"1s\" }\n";
    project.configure(&(project.web() + "\n[services.worker]\nimage = \"web\"\nreplicas = 1\n" + health));
    let first = project.deploy();
    let listed = project.run(&["ps"]).expect(0).stdout;
    let running = |host| vec!["web.1", host, "running"];
    let mut expected = vec![running("h1"), running("h2"), running("h3")];
    assert_eq!(rows(&listed, 3)[..3], expected, "{listed}");
    assert!(listed.contains(" running (healthy)  "), "the engine asks the worker: {listed}");
    assert!(listed.contains(&format!(" {}->8080  ", project.port)) && listed.contains(" second"), "{listed}");
    let image = format!("  {}:", project.name);
    assert!(listed.contains("  web:") && !listed.contains(&image), "{listed}");
    let release = first.events().iter().find_map(|event| event["release"].as_str().map(str::to_owned));
    let release = release.expect("a release");
    assert_eq!(listed.matches(&release).count(), 4, "{listed}");

    let json = project.run(&["ps", "web", "--json"]).expect(0).stdout;
    let told: Vec<Value> = serde_json::from_str(&json).expect("one JSON document");
    let first = &told[0];
    assert_eq!((told.len(), &first["instance"], &first["state"]), (3, &"web.1".into(), &"running".into()));
    assert_eq!((&first["ports"][0]["published"], &first["release"]), (&project.port.into(), &release.into()));
    assert!(first["image"].as_str().is_some_and(|image| image.starts_with(&project.name)), "{first}");
    assert!(first["for"].as_str().is_some_and(|words| words.contains("second")), "{first}");
    let narrowed = project.run(&["ps", "web.1", "--host", "h2"]).expect(0).stdout;
    assert_eq!(rows(&narrowed, 3), [running("h2")], "{narrowed}");

    project.page("two");
    project.deploy();
    let id = project.running(2).into_iter().find(|c| c.instance == "web.1").expect("it runs").id;
    project.lab.host(2).run(&format!("docker kill {id}"));
    expected.remove(1);
    let outcome = project.run(&["ps", "web"]).expect(0).says("not running: web.1 on h2: stopped (137)");
    assert_eq!(rows(&outcome.stdout, 3), expected, "{}", outcome.text());
    let all = project.run(&["ps", "web", "--all"]).expect(0);
    assert_eq!(rows(&all.stdout, 1).len(), 6, "{}", all.text());
    assert_eq!(all.stdout.matches("stopped (137)").count(), 4, "{}", all.text());
    assert!(!all.stderr.contains("not running"), "{}", all.text());
}

#[test]
fn what_is_not_there_is_told() {
    let project = Project::with(Lab::get(), "ps-none");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, &format!("{}\n[deploy]\nunreachable = \"skip\"\n", project.web()));
    project.run(&["ps", "wbe"]).expect(2).says("there is no service `wbe`").says("did you mean `web`?");
    project.run(&["ps", "web.x"]).expect(2).says("an instance is a service, a dot and a number");
    project.run(&["ps", "web", "--service", "web"]).expect(2).says("cannot be used with");
    project.run(&["ps", "web", "--host", "h1"]).expect(2).says("there is no container of `web`");
    project.run(&["deploy", "--yes"]).expect(1);
    project.run(&["ps", "web.7", "--host", "h1"]).expect(2).says("there is no container of `web.7`");
    let outcome = project.run(&["ps", "web"]).expect(1).says("gone: ");
    assert_eq!(rows(&outcome.stdout, 3), [["web.1", "h1", "running"]], "{}", outcome.text());
}
