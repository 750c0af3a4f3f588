//! Private keys are on a host for as long as a route needs them.

use std::process::Command;

use cloudpad_plugin_api::Secret;
use cloudpad_plugin_api::stage::deploy::{Deploy, Record};
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_ssh::Deployer;
use serde_json::json;

use super::{clean, route_as, rule, serve, usual, world};
use crate::lab;
use crate::world::World;

/// Another certificate closes connections of its proxy, on which no other test relies.
const HOST: &str = "h2";

/// A certificate and its key, in PEM.
fn certificate(name: &str) -> [String; 2] {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-out", "-", "-keyout", "-"])
        .args(["-subj", &format!("/CN={name}")])
        .output()
        .expect("`openssl` does not start");
    let text = String::from_utf8(made.stdout).unwrap();
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    [certificate.to_owned(), key.to_owned()]
}

/// Has the service's route take this certificate.
fn take(world: &World, container: &str, mark: &str, [certificate, key]: &[String; 2]) -> bool {
    let secret = |name: &str| json!({ "name": name, "mark": mark });
    let tls = json!({ "tls": { "type": "own", "certificate": secret("CERT"), "key": secret("KEY") } });
    let values = [("CERT", certificate), ("KEY", key)]
        .map(|(name, value)| (name.to_owned(), Secret::from(value.clone())));
    let cx = world.context().with_secrets(Values(values.into()));
    route_as(&cx, world, usual(), Some(rule(world, tls)), &[container], &[]).is_ok()
}

fn record(world: &World) {
    let (host, project) = (world.host.clone(), world.project.clone().into());
    Deployer.record(&world.context(), &Record { host, project, release: None, forget: Vec::new() }).unwrap();
}

fn is_there(key: &str) -> bool {
    let middle = key.lines().nth(5).expect("a key has lines");
    lab::docker_ok(HOST, &["cp", "cloudpad-router:/data/cloudpad", "-"]).contains(middle)
}

#[test]
fn a_key_that_no_route_needs_any_more_is_made_away_with() {
    let _alone = super::h2();
    let world = world("route-keys", HOST);
    let container = serve(&world, "one");
    let [one, two, three] = ["one", "two", "three"].map(certificate);
    assert!(take(&world, &container, "01", &one));
    record(&world);
    assert!(take(&world, &container, "02", &two));
    assert!(is_there(&one[1]) && is_there(&two[1]), "the deploy may go back to the first");
    let broken = ["no certificate".to_owned(), three[1].clone()];
    assert!(!take(&world, &container, "03", &broken));
    assert!(!is_there(&three[1]), "it was refused");
    assert!(is_there(&one[1]) && is_there(&two[1]));
    record(&world);
    assert!(!is_there(&one[1]) && is_there(&two[1]));
    clean(&world, &[&container]);
    record(&world);
    assert!(!is_there(&two[1]));
}
