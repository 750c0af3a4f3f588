//! `cloudpad hosts ls` and `ssh`.

use serde_json::Value;

use crate::support::{Outcome, Project, WEB};

fn list(project: &Project) -> (Outcome, Vec<Value>) {
    let outcome = project.run(&["hosts", "ls", "--json"]);
    let rows: Value = serde_json::from_str(&outcome.stdout).expect("one document");
    (outcome, rows.as_array().cloned().expect("rows"))
}

#[test]
fn hosts_are_listed_with_what_they_are_and_what_runs_there() {
    let project = Project::new("hostsls");
    project.configure(&project.web());
    project.deploy();
    let (outcome, rows) = list(&project);
    outcome.expect(0);
    assert_eq!(rows.len(), 3);
    for (number, row) in (1..).zip(&rows) {
        let host = project.lab.host(number);
        assert_eq!(row["name"], host.name.as_str());
        assert_eq!(row["engine"]["version"], host.run("docker version -f '{{.Server.Version}}'").as_str());
        assert_eq!(row["cpus"].to_string(), host.run("nproc"));
        assert_eq!(row["instances"], serde_json::json!(["web.1"]));
        let size = host.run("echo $(($(df -Pk /var/lib/docker | awk 'NR == 2 { print $2 }') * 1024))");
        assert_eq!(row["disk"]["size"].to_string(), size);
        assert!(row["disk"]["free"].as_u64() > Some(0) && row["memory"].as_u64() > Some(0), "{row}");
    }
    let text = project.run(&["hosts", "ls", "--host", "h1"]).expect(0).stdout;
    assert!(text.starts_with("HOST  ADDRESS  ROLES  ENGINE") && text.contains("web.1"), "{text}");
}

#[test]
fn one_that_cannot_be_reached_is_told_and_hides_no_other() {
    let project = Project::new("hostsgone");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"root@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, WEB);
    let (outcome, rows) = list(&project);
    outcome.expect(1).says("gone: ");
    assert!(rows[0]["engine"]["version"].is_string() && rows[0].get("error").is_none(), "{rows:?}");
    assert_eq!(rows[1]["error"]["kind"], "unreachable");
    let text = project.run(&["hosts", "ls"]).expect(1).stdout;
    assert!(text.contains("not reached"), "{text}");
    project.run(&["hosts", "ls", "--host", "gon"]).expect(2).says("did you mean `gone`?");
}

#[test]
fn a_shell_is_the_users_own_ssh() {
    let project = Project::new("hostsssh");
    project.configure(WEB);
    let name = &project.lab.host(2).container;
    let outcome = project.run(&["hosts", "ssh", "h2", "--", "hostname; exit 7"]);
    assert_eq!(outcome.expect(7).stdout.trim(), name);
    let words = project.run(&["hosts", "ssh", "h2", "--", "printf", "%s|", "a b", "*"]).expect(0).stdout;
    assert_eq!(words, "a b|*|");
    let typed = project.run_reading(&["hosts", "ssh", "h2"], "hostname\n").expect(0).stdout;
    assert_eq!(typed.trim(), name);
    project.run(&["hosts", "ssh", "h9"]).expect(2).says("no host matches `h9`").says("did you mean");
    let path = project.path(".").display().to_string();
    project.run_with(&["hosts", "ssh", "h2"], &[("PATH", &path)]).expect(2).says("`ssh` does not start");
    project.configure_hosts("", WEB);
    project.run(&["hosts", "ssh", "local"]).expect(2).says("is this machine");
}
