//! Tests of the units of services. Pure.

use cloudpad_plugin_api::model::{Check, Health, SecretRef, Volume};
use proptest::prelude::*;

use super::*;
use crate::unit::{text, values};

fn read(value: &str) -> Vec<String> {
    crate::systemd::read(value, "shop.web.1a", "7")
}

fn shop() -> Project {
    Project { name: "shop".to_owned(), environment: None }
}

fn unit_of(spec: &ContainerSpec, change: impl FnOnce(&mut Wanted<'_>)) -> Result<Template, Vec<Cannot>> {
    let (project, place) = (shop(), Place { roles: vec!["web".to_owned()], ..Place::default() });
    let mut wanted = Wanted {
        project: &project,
        service: "web",
        spec,
        image: "registry:5000/shop.web@sha256:1a",
        place: &place,
        is_everywhere: false,
        is_spread: false,
    };
    change(&mut wanted);
    template(&wanted)
}

#[test]
fn a_service_as_its_unit() {
    let spec = ContainerSpec {
        command: Some(vec!["serve".to_owned(), "100%".to_owned()]),
        env: [("GREETING".to_owned(), "hello $you \"all\"\nand more".to_owned())].into(),
        volumes: vec![Volume { source: "shop.data".to_owned(), target: "/data".to_owned(), read_only: true }],
        networks: vec!["shop.default".to_owned()],
        stop_timeout: 10,
        stop_signal: Some("SIGQUIT".to_owned()),
        cpu_millis: Some(1500),
        memory: Some(1 << 20),
        ..ContainerSpec::default()
    };
    let unit = unit_of(&spec, |_| {}).unwrap();
    let expected = r#"[Unit]
Description=web of shop
Wants=docker.service
After=docker.service

[Service]
ExecStartPre=-/bin/sh -c "exec docker rm --force \"$$0\" >/dev/null 2>&1" %p.%i
ExecStartPre=/bin/sh -c "docker image inspect \"$$0\" >/dev/null 2>&1 || exec docker pull \"$$0\" >/dev/null" registry:5000/shop.web@sha256:1a
ExecStartPre=-/bin/sh -c "exec docker network create \"$$0\" >/dev/null 2>&1" shop.default
ExecStart=/usr/bin/env docker run --rm --name=%p.%i --label=cloudpad.instance=%i --label=cloudpad.project=shop --label=cloudpad.environment= --label=cloudpad.service=web "--env=GREETING=hello $$you \"all\"\nand more" --volume=shop.data:/data:ro --network=shop.default --network-alias=web --stop-signal=SIGQUIT --cpus=1.500 --memory=1048576b registry:5000/shop.web@sha256:1a serve "100%%"
ExecStop=-/bin/sh -c "docker stop -t 10 \"$$0\" >/dev/null 2>&1; while kill -0 \"$$MAINPID\" 2>/dev/null; do sleep 0.1; done" %p.%i
ExecStopPost=-/bin/sh -c "docker stop -t 10 \"$$0\" >/dev/null 2>&1" %p.%i
ExecStopPost=-/bin/sh -c "exec docker network rm \"$$0\" >/dev/null 2>&1" shop.default
SyslogIdentifier=shop
TimeoutStartSec=0
TimeoutStopSec=20
KillSignal=SIGKILL
Restart=always
RestartSec=3
SuccessExitStatus=143

[X-Fleet]
MachineMetadata=role=web
"#;
    assert_eq!(text(&unit.options), expected);
    assert_eq!((unit.hash.len(), unit.digest.len()), (40, 10));
}

#[test]
fn units_that_cannot_share_a_machine_say_so() {
    let conflicts = |spec: &ContainerSpec, change: fn(&mut Wanted<'_>)| {
        let unit = unit_of(spec, change).unwrap();
        let found: Vec<String> = values(&unit.options, "X-Fleet", "Conflicts")
            .into_iter()
            .map(|c| c.replace(&unit.digest, "DIGEST"))
            .collect();
        found
    };
    let plain = ContainerSpec::default();
    let port = Port { host_ip: None, published: 80, target: 8080, protocol: Protocol::Tcp };
    let published = ContainerSpec { ports: vec![port], ..ContainerSpec::default() };
    assert_eq!(conflicts(&plain, |_| {}), [""; 0]);
    assert_eq!(conflicts(&plain, |wanted| wanted.is_spread = true), ["shop.web.DIGEST@*.service"]);
    assert_eq!(conflicts(&published, |_| {}), ["shop.web.*@*.service"]);
    assert_eq!(conflicts(&published, |wanted| wanted.is_everywhere = true), [""; 0]);
    let unit = unit_of(&plain, |wanted| wanted.is_everywhere = true).unwrap();
    assert_eq!(values(&unit.options, "X-Fleet", "Global"), ["true"]);
}

#[test]
fn another_text_is_another_unit() {
    let digest = |spec: &ContainerSpec, change: fn(&mut Wanted<'_>)| unit_of(spec, change).unwrap().digest;
    let plain = digest(&ContainerSpec::default(), |_| {});
    assert_eq!(plain, digest(&ContainerSpec::default(), |_| {}));
    assert_ne!(plain, digest(&ContainerSpec::default(), |wanted| wanted.is_spread = true));
    assert_ne!(plain, digest(&ContainerSpec::default(), |wanted| wanted.image = "other"));
    assert_ne!(plain, digest(&ContainerSpec { stop_timeout: 9, ..ContainerSpec::default() }, |_| {}));
}

#[test]
fn what_cannot_be_is_told_all_at_once() {
    let spec = ContainerSpec {
        secrets: [("PASSWORD".to_owned(), SecretRef { name: "db".to_owned(), ..SecretRef::default() })]
            .into(),
        networks: vec!["a".to_owned(), "b".to_owned()],
        volumes: vec![Volume { source: "a:b".to_owned(), target: "/c".to_owned(), read_only: false }],
        env: [("LONG".to_owned(), "x".repeat(3000))].into(),
        ..ContainerSpec::default()
    };
    let odd = Place { roles: vec!["we b".to_owned()], ..Place::default() };
    let cannots = {
        let project = shop();
        let wanted = Wanted {
            project: &project,
            service: "web",
            spec: &spec,
            image: "i",
            place: &odd,
            is_everywhere: false,
            is_spread: false,
        };
        template(&wanted).unwrap_err()
    };
    let keys: Vec<&str> = cannots.iter().map(|cannot| cannot.key).collect();
    assert_eq!(keys, ["secrets", "networks", "volumes", "roles", ""]);
    assert!(cannots[4].message.contains("--env=LONG=xxx"), "{}", cannots[4].message);
}

#[test]
fn every_check_has_a_probe() {
    for check in [
        Check::Command { command: vec!["true".to_owned()] },
        Check::Image,
        Check::Tcp { port: 80 },
        Check::Http { port: 80, path: "/up?a=%20".to_owned() },
    ] {
        let health = Some(Health { check, interval_ms: 500, timeout_ms: 2000, retries: 3 });
        let unit = unit_of(&ContainerSpec { health, ..ContainerSpec::default() }, |_| {}).unwrap();
        let post = values(&unit.options, "Service", "ExecStartPost");
        let words = read(post[0]);
        assert_eq!(
            (&words[..2], &words[3]),
            (&["/bin/sh".to_owned(), "-c".to_owned()][..], &"shop.web.1a.7".to_owned())
        );
        assert!(
            words[2].contains("kill -0 \"$MAINPID\"") && words[2].contains("sleep 0.500"),
            "{}",
            words[2]
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn docker_gets_what_the_service_says(
        env in prop::collection::btree_map("[A-Z]{1,8}", "[^\0]{0,200}", 0..30),
        command in prop::collection::vec("[^\0]{0,60}", 0..30),
    ) {
        let spec = ContainerSpec { env: env.clone(), command: Some(command.clone()), ..ContainerSpec::default() };
        let unit = unit_of(&spec, |_| {}).unwrap();
        let words = read(values(&unit.options, "Service", "ExecStart")[0]);
        prop_assert_eq!(&words[..5], &["/usr/bin/env", "docker", "run", "--rm", "--name=shop.web.1a.7"]);
        let told: Vec<String> = env.iter().map(|(name, value)| format!("--env={name}={value}")).collect();
        let seen: Vec<String> = words.iter().filter(|word| word.starts_with("--env=")).take(told.len()).cloned().collect();
        prop_assert_eq!(seen, told);
        prop_assert_eq!(&words[words.len() - command.len()..], &command[..]);
    }
}
