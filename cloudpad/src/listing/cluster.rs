//! What a cluster runs, and the releases that it remembers. Pure.

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::cluster::{self, Observation, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::State;

use super::{Name, Row, Shown};
use crate::words::{columns, time};

/// Lists the instances of a cluster as those of hosts: its nodes are the hosts. One of those that are on each node is the first there.
pub fn rows(seen: &Observation, shown: &Shown<'_>) -> Vec<Row> {
    let of = |service: &'_ Seen| service.instances.iter().map(|one| row(service, one)).collect::<Vec<_>>();
    let mut rows: Vec<Row> = seen.services.iter().flat_map(of).collect();
    rows.retain(|row| match &row.instance {
        Name::Instance(instance) => (shown.instances)(instance),
        Name::OneOff(_) => false,
    });
    rows.sort_by(|one, other| (&one.instance, &one.host).cmp(&(&other.instance, &other.host)));
    rows
}

fn row(service: &Seen, instance: &cluster::Instance) -> Row {
    // What it is of another time is not told.
    let is_it = instance.id == service.id;
    let spec = service.service.as_ref().map(|service| &service.spec).filter(|_| is_it);
    let status = instance.status.clone();
    let (lasting, reason) = match instance.state {
        State::Running => (status, None),
        _ => (String::new(), Some(status).filter(|status| !status.is_empty())),
    };
    Row {
        instance: Name::Instance(Instance {
            service: service.name.clone(),
            number: instance.number.unwrap_or(1),
        }),
        host: instance.node.clone(),
        state: instance.state,
        healthy: match instance.state {
            State::Unhealthy => Some(false),
            _ => instance.healthy.then_some(true),
        },
        reason,
        lasting,
        exit_code: None,
        image: if is_it { image(service) } else { String::new() },
        release: if is_it { service.release.clone() } else { String::new() },
        ports: spec.filter(|_| instance.state.is_up()).map(|spec| spec.ports.clone()).unwrap_or_default(),
        routes: Vec::new(),
        container: String::new(),
    }
}

/// What it is made from, as plans call it; of a service that others have changed what nodes have.
fn image(service: &Seen) -> String {
    let applied = service.service.as_ref().filter(|_| !service.id.is_empty());
    applied.map_or_else(|| service.image.clone(), |applied| applied.spec.image.clone())
}

/// What there is to say of services that are meant.
pub fn about_services(seen: &Observation, is_meant: &dyn Fn(&str) -> bool) -> Vec<String> {
    seen.services.iter().filter(|service| is_meant(&service.name)).filter_map(about).collect()
}

fn about(service: &Seen) -> Option<String> {
    let up = service.instances.iter().filter(|instance| instance.state == State::Running).count();
    let (name, message) = (&service.name, &service.message);
    match service.rollout {
        Rollout::Updating => Some(format!("`{name}` is being updated: {message}")),
        Rollout::Paused => Some(format!("the update of `{name}` has stopped: {message}")),
        Rollout::RolledBack => Some(format!("the last update of `{name}` was taken back: {message}")),
        Rollout::Settled => (up < service.wanted as usize)
            .then(|| format!("{up} of {} instances of `{name}` run", service.wanted)),
    }
}

/// The releases that a cluster remembers, newest first.
pub fn releases(seen: &Observation) -> String {
    let mut rows = vec![["RELEASE", "TIME", "BY", "COMMAND", "CHANGED"].map(str::to_owned)];
    rows.extend(seen.releases.iter().flatten().rev().map(|release| {
        let about = &release.about;
        let command = match &about.restores {
            Some(id) => format!("{} to {id}", about.command),
            None => about.command.clone(),
        };
        let stamp = time(release.id.get(..16).unwrap_or_default());
        [release.id.clone(), stamp, about.by.clone(), command, release.changed.join(", ")]
    }));
    columns(&rows)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::model::{ContainerSpec, Port, Protocol};
    use cloudpad_plugin_api::stage::cluster::{Order, Place, Release, Scale, Service, Update};

    use super::*;

    fn instance(number: Option<u32>, node: &str, state: State, id: &str) -> cluster::Instance {
        let (node, id, status) = (node.to_owned(), id.to_owned(), "2 minutes".to_owned());
        cluster::Instance { number, node, state, id, healthy: false, status }
    }

    /// A service that is to be `id`, with these instances.
    fn service(name: &str, id: &str, instances: Vec<cluster::Instance>) -> Seen {
        let port = Port { host_ip: None, published: 80, target: 8080, protocol: Protocol::Tcp };
        let spec =
            ContainerSpec { image: "shop.web:1".into(), ports: vec![port], ..ContainerSpec::default() };
        let update =
            Update { batch: 1, order: Order::StartFirst, settle_ms: 0, ready_within_ms: 1, rollback: true };
        let (scale, place) = (Scale::Replicas(2), Place::default());
        Seen {
            name: name.to_owned(),
            id: id.to_owned(),
            release: "r1".into(),
            image: "r/web@sha256:1".into(),
            wanted: u32::try_from(instances.len()).unwrap(),
            service: Some(Arc::new(Service { name: name.into(), spec: spec.into(), scale, place, update })),
            instances,
            ..Seen::default()
        }
    }

    fn listed(services: Vec<Seen>, instances: &dyn Fn(&Instance) -> bool) -> Vec<Row> {
        let seen = Observation { services, ..Observation::default() };
        rows(&seen, &Shown { hosts: &|_| true, instances, one_offs: &|_| true })
    }

    #[test]
    fn an_instance_is_listed_as_what_it_is_now_and_where() {
        let mut well = instance(Some(2), "n1", State::Running, "new");
        well.healthy = true;
        let all = vec![
            well,
            instance(Some(1), "n2", State::Starting, "new"),
            instance(None, "n9", State::Unhealthy, "another"),
        ];
        let rows = listed(vec![service("web", "new", all)], &|_| true);
        let told: Vec<_> = rows
            .iter()
            .map(|row| {
                let words = (&*row.image, &*row.release, &*row.lasting, row.reason.as_deref());
                (row.instance.to_string(), &*row.host, row.healthy, words, row.ports.len())
            })
            .collect();
        let web = |number| format!("web.{number}");
        let expected = [
            (web(1), "n2", None, ("shop.web:1", "r1", "", Some("2 minutes")), 1),
            (web(1), "n9", Some(false), ("", "", "", Some("2 minutes")), 0),
            (web(2), "n1", Some(true), ("shop.web:1", "r1", "2 minutes", None), 1),
        ];
        assert_eq!(told, expected);
        // What others have made of it has the image that nodes have; what has ended listens nowhere.
        let all = vec![instance(Some(1), "n1", State::Stopped, "")];
        let row = listed(vec![service("web", "", all)], &|_| true).remove(0);
        assert_eq!((&*row.image, row.ports.len()), ("r/web@sha256:1", 0));
    }

    #[test]
    fn only_what_is_meant_is_listed_and_told() {
        let up = |number| instance(Some(number), "n1", State::Running, "new");
        let services = || {
            let mut down = service("db", "new", vec![instance(Some(1), "n1", State::Stopped, "new")]);
            down.wanted = 2;
            vec![service("web", "new", vec![up(1), up(2)]), down]
        };
        let rows = listed(services(), &|one| one.service == "web" && one.number == 2);
        assert_eq!(rows.iter().map(|row| row.instance.to_string()).collect::<Vec<_>>(), ["web.2"]);
        let seen = Observation { services: services(), ..Observation::default() };
        assert_eq!(about_services(&seen, &|_| true), ["0 of 2 instances of `db` run"]);
        assert_eq!(about_services(&seen, &|name| name == "web"), [""; 0]);
    }

    #[test]
    fn an_update_that_is_under_way_or_was_given_up_is_told() {
        for (rollout, expected) in [
            (Rollout::Updating, Some("`web` is being updated: so far")),
            (Rollout::Paused, Some("the update of `web` has stopped: so far")),
            (Rollout::RolledBack, Some("the last update of `web` was taken back: so far")),
            (Rollout::Settled, None),
        ] {
            let seen = Seen { rollout, message: "so far".into(), ..service("web", "new", Vec::new()) };
            assert_eq!(about(&seen).as_deref(), expected);
        }
    }

    #[test]
    fn releases_are_listed_newest_first_with_what_they_went_back_to() {
        let release = |id: &str, restores: Option<&str>| {
            let mut release = Release { id: id.into(), changed: vec!["web".into()], ..Release::default() };
            let about = Arc::make_mut(&mut release.about);
            (about.command, about.restores) = ("deploy".into(), restores.map(str::to_owned));
            release
        };
        let all = vec![release("20260131T120000Z", None), release("20260131T130000Z-a", Some("r1"))];
        let told = releases(&Observation { releases: Some(all), ..Observation::default() });
        let lines: Vec<_> = told.lines().collect();
        assert!(lines[1].starts_with("20260131T130000Z-a  2026-01-31 13:00:00 UTC"), "{told}");
        assert!(lines[1].ends_with("deploy to r1  web") && lines[2].ends_with("deploy        web"), "{told}");
    }
}
