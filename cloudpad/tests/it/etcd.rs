//! Hosts that a real etcd lists, in a deploy.

use std::process::Command;

use crate::support::Project;

/// A project whose hosts are below a prefix of its own, which is empty.
struct Listed(Project);

impl Listed {
    fn new(topic: &str) -> Self {
        let listed = Self(Project::new(topic));
        let project = &listed.0;
        listed.ctl(&["del", "--prefix", &listed.key("")]);
        let inventory = format!(
            "[stages.inventory]\nprovider = \"etcd\"\n\
             config = {{ endpoints = [\"http://127.0.0.1:1\", \"{}\"], prefix = \"{}\" }}\n",
            project.lab.etcd,
            listed.key("")
        );
        project.configure_hosts("", &(project.web() + &inventory));
        listed
    }

    fn key(&self, name: &str) -> String {
        format!("/{}/{name}", self.0.name)
    }

    #[track_caller]
    fn put(&self, key: &str, value: &str) {
        self.ctl(&["put", &self.key(key), value]);
    }

    #[track_caller]
    fn ctl(&self, args: &[&str]) {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.0.lab.etcd]).args(args);
        let output = command.output().expect("these tests need Debian's package `etcd-client`");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.ctl(&["del", "--prefix", &self.key("")]);
    }
}

#[test]
fn hosts_of_etcd_are_deployed_to() {
    let listed = Listed::new("etcd");
    let project = &listed.0;
    listed.put("h1", r#"{"address": "h1", "roles": ["web"]}"#);
    listed.put("h2/address", "h2");
    project.deploy();
    assert_eq!((project.get(1), project.get(2)), (Ok((200, "one".to_owned())), Ok((200, "one".to_owned()))));
    assert!(project.run(&["hosts", "ls"]).expect(0).stdout.contains("h2"));
}

#[test]
fn what_is_no_host_keeps_hosts_from_being_changed_until_one_is_told() {
    let listed = Listed::new("etcdbad");
    let project = &listed.0;
    listed.put("h1/address", "h1");
    listed.put("h2", r#"{"adress": "h2"}"#);
    listed.put("H 3/address", "h3");
    let key =
        format!("`{}` of the inventory is no document of a host: unknown field `adress`", listed.key("h2"));
    let name = "the inventory has listed host `H 3`";
    for looks in [&["plan"][..], &["ps"], &["hosts", "ls"]] {
        project.run(looks).expect(0).says(&key).says(name);
    }
    let refused = project.run(&["deploy", "--yes"]).expect(2);
    refused.says(&key).says(name).says("`--skip-broken-hosts`");
    assert!(project.containers(1).is_empty());
    project.run(&["deploy", "--yes", "--skip-broken-hosts"]).expect(0).says(&key);
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
}
