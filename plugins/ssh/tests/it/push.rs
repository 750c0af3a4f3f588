//! Images on their way to a host of the lab: what is sent, what is not, and what is left of a broken try.

use bollard::query_parameters::BuildImageOptionsBuilder;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Deploy, Observe};
use cloudpad_plugin_api::stage::push::{Push, Pushed, Run};
use cloudpad_plugin_api::{Context, Event, Failure, FailureKind};
use cloudpad_ssh::{Deployer, Pusher, config::Config, spent};
use futures_util::StreamExt;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::lab;
use crate::proxy::{Fault, Proxy};
use crate::pull::publish;
use crate::world::{World, busybox};

const BIG: usize = 3 << 20;
const SMALL: usize = 10_000;

/// Bytes that do not compress.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The content of the small layer of image `n`.
fn small(n: usize) -> Vec<u8> {
    noise(n as u64 + 77, SMALL)
}

/// A host with each sort of image store: the classic one, and containerd's.
const HOSTS: [&str; 2] = ["h1", "h3"];

/// A host of the lab behind a proxy, and images `PROJECT:1`, `:2`, … in this machine's engine: a big
/// layer, and a small one on top that differs.
struct Setting {
    world: World,
    host: &'static str,
    proxy: Proxy,
    tags: Vec<String>,
}

impl Setting {
    fn on(host: &'static str, name: &str, images: usize) -> Self {
        let mut world = World::new(name);
        // The first `:1` is the world's own; what is pushed is built on a base of this test.
        let base = format!("{}:base", world.project.name);
        // No other test's image on the host has this layer.
        let seed = base.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        world.import(&base, busybox(&[("big", &noise(seed, BIG))]), &[]);
        let tags = (0..images).map(|n| format!("{}:v{n}", world.project.name)).collect::<Vec<_>>();
        for (n, tag) in (0..).zip(&tags) {
            build(
                &world,
                tag,
                &format!("FROM {base}\nENV N={n}\nCOPY small /small\n"),
                &noise(n + 77, SMALL),
            );
        }
        world.also_remove.push(base);
        world.also_remove.extend(tags.clone());
        let proxy = lab::engine(host);
        Self { world, host, proxy, tags }
    }

    fn push(&self, n: usize, similar: &[usize]) -> Result<Pushed, Failure> {
        self.push_beside(n, similar.iter().map(|&n| self.tags[n].clone()).collect())
    }

    fn push_beside(&self, n: usize, similar: Vec<String>) -> Result<Pushed, Failure> {
        let emit = self.world.context();
        let config = json!({ "socket": self.proxy.path() });
        let cx = Context::new(config, std::sync::Arc::new(move |e| emit.emit(e)), self.world.cancel.clone());
        let host = Some(Host::new(self.host, Host::LOCAL).into());
        Pusher.run(&cx, &Run { reference: self.tags[n].clone(), host, similar })
    }

    fn on_host(&self, n: usize) -> bool {
        lab::docker(self.host, &["image", "inspect", &self.tags[n]]).status.success()
    }

    /// Runs the image on the host, where its own small file must be.
    fn assert_runs(&self, n: usize) {
        let said =
            lab::docker_ok(self.host, &["run", "--rm", &self.tags[n], "busybox", "sha256sum", "/small"]);
        let sum = Sha256::digest(small(n)).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(said, format!("{sum}  /small"));
    }

    fn logs(&self) -> Vec<String> {
        let events = self.world.events.lock().unwrap();
        let message = |event: &Event| match event {
            Event::Log { message, .. } => Some(message.clone()),
            _ => None,
        };
        events.iter().filter_map(message).collect()
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        for tag in &self.tags {
            lab::docker(self.host, &["rmi", "-f", tag]);
        }
    }
}

fn build(world: &World, tag: &str, dockerfile: &str, small: &[u8]) {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in [("Dockerfile", dockerfile.as_bytes()), ("small", small)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, bytes).unwrap();
    }
    let context = bollard::body_full(tar.into_inner().unwrap().into());
    let options = BuildImageOptionsBuilder::new().t(tag).rm(true).build();
    world.engine(async |docker| {
        let mut steps = docker.build_image(options, None, Some(context));
        while let Some(step) = steps.next().await {
            step.unwrap();
        }
    });
}

#[test]
fn an_image_is_sent_once_and_runs() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-once", 1);
        let sent = setting.push(0, &[]).unwrap().sent.unwrap();
        assert!(sent > BIG as u64 && sent < (BIG + BIG / 2) as u64, "{sent} bytes to {host}");
        setting.assert_runs(0);
        assert_eq!(setting.push(0, &[]).unwrap().sent, Some(0), "to {host}");
        assert_eq!(setting.proxy.loads(), 1, "to {host}");
        let told = setting.world.events.lock().unwrap();
        let progress = |event: &Event| matches!(event, Event::Progress(p) if p.unit == "bytes" && p.done > 0);
        assert!(told.iter().any(progress));
    }
}

#[test]
fn only_the_layer_on_top_is_sent_when_the_host_has_those_below() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-top", 2);
        setting.push(0, &[]).unwrap();
        let sent = setting.push(1, &[0]).unwrap().sent.unwrap();
        assert!(
            sent > SMALL as u64 && sent < 3 * SMALL as u64,
            "{sent} bytes for a layer of {SMALL} to {host}"
        );
        setting.assert_runs(1);
        setting.assert_runs(0);
    }
}

#[test]
fn an_image_that_the_host_has_under_another_name_gets_this_one_too() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-name", 1);
        setting.push(0, &[]).unwrap();
        let other = format!("{}:other", setting.world.project.name);
        lab::docker_ok(host, &["tag", &setting.tags[0], &other]);
        lab::docker_ok(host, &["rmi", &setting.tags[0]]);
        assert_eq!(setting.push_beside(0, vec![other.clone()]).unwrap().sent, Some(0), "to {host}");
        assert_eq!(setting.proxy.loads(), 1, "to {host}");
        setting.assert_runs(0);
        lab::docker(host, &["rmi", "-f", &other]);
    }
}

#[test]
fn all_layers_are_sent_when_the_host_turns_out_to_lack_them() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-all", 2);
        setting.push(0, &[]).unwrap();
        let similar = setting.tags[0].clone();
        // The host loses the layers after they were seen.
        setting.proxy.misbehave(Fault::Before(Box::new(move || {
            lab::docker_ok(host, &["rmi", "-f", &similar]);
        })));
        let sent = setting.push(1, &[0]).unwrap().sent.unwrap();
        assert!(sent > BIG as u64, "{sent} bytes to {host}");
        let logs = setting.logs();
        assert!(logs.iter().any(|line| line.contains("refused the partial image")), "{logs:?}");
        setting.assert_runs(1);
    }
}

#[test]
fn layers_that_came_from_a_registry_are_not_sent_again() {
    for host in HOSTS {
        let mut setting = Setting::on(host, "push-form", 2);
        let tag = setting.tags[0].clone();
        let pulled = publish(&mut setting.world, &tag, &lab::says("registry"), None);
        lab::docker_ok(host, &["pull", &pulled]);
        lab::docker_ok(host, &["tag", &pulled, &tag]);
        let sent = setting.push(1, &[0]).unwrap().sent.unwrap();
        assert!(sent < 3 * SMALL as u64, "{sent} bytes to {host}");
        setting.assert_runs(1);
        lab::docker(host, &["rmi", "-f", &pulled]);
    }
}

#[test]
fn a_push_that_is_cut_leaves_nothing_and_can_be_repeated() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-cut", 1);
        setting.proxy.misbehave(Fault::CutAfter(BIG / 2));
        let failure = setting.push(0, &[]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
        let tag = &setting.tags[0];
        let found = setting.world.engine(async |docker| docker.inspect_image(tag).await.unwrap());
        let left = lab::docker_ok(host, &["images", "-a", "--no-trunc"]);
        let name = tag.split(':').next().unwrap();
        assert!(!left.contains(name) && !left.contains(&found.id.unwrap()), "{left}");
        assert!(setting.push(0, &[]).unwrap().sent.unwrap() > BIG as u64);
        setting.assert_runs(0);
    }
}

#[test]
fn a_connection_that_died_since_it_was_used_is_opened_again() {
    for host in HOSTS {
        let setting = Setting::on(host, "push-again", 2);
        setting.push(0, &[]).unwrap();
        setting.proxy.misbehave(Fault::CutAfter(BIG / 2));
        setting.push(1, &[]).unwrap();
        assert_eq!(setting.proxy.loads(), 3, "the first image, the second, and the second once more");
        setting.assert_runs(1);
    }
}

#[test]
fn an_image_that_is_not_here_is_named() {
    let [host, _] = HOSTS;
    let mut setting = Setting::on(host, "push-none", 0);
    setting.tags.push("cpt-no-such-image:3".into());
    let failure = setting.push(0, &[]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("`cpt-no-such-image:3` is not on this machine"), "{failure}");
    assert!(!setting.on_host(0));
}

#[test]
fn of_images_that_share_layers_one_is_looked_at() {
    let setting = Setting::on(HOSTS[0], "ssh-looks", 4);
    let config: Config = serde_json::from_value(json!({ "socket": setting.proxy.path() })).unwrap();
    let requests = || spent(&Host::new(HOSTS[0], Host::LOCAL), &config).map_or(0, |spent| spent.requests);
    setting.push(0, &[]).unwrap();
    setting.push(1, &[0]).unwrap();
    let before = requests();
    setting.push(2, &[0]).unwrap();
    let with_one = requests() - before;
    setting.push(3, &[0, 1, 2]).unwrap();
    assert_eq!(requests() - before - with_one, with_one);
}

#[test]
fn images_are_listed_again_where_one_was_removed_meanwhile() {
    let setting = Setting::on(HOSTS[0], "ssh-list", 0);
    let look = || {
        let emit = setting.world.context();
        let config = json!({ "socket": setting.proxy.path() });
        let cx =
            Context::new(config, std::sync::Arc::new(move |e| emit.emit(e)), setting.world.cancel.clone());
        let host = Host::new("ssh-list", Host::LOCAL).into();
        let project = setting.world.project.clone().into();
        Deployer.observe(&cx, &Observe { host, project, connects: false, releases: false, checks: None })
    };
    let gone = "failed to calculate size of image a:1: content digest sha256:0: not found";
    setting.proxy.misbehave(Fault::Instead(gone));
    look().unwrap();
    setting.proxy.misbehave(Fault::Instead("the disk is on fire"));
    assert!(look().unwrap_err().to_string().contains("the disk is on fire"));
}
