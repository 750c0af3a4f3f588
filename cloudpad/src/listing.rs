//! What runs, as `cloudpad ps` lists it. Pure.

pub mod hosts;
pub mod secrets;

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::deploy::{Container, State};
use serde::Serialize;

use crate::observed::{HostState, Observed};
use crate::words::columns;

/// A container that runs, or the last one of an instance of which none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The service and number.
    pub instance: String,
    /// The host.
    pub host: String,
    /// What it does.
    pub state: State,
    /// The image, as far as it is known.
    pub image: String,
    /// The release that made it.
    pub release: String,
    /// The container's name.
    pub container: String,
}

/// Lists what runs of these services on these hosts, as far as they were seen, by instance and host.
pub fn rows(observed: &Observed, hosts: &dyn Fn(&str) -> bool, services: &dyn Fn(&str) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (host, state) in observed.hosts.iter().filter(|(host, _)| hosts(host)) {
        let HostState::Seen(seen) = state else { continue };
        let ours = seen.containers.iter().filter(|c| services(&c.instance.service));
        let shown = ours.filter(|c| c.state.is_up() || is_last(c, &seen.containers));
        rows.extend(shown.map(|c| (c.instance.clone(), row(host, c))));
    }
    rows.sort_by(|(a, left), (b, right)| (a, &left.host).cmp(&(b, &right.host)));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Whether `container` is the newest of its instance on its host, and none of them runs.
fn is_last(container: &Container, all: &[Container]) -> bool {
    let same = |instance: &Instance| *instance == container.instance;
    let mut siblings = all.iter().filter(|c| same(&c.instance));
    siblings.all(|c| !c.state.is_up() && (c.created, &c.name) <= (container.created, &container.name))
}

fn row(host: &str, container: &Container) -> Row {
    Row {
        instance: container.instance.to_string(),
        host: host.to_owned(),
        state: container.state,
        image: container.spec.as_ref().map(|spec| spec.image.clone()).unwrap_or_default(),
        release: container.release.clone(),
        container: container.name.clone(),
    }
}

/// Rows as a table with a heading.
pub fn table(rows: &[Row]) -> String {
    let heading = ["INSTANCE", "HOST", "STATE", "IMAGE", "RELEASE", "CONTAINER"].map(str::to_owned);
    let cells: Vec<[String; 6]> = std::iter::once(heading).chain(rows.iter().map(cells)).collect();
    columns(&cells)
}

fn cells(row: &Row) -> [String; 6] {
    let state = match row.state {
        State::Running => "running",
        State::Starting => "starting",
        State::Unhealthy => "unhealthy",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Stopped => "stopped",
        State::Other => "unknown",
    };
    [&row.instance, &row.host, state, &row.image, &row.release, &row.container].map(|cell| cell.to_string())
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::stage::deploy::Observation;

    use super::*;

    fn container(service: &str, number: u32, spec: &str, state: State, created: i64) -> Container {
        Container {
            id: format!("{service}{number}{spec}"),
            name: format!("shop-{service}-{number}-{spec}"),
            instance: Instance { service: service.to_owned(), number },
            release: "r1".to_owned(),
            spec_id: spec.to_owned(),
            spec: None,
            state,
            created,
        }
    }

    #[test]
    fn kept_containers_are_listed_only_where_nothing_runs() {
        let containers = vec![
            container("web", 10, "a", State::Running, 1),
            container("web", 2, "a", State::Stopped, 1),
            container("web", 2, "b", State::Running, 2),
            container("job", 1, "a", State::Stopped, 1),
            container("job", 1, "b", State::Stopped, 2),
        ];
        let seen = HostState::Seen(Observation { containers, ..Observation::default() });
        let observed = Observed { hosts: [("h1".to_owned(), seen)].into(), ..Observed::default() };
        let shown = |rows: &[Row]| table(rows);
        let table = shown(&rows(&observed, &|_| true, &|_| true));
        assert!(rows(&observed, &|host| host != "h1", &|_| true).is_empty());
        assert_eq!(rows(&observed, &|_| true, &|service| service == "job").len(), 1);
        let shown: Vec<_> = table.lines().map(|l| l.split_whitespace().next_back().unwrap()).collect();
        assert_eq!(shown, ["CONTAINER", "shop-job-1-b", "shop-web-2-b", "shop-web-10-a"]);
    }
}
