//! The life of a container: made, started, stopped, started again, removed.

use cloudpad_plugin_api::model::{Check, Port, Restart};
use cloudpad_plugin_api::stage::deploy::State;
use cloudpad_plugin_api::{Event, Level};

use crate::world::{World, health};

#[test]
fn a_container_goes_through_its_life_and_every_step_can_be_repeated() {
    let world = World::new("life");
    let request = world.start_request("web", world.script("echo hello; exec sleep 600"));
    let name = &request.container;

    let first = world.start(&request).unwrap();
    let again = world.start(&request).unwrap();
    assert!(first.created && !again.created && first.id == again.id);
    assert_eq!(world.ready(name, None).unwrap().tries, 1);

    let seen = world.observe();
    assert_eq!(seen.containers.len(), 1);
    let container = &seen.containers[0];
    assert_eq!((&container.id, &container.name), (&first.id, name));
    assert_eq!((&container.instance, &*container.release), (&request.instance, "r1"));
    assert_eq!((container.spec.as_ref(), container.state), (Some(&request.spec), State::Running));
    assert!(seen.images.contains(&world.image));

    world.stop(name).unwrap();
    world.stop(name).unwrap();
    assert_eq!(world.state(name), Some(State::Stopped));
    let revived = world.start(&request).unwrap();
    assert!(!revived.created && revived.id == first.id);
    assert_eq!(world.state(name), Some(State::Running));

    world.stop(name).unwrap();
    world.remove(&[name], &[]).unwrap();
    world.remove(&[name], &[]).unwrap();
    assert_eq!(world.state(name), None);
}

#[test]
fn a_look_names_the_engine_and_the_ports_that_others_hold() {
    let world = World::new("ports");
    let mut spec = world.script("exec sleep 600");
    spec.ports = vec![Port {
        host_ip: Some("127.0.0.1".into()),
        published: 18_471,
        target: 80,
        protocol: Default::default(),
    }];
    let name = world.run("web", spec);
    let stranger = World::new("stranger");
    let seen = stranger.observe();
    assert!(seen.containers.is_empty(), "another project's are not told");
    assert!(
        seen.ports.iter().any(|p| p.published == 18_471
            && p.container == name
            && p.host_ip.as_deref() == Some("127.0.0.1"))
    );
    assert!(seen.engine.api.starts_with("1.") && seen.engine.platform.starts_with("linux/"));
}

#[test]
fn two_environments_do_not_see_each_other() {
    let mut world = World::new("env");
    let name = world.run("web", world.script("exec sleep 600"));
    world.project.environment = Some("staging".into());
    assert_eq!(world.state(&name), None);
    assert!(world.stop(&name).is_err());
    world.project.environment = None;
    assert_eq!(world.state(&name), Some(State::Running));
}

#[test]
fn a_container_joins_all_its_networks_under_its_services_name() {
    let world = World::new("nets");
    let mut spec = world.script("exec sleep 600");
    spec.networks = ["front", "back"].map(|n| format!("{}-{n}", world.project.name)).to_vec();
    let name = world.run("web", spec.clone());
    let found = world.engine(async |docker| docker.inspect_container(&name, None).await.unwrap());
    let networks = found.network_settings.unwrap().networks.unwrap();
    for network in &spec.networks {
        assert!(networks[network].aliases.as_ref().unwrap().contains(&"web".to_owned()), "{network}");
    }
    world.run("db", spec.clone());
    let filters = [("name", spec.networks.clone())].into();
    let options = bollard::query_parameters::ListNetworksOptionsBuilder::new().filters(&filters).build();
    let made = world.engine(async |docker| docker.list_networks(Some(options)).await.unwrap());
    assert_eq!(made.len(), 2, "each network is made once");
}

#[test]
fn a_kept_container_whose_networks_are_gone_is_made_again() {
    let world = World::new("pruned");
    for (service, number, check) in [("web", 1, false), ("db", 2, false), ("api", 2, true)] {
        let mut spec = world.script("exec httpd -f -p 8080 -h /www");
        spec.networks = (0..number).map(|n| format!("{}-{service}-{n}", world.project.name)).collect();
        spec.health = health(Check::Tcp { port: 8080 }).filter(|_| check);
        let request = world.start_request(service, spec);
        let old = world.start(&request).unwrap();
        world.stop(&request.container).unwrap();
        world.engine(async |docker| {
            for network in &request.spec.networks {
                docker.remove_network(network).await.unwrap();
            }
        });
        let new = world.start(&request).unwrap();
        assert!(new.created && new.id != old.id, "{service}");
        world.ready(&request.container, request.spec.health.clone()).unwrap();
        assert_eq!(world.state(&request.container), Some(State::Running));
        let again = world.start(&request).unwrap();
        assert_eq!((again.created, again.id), (false, new.id));
    }
}

#[test]
fn a_stopped_container_stays_stopped_whatever_its_restart_policy() {
    let world = World::new("always");
    let mut spec = world.script("exec sleep 600");
    spec.restart = Restart::Always;
    let name = world.run("web", spec);
    world.stop(&name).unwrap();
    let found = world.engine(async |docker| docker.inspect_container(&name, None).await.unwrap());
    let policy = found.host_config.unwrap().restart_policy.unwrap().name.unwrap().to_string();
    assert_ne!(policy, "always", "the engine would start it again");
}

#[test]
fn an_image_in_use_is_left_and_one_that_is_gone_is_fine() {
    let world = World::new("images");
    let name = world.run("web", world.script("exec sleep 600"));
    world.remove(&[], &[&world.image, "cpt-no-such-image:1"]).unwrap();
    assert!(world.observe().images.contains(&world.image));
    world.stop(&name).unwrap();
    world.remove(&[&name], &[&world.image]).unwrap();
    assert!(!world.observe().images.contains(&world.image));
}

#[test]
fn one_that_does_not_heed_its_stop_signal_is_told_of() {
    let world = World::new("deaf");
    // The first process of a container does not get a signal that it has no handler for.
    let mut deaf = world.script("echo x > /flag; exec sleep 600");
    deaf.stop_signal = Some("SIGINT".into());
    let heeds = world.script("trap 'exit 0' TERM; echo x > /flag; sleep 600 & wait");
    for (service, mut spec) in [("deaf", deaf), ("heeds", heeds)] {
        spec.health = health(Check::Command { command: ["cat", "/flag"].map(str::to_owned).to_vec() });
        let name = world.run(service, spec.clone());
        world.ready(&name, spec.health).unwrap();
        world.stop(&name).unwrap();
    }
    let events = world.events.lock().unwrap();
    let warnings: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Log { level: Level::Warn, message } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    let name = format!("{}-deaf-1", world.project.name);
    let expected = format!(
        "container `{name}` did not end at SIGINT within 1 s and was killed; see the service's `stop_signal` and `stop_timeout`"
    );
    assert_eq!(warnings, [expected]);
}
