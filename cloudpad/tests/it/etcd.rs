//! Hosts that a real etcd lists, in a deploy.

use std::process::Command;

use serde_json::Value;

use crate::support::{Following, Project};

/// A project whose hosts are below a prefix of its own, which is empty.
struct Listed(Project);

impl Listed {
    fn new(topic: &str) -> Self {
        let listed = Self(Project::new(topic));
        let project = &listed.0;
        listed.ctl(&["del", "--prefix", &listed.key("")]);
        let inventory = format!(
            "[stages.inventory]\nprovider = \"etcd\"\n\
             config = {{ endpoints = [\"http://127.0.0.1:1\", \"{}\"], prefix = \"{}\", publish = \"{}\" }}\n",
            project.lab.etcd,
            listed.key(""),
            listed.told()
        );
        project.configure_hosts("", &(project.web() + &inventory));
        listed
    }

    fn key(&self, name: &str) -> String {
        format!("/{}/{name}", self.0.name)
    }

    /// Below which others are told where instances are.
    fn told(&self) -> String {
        format!("/told-{}/", self.0.name)
    }

    /// The key of a service there, without the project's prefix; its value, where instances are.
    fn instances(&self) -> Vec<(String, Vec<String>)> {
        let found = self.ctl(&["get", "--prefix", &self.told()]);
        let pairs = found.lines().collect::<Vec<_>>();
        let read = |pair: &[&str]| {
            let key = pair[0].rsplit_once('/').expect("a key in a folder").1.to_owned();
            let instances: Vec<Value> = serde_json::from_str(pair[1]).expect("a list of instances");
            let words = |one: &Value| {
                let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
                format!(
                    "{}@{}={}:{}",
                    text("instance"),
                    text("host"),
                    text("address"),
                    one["ports"][0]["published"]
                )
            };
            (key, instances.iter().map(words).collect())
        };
        pairs.chunks(2).map(read).collect()
    }

    #[track_caller]
    fn put(&self, key: &str, value: &str) {
        self.ctl(&["put", &self.key(key), value]);
    }

    #[track_caller]
    fn ctl(&self, args: &[&str]) -> String {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.0.lab.etcd]).args(args);
        let output = command.output().expect("these tests need Debian's package `etcd-client`");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.ctl(&["del", "--prefix", &self.key("")]);
        self.ctl(&["del", "--prefix", &self.told()]);
    }
}

#[test]
fn others_are_told_by_etcd_where_instances_are() {
    let listed = Listed::new("etcdtold");
    let project = &listed.0;
    listed.put("h1/address", "root@h1");
    listed.put("h2/address", "h2");
    assert!(
        project.run(&["plan"]).expect(0).stdout.contains("then tell the inventory that web is on h1, h2")
    );
    assert_eq!(listed.instances(), []);
    project.run(&["deploy", "--yes"]).expect(0);
    let on = |hosts: &[&str]| {
        let one = |host: &&str| format!("web.1@{host}={host}:{}", project.port);
        vec![("web".to_owned(), hosts.iter().map(one).collect::<Vec<_>>())]
    };
    assert_eq!(listed.instances(), on(&["h1", "h2"]));
    project.run(&["plan", "--exit-code"]).expect(0);
    project.run(&["stop", "web", "--host", "h1", "--yes"]).expect(0);
    assert_eq!(listed.instances(), on(&["h2"]));
    project.run(&["start", "web", "--yes"]).expect(0);
    // An update that fails is taken back, and nothing of it is told.
    project.write("www/index.html", "two");
    let file = std::fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let failing = file.replace("http = \"/\"", "http = \"/gone\"") + "[deploy]\nready_timeout = \"2s\"\n";
    project.write("Cloudpad.toml", &failing);
    let untold = "the inventory tells others yet where instances were before";
    let undone = project.run(&["deploy", "--yes"]).expect(1);
    assert!(!undone.text().contains(untold), "{}", undone.text());
    assert_eq!(listed.instances(), on(&["h1", "h2"]));
    project.write("Cloudpad.toml", file);
    // What others have written there is no instance, and made good by the next deploy.
    listed.ctl(&["put", &format!("{}{}/web", listed.told(), project.name), "nobody"]);
    project.write("www/index.html", "one");
    assert!(
        project.run(&["plan", "--exit-code"]).expect(3).stdout.contains("no container changes; 1 action")
    );
    project.run(&["deploy", "--yes"]).expect(0).says("told the inventory where web is");
    assert_eq!(listed.instances(), on(&["h1", "h2"]));
    let nobody = "; it tells nobody where instances are then";
    assert!(project.run(&["plan", "--cached"]).expect(0).stdout.contains(nobody));
    // What is given up half way is not told, and that is.
    let moved = failing.replace(&format!("\"{}:", project.port), &format!("\"{}:", project.port + 1));
    project.write("Cloudpad.toml", moved + "on_failure = \"stop\"\n");
    project.run(&["deploy", "--yes"]).expect(1).says(untold);
    project.run(&["remove", "--yes"]).expect(0).says("told the inventory where web is");
    assert_eq!(listed.instances(), []);
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
        let looked = project.run(looks).expect(0).says(&key).says(name);
        looked.says("no host is changed but with `--skip-broken-hosts`");
    }
    let refused = project.run(&["deploy", "--yes"]).expect(2);
    refused.says(&key).says(name).says("`--skip-broken-hosts`");
    assert!(project.containers(1).is_empty());
    // Who goes ahead without it has a whole plan, though the saved one was not.
    project.run(&["plan", "--out", ".cloudpad/plan"]).expect(0);
    project.run(&["deploy", "--yes", "--skip-broken-hosts", "--plan", ".cloudpad/plan"]).expect(0).says(&key);
    // There is nothing to do, but for what the deploy would be refused for.
    let plan = project.run(&["plan", "--exit-code", "--json"]).expect(1);
    let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let note = plan["notes"][0]["message"].as_str().expect("a note");
    assert!(plan["actions"] == Value::Array(vec![]) && note.contains(&key) && note.contains(name), "{plan}");
    // What cannot be used can be taken out.
    let add = ["hosts", "add", "h2", "h2", "--offline"];
    project.run(&add).expect(2).says("`cloudpad hosts rm h2` takes it out, with `--keep`");
    project
        .run(&["hosts", "rm", "h2", "--yes"])
        .expect(2)
        .says("cannot be used")
        .says("`--keep` takes it out");
    project
        .run(&["hosts", "rm", "h2", "H 3", "--keep"])
        .expect(0)
        .says("took `h2` out of")
        .says("took `H 3` out of");
    project.run(&["plan", "--exit-code"]).expect(0);
    project.run(&add).expect(0);
    let kept = project.run(&["hosts", "ls", "--cached", "--json"]).expect(0).stdout;
    assert!(kept.contains("\"h2\""), "{kept}");
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
}

#[test]
fn hosts_are_added_to_etcd_and_taken_out_there() {
    let listed = Listed::new("etcdadd");
    let project = &listed.0;
    let file = || std::fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let before = file();
    let place = format!("`{}` in etcd", listed.key("h1"));
    let added = project.run(&["hosts", "add", "h1", "h1", "--role", "web", "--label", "zone=a"]).expect(0);
    added.says(&format!("added `h1` to {place}")).says("`h1` is reached: its engine is ");
    listed.put("h2/address", "h2");
    project
        .run(&["hosts", "add", "h2", "h3"])
        .expect(2)
        .says("there is a host `h2` already, in the inventory");
    project.run(&["hosts", "add", "H 3", "h3"]).expect(2).says("`H 3`");
    project.deploy();

    project.run(&["hosts", "rm", "h1", "h9", "--yes"]).expect(2).says("no host matches `h9`");
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
    let removed = project.run(&["hosts", "rm", "h1", "--yes"]).expect(0);
    removed.says(&format!("took `h1` out of {place}"));
    assert!(project.containers(1).is_empty());
    assert_eq!(project.get(2), Ok((200, "one".to_owned())));
    let kept = project.run(&["hosts", "ls", "--cached", "--json"]).expect(0).stdout;
    assert!(
        kept.contains("\"h2\"") && !kept.contains("\"h1\""),
        "what was taken out does not come back: {kept}"
    );
    let left = project.run(&["hosts", "ls", "--json"]).expect(0).stdout;
    assert!(left.contains("\"h2\"") && !left.contains("\"h1\""), "{left}");
    project.run(&["hosts", "rm", "h2", "--keep", "--yes"]).expect(0);
    assert_eq!(project.get(2), Ok((200, "one".to_owned())), "what runs there is left alone");
    listed.put("h2/address", "h2");
    assert_eq!(file(), before);
}

#[test]
fn what_services_need_is_not_taken_out_of_etcd() {
    let listed = Listed::new("etcdneed");
    let project = &listed.0;
    listed.put("h1", r#"{"address": "h1", "roles": ["web"]}"#);
    listed.put("h2/address", "h2");
    let file = std::fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    project.write("Cloudpad.toml", file.replace("image = \"web\"\n", "image = \"web\"\nroles = [\"web\"]\n"));
    project.deploy();
    project
        .run(&["hosts", "rm", "h1", "--yes"])
        .expect(2)
        .says("the file cannot do without `h1`")
        .says("`web`");
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
}

#[test]
fn whoever_watches_sees_hosts_come_and_go() {
    let listed = Listed::new("etcdwatch");
    let project = &listed.0;
    listed.put("h1/address", "h1");
    listed.put("h2/address", "h2");
    project.deploy();
    for command in ["ps", "stats"] {
        listed.ctl(&["del", &listed.key("h2/address")]);
        follows(&listed, Following::new(project, &[command, "--watch", "--json"]));
    }
}

/// Fails where what is followed is not about the hosts that there are.
fn follows(listed: &Listed, mut following: Following) {
    let mut until = |hosts: &[&str]| {
        // What is measured is printed all the time.
        let is_so = (0..30).any(|_| {
            let line = following.next_line();
            let rows: Vec<Value> = serde_json::from_str(&line).expect("a list of rows");
            rows.iter().map(|row| row["host"].as_str().unwrap_or_default()).eq(hosts.iter().copied())
        });
        assert!(is_so, "these are not those that are shown: {hosts:?}");
    };
    until(&["h1"]);
    listed.put("h2/address", "h2");
    until(&["h1", "h2"]);
    listed.ctl(&["del", &listed.key("h1/address")]);
    until(&["h2"]);
    listed.put("h1/address", "h1");
    until(&["h1", "h2"]);
    assert_eq!(following.end("-INT").0, Some(130));
}
