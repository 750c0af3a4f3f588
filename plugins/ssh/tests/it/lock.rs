//! Locks: one for all users of a host, held by a connection, and taken again only while nobody else has it.

use std::process::Command;
use std::sync::Arc;

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{Deploy, Holder, Lock, Unlock};
use cloudpad_ssh::Deployer;
use serde_json::json;

use crate::lab;
use crate::world::{World, unique};

/// Somebody who works on a project on a host of the lab. Each has a connection of their own.
struct Operator {
    world: World,
    host: Arc<Host>,
}

impl Operator {
    fn new(address: &str) -> Self {
        let mut world = World::new("lock");
        let host: Arc<Host> = Host::new(address, address).into();
        world.host = host.clone();
        world.config = json!({ "ssh_config": lab::dir().join("ssh_config") });
        Self { world, host }
    }

    fn lock(&self, project: &Arc<Project>) -> Option<Holder> {
        let holder = Holder { who: self.host.name.clone(), since: "now".into(), command: "deploy".into() };
        let (host, project) = (self.host.clone(), project.clone());
        let lock = Lock { host, project, holder: holder.into() };
        Deployer.lock(&self.world.context(), &lock).unwrap().held_by
    }

    fn unlock(&self, project: &Arc<Project>) {
        let unlock = Unlock { host: self.host.clone(), project: project.clone() };
        Deployer.unlock(&self.world.context(), &unlock).unwrap();
    }
}

fn project(name: &str, environment: Option<&str>) -> Arc<Project> {
    Project { name: name.to_owned(), environment: environment.map(str::to_owned) }.into()
}

#[test]
fn the_second_user_is_told_who_the_first_is_until_it_is_given_back() {
    let (root, deploy) = (Operator::new("h1"), Operator::new("deploy@h1"));
    let name = unique("lock");
    let shop = project(&name, None);
    assert_eq!(root.lock(&shop), None);
    assert_eq!(root.lock(&shop), None, "it has it already");
    assert_eq!(deploy.lock(&shop).unwrap().who, "h1");
    for other in [project(&name, Some("staging")), project(&unique("lock"), None)] {
        assert_eq!(deploy.lock(&other), None, "another lock");
        deploy.unlock(&other);
    }
    root.unlock(&shop);
    root.unlock(&shop);
    assert_eq!(deploy.lock(&shop), None);
    assert_eq!(root.lock(&shop).unwrap().who, "deploy@h1");
    deploy.unlock(&shop);
}

#[test]
fn this_machine_has_locks_too() {
    let mut here = Operator::new("h1");
    (here.host, here.world.config) = (Host::new("here", Host::LOCAL).into(), json!(null));
    let shop = project(&unique("lock"), None);
    assert_eq!(here.lock(&shop), None);
    let file = format!("/tmp/cloudpad-lock.{}", shop.name);
    let other = || Command::new("flock").args(["-n", &file, "true"]).status().unwrap().success();
    assert!(!other());
    here.unlock(&shop);
    assert!(other());
}

#[test]
fn a_lock_that_was_lost_is_taken_again_unless_somebody_else_has_it() {
    let (root, deploy) = (Operator::new("h3"), Operator::new("deploy@h3"));
    let shop = project(&unique("lock"), None);
    assert_eq!(root.lock(&shop), None);
    let lose = || {
        // The shell that holds it, as a host ends it that has heard nothing for long.
        let file = format!("/tmp/cloudpad-lock.{}@0", shop.name);
        let script =
            format!("kill -9 $(cut -d ' ' -f 1 {file}); flock /tmp/cloudpad-lock.{} true", shop.name);
        assert!(lab::ssh("h3", &[&script]).status().unwrap().success());
    };
    // That it is lost is heard soon after, and not at the same moment.
    let change = || root.world.remove(&[], &["no-such-image:1"]);
    let is_free = || {
        let try_it = format!("flock -n /tmp/cloudpad-lock.{} true", shop.name);
        lab::ssh("h3", &[&try_it]).status().unwrap().success()
    };
    lose();
    assert!((0..100).any(|_| change().is_ok() && !is_free()), "whoever changes something has it again");
    lose();
    assert_eq!(deploy.lock(&shop), None);
    let failure = (0..100).find_map(|_| change().err()).expect("it has lost its lock");
    assert_eq!(failure.kind, FailureKind::Stale);
    assert!(failure.to_string().contains("`deploy@h3` has it since now, for `deploy`"), "{failure}");
    deploy.unlock(&shop);
    root.unlock(&shop);
}

#[test]
fn what_cannot_be_locked_is_said() {
    let root = Operator::new("h1");
    let shop = project("$(reboot)", None);
    let holder = Arc::new(Holder::default());
    let lock = Lock { host: root.host.clone(), project: shop, holder };
    let failure = Deployer.lock(&root.world.context(), &lock).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid, "{failure}");
}
