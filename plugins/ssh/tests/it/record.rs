//! What a host remembers of releases.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::VolumeCreateRequest;
use cloudpad_plugin_api::model::{ContainerSpec, Project, label};
use cloudpad_plugin_api::stage::deploy::{About, Deploy, Observation, Observe, Record, Release};
use cloudpad_ssh::Deployer;

use crate::world::World;

fn release(id: &str, by: &str) -> Release {
    Release {
        id: id.to_owned(),
        about: About { by: by.to_owned(), ..About::default() }.into(),
        first: false,
        changed: Vec::new(),
        containers: Vec::new(),
        ..Release::default()
    }
}

fn record(world: &World, project: &Project, release: Option<Release>, forget: &[&str]) {
    let (host, project) = (world.host.clone(), Arc::new(project.clone()));
    let forget = forget.iter().map(|id| (*id).to_owned()).collect();
    let request = Record { host, project, release: release.map(Arc::new), forget };
    Deployer.record(&world.context(), &request).unwrap();
}

fn look(world: &World, project: &Project) -> Observation {
    let (host, project) = (world.host.clone(), Arc::new(project.clone()));
    let request = Observe { host, project, connects: false, releases: true, checks: None };
    Deployer.observe(&world.context(), &request).unwrap()
}

fn remembered(world: &World, project: &Project) -> Vec<(String, String)> {
    let seen = look(world, project);
    seen.releases.unwrap().into_iter().map(|release| (release.id, release.about.by.clone())).collect()
}

#[test]
fn a_host_remembers_releases_until_they_are_to_be_forgotten() {
    let world = World::new("record");
    let ours = world.project.clone();
    let staging = Project { environment: Some("staging".to_owned()), ..ours.clone() };
    let known = |all: &[(&str, &str)]| {
        all.iter().map(|(id, by)| (id.to_string(), by.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(world.observe().releases, None, "nobody has asked");
    assert_eq!(remembered(&world, &ours), []);
    record(&world, &ours, Some(release("2", "anna")), &[]);
    record(&world, &ours, Some(release("2", "anna")), &[]);
    record(&world, &ours, Some(release("1", "anna")), &[]);
    record(&world, &staging, Some(release("1", "ben")), &[]);
    assert_eq!(remembered(&world, &ours), known(&[("1", "anna"), ("2", "anna")]));
    assert_eq!(remembered(&world, &staging), known(&[("1", "ben")]));
    record(&world, &ours, Some(release("2", "carl")), &["1"]);
    record(&world, &ours, None, &["1"]);
    assert_eq!(remembered(&world, &ours), known(&[("2", "carl")]), "the last that was said of it counts");
    assert_eq!(remembered(&world, &staging), known(&[("1", "ben")]));

    // A volume of the project's own is no release.
    let labels = HashMap::from([(label::PROJECT.to_owned(), ours.name.clone())]);
    let own =
        VolumeCreateRequest { name: Some(ours.own("data")), labels: Some(labels), ..Default::default() };
    world.engine(async |docker| docker.create_volume(own).await).unwrap();
    assert_eq!(remembered(&world, &ours), known(&[("2", "carl")]));
}

#[test]
fn a_look_tells_which_images_other_environments_need() {
    let world = World::new("shared");
    let ours = world.project.clone();
    let staging = Project { environment: Some("staging".to_owned()), ..ours.clone() };
    world.run("web", world.script("exec sleep 600"));
    let spec = ContainerSpec { image: "shop.web:old".to_owned(), ..Default::default() };
    let specs = [("1".to_owned(), Arc::new(spec))].into();
    record(&world, &ours, Some(Release { specs, ..release("1", "anna") }), &[]);
    assert_eq!(look(&world, &ours).needed_elsewhere, [""; 0]);
    assert_eq!(look(&world, &staging).needed_elsewhere, [world.image.clone(), "shop.web:old".to_owned()]);
}
