//! Changes of one host's proxy come one after another, and none waits for what is left of one that was killed. A look that comes
//! into the middle of one looks again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloudpad_plugin_api::Event;
use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{Clear, Deploy, Observe, ProxySeen};
use cloudpad_ssh::Deployer;
use serde_json::json;

use super::{clean, route, rule, seen, serve, world};
use crate::lab;
use crate::proxy::Fault;
use crate::world::World;

const HOST: &str = "h2";

/// Has the lock as a change of somebody else does, until its connection ends.
const OTHER: &str = r#"exec 9>>/tmp/cloudpad-lock..proxy; flock 9; echo "$$ {\"who\":\"ann\",\"since\":\"noon\",\"command\":\"deploy\"}" >/tmp/cloudpad-lock..proxy@0; echo held; exec cat"#;

/// Makes a change while somebody else has the lock, and this is done before that one is gone.
fn in_turn<T: Send>(world: &World, change: impl FnOnce() -> T + Send, meanwhile: impl FnOnce()) -> T {
    let mut other = lab::ssh(HOST, &[OTHER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Other)
        .expect("`ssh`");
    let mut line = String::new();
    BufReader::new(other.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    world.events.lock().unwrap().clear();
    std::thread::scope(move |scope| {
        // A change that waits must not wait for ever where this fails.
        let other = other;
        let change = scope.spawn(change);
        let is_told = |event: &Event| matches!(event, Event::Log { message, .. } if message == "waiting: `ann` changes the proxy, for `deploy` since noon");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !world.events.lock().unwrap().iter().any(is_told) {
            assert!(Instant::now() < deadline && !change.is_finished(), "{:?}", world.events);
            std::thread::yield_now();
        }
        meanwhile();
        drop(other);
        change.join().unwrap()
    })
}

/// Who has the lock, until this is dropped.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The proxy as another project sees it.
fn seen_by_another(world: &World) -> ProxySeen {
    let project = Project { name: format!("{}-b", world.project.name), environment: None }.into();
    let request =
        Observe { host: world.host.clone(), project, connects: false, releases: false, checks: None };
    *Deployer.observe(&world.context(), &request).unwrap().proxy.unwrap()
}

/// Writes down another host name for the project's route than the proxy has, `NAME.FROM`, or takes that back.
fn write_name(world: &World, from: &str, to: &str) {
    let name = &world.project.name;
    let script = format!(
        r#"set -e; d=$(mktemp -d); docker cp cloudpad-router:/cloudpad/routes "$d"; cd "$d/routes"
           grep -q {name}.{from} {name}.web.json
           for f in {name}.web.json*; do sed -i 's/{name}.{from}/{name}.{to}/' "$f"; docker cp "$f" cloudpad-router:/cloudpad/routes/; done
           rm -r "$d""#
    );
    let output = lab::ssh(HOST, &[&script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_change_waits_for_another_one_and_says_so_until_that_is_gone() {
    let _alone = super::h2();
    let mut world = world("route-turn", HOST);
    let container = serve(&world, "one");
    in_turn(&world, || route(&world, Some(rule(&world, json!({}))), &[&container], &[]), || ()).unwrap();
    // A look into the middle of a change, in which what is written is not what the proxy does.
    write_name(&world, "test", "tset");
    let seen_then = in_turn(&world, || seen_by_another(&world), || write_name(&world, "tset", "test"));
    assert!(seen_then.settled, "{seen_then:?}");
    // Which it may be with nobody at it, too.
    write_name(&world, "test", "tset");
    assert!(!seen_by_another(&world).settled);
    write_name(&world, "tset", "test");
    // Another project leaves the host as well, and takes the proxy with it.
    route(&world, None, &[], &[]).unwrap();
    let (host, project) = (world.host.clone(), world.project.clone().into());
    let request = Clear { host, project, networks: Vec::new(), volumes: Vec::new() };
    let take_it = || _ = lab::docker_ok(HOST, &["rm", "-f", "cloudpad-proxy", "cloudpad-router"]);
    in_turn(&world, || Deployer.clear(&world.context(), &request), take_it).unwrap();
    // Or just when this one has seen that there is one.
    route(&world, Some(rule(&world, json!({}))), &[&container], &[]).unwrap();
    let engine = lab::engine(HOST);
    let meanwhile = Arc::new(AtomicBool::new(false));
    let done = meanwhile.clone();
    engine.misbehave(Fault::BeforeFiles(Box::new(move || {
        take_it();
        done.store(true, Ordering::SeqCst);
    })));
    let by_ssh = (world.config.clone(), world.host.clone());
    world.config = json!({ "socket": engine.path() });
    world.host = Host::new("there", Host::LOCAL).into();
    assert_eq!(seen(&world).routes, []);
    assert!(meanwhile.load(Ordering::SeqCst));
    (world.config, world.host) = by_ssh;
    clean(&world, &[&container]);
}
