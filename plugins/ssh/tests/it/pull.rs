//! Hosts of the lab pull from its registries, with the user's credentials where one asks for them.

use std::process::Command;
use std::sync::Arc;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Deploy, ImageRef, Pull, Pulled};
use cloudpad_plugin_api::{Context, Failure, FailureKind};
use cloudpad_ssh::Deployer;
use futures_util::StreamExt;
use serde_json::json;

use crate::lab;
use crate::world::World;

const HOST: &str = "h2";

/// Pushes an image to `registry`, and gives the reference by digest.
pub fn publish(world: &mut World, image: &str, registry: &str, login: Option<DockerCredentials>) -> String {
    let repository = format!("{registry}/{}", world.project.name);
    world.also_remove.push(format!("{repository}:1"));
    world.engine(async |docker| {
        let tag = TagImageOptionsBuilder::new().repo(&repository).tag("1").build();
        docker.tag_image(image, Some(tag)).await.unwrap();
        let options = PushImageOptionsBuilder::new().tag("1").build();
        let mut steps = docker.push_image(&repository, Some(options), login);
        while let Some(step) = steps.next().await {
            step.unwrap();
        }
        let found = docker.inspect_image(image).await.unwrap();
        found.repo_digests.unwrap().into_iter().find(|digest| digest.starts_with(&repository)).unwrap()
    })
}

fn pull(world: &World, image: &str, tag: &str) -> Result<Pulled, Failure> {
    let engine = lab::engine(HOST);
    let cx = Context::new(json!({ "socket": engine.path() }), Arc::new(drop), world.cancel.clone());
    let host = Host::new(HOST, Host::LOCAL).into();
    Deployer.pull(&cx, &Pull { host, image: ImageRef::Known(image.into()), tag: Some(tag.into()) })
}

fn forget(references: &[&str]) {
    for reference in references {
        lab::docker(HOST, &["rmi", "-f", reference]);
    }
}

#[test]
fn a_host_pulls_by_digest_and_finds_the_image_by_its_tag() {
    let mut world = World::new("pull");
    let name = world.image.clone();
    let image = publish(&mut world, &name, &lab::says("registry"), None);
    let first = pull(&world, &image, &world.image).unwrap();
    let again = pull(&world, &image, &world.image).unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(lab::docker_ok(HOST, &["image", "inspect", "-f", "{{.Id}}", &world.image]), first.id);
    forget(&[&image, &world.image]);
}

#[test]
fn an_image_that_the_registry_lacks_is_named() {
    let world = World::new("pullnone");
    let image = format!("{}/{}:9", lab::says("registry"), world.project.name);
    let failure = pull(&world, &image, &world.image).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains(&image), "{failure}");
}

#[test]
fn a_registry_with_an_unknown_authority_is_named_with_what_to_do() {
    let world = World::new("pullca");
    // By the address that hosts know, this machine's engine wants to know whose certificate it is.
    let hosts = String::from_utf8(lab::ssh(HOST, &["cat", "/etc/hosts"]).output().unwrap().stdout).unwrap();
    let line = hosts.lines().find(|line| line.ends_with("registry.lab")).unwrap();
    let registry = format!("{}:5443", line.split_whitespace().next().unwrap());
    let image = ImageRef::Known(format!("{registry}/x:1"));
    let pull = Pull { host: world.host.clone(), image, tag: None };
    let failure = Deployer.pull(&world.context(), &pull).unwrap_err();
    assert_eq!((failure.kind, failure.host.as_deref()), (FailureKind::Failed, Some("here")));
    assert!(failure.message.contains(&format!("`{registry}/x:1`")), "{failure}");
    assert!(failure.hint.unwrap().contains(&format!("`/etc/docker/certs.d/{registry}/ca.crt`")));
}

const AS_CHILD: &str = "CPT_PULL_IMAGE";

/// Credentials come from the user's Docker configuration, and that from the environment, so the pull is
/// done by this program once more, with another environment.
#[test]
fn a_private_registry_is_asked_with_the_users_credentials() {
    if let Ok(image) = std::env::var(AS_CHILD) {
        let world = World::new("pullchild");
        pull(&world, &image, &world.image).unwrap();
        return forget(&[&image, &world.image]);
    }
    let registry = lab::says("registry_tls");
    let (user, password) = (lab::says("registry_user"), lab::says("registry_password"));
    let login = DockerCredentials {
        username: Some(user.clone()),
        password: Some(password.clone()),
        ..Default::default()
    };
    let mut world = World::new("pullauth");
    let name = world.image.clone();
    let image = publish(&mut world, &name, &registry, Some(login));
    let config = tempfile::tempdir().unwrap();
    let as_child = |auths: serde_json::Value| {
        std::fs::write(config.path().join("config.json"), json!({ "auths": auths }).to_string()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "pull::a_private_registry_is_asked_with_the_users_credentials"]);
        let output = child.env("DOCKER_CONFIG", config.path()).env(AS_CHILD, &image).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (pulled, said) = as_child(json!({}));
    assert!(!pulled, "the registry asks for a password");
    for part in
        ["without credentials", &format!("docker login {registry}"), "a user who may pull there", HOST]
    {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let (pulled, said) = as_child(json!({ &registry: { "username": user, "password": password } }));
    assert!(pulled, "{said}");
}
