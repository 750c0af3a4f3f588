//! Which containers a word such as `web` or `web.2` means. Pure.

use std::str::FromStr;

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::deploy::Container;

use crate::config::{Config, nearest};
use crate::inventory::{list, matches};
use crate::observed::{HostState, Observed};
use crate::refusal::Refusal;

/// A service, or one instance of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service's name.
    pub service: String,
    /// The instance's number; none for all of them.
    pub number: Option<u32>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let Some((service, number)) = word.split_once('.') else {
            return Ok(Self { service: word.to_owned(), number: None });
        };
        let number = number.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or("an instance is a service, a dot and a number from 1, such as `web.2`")?;
        Ok(Self { service: service.to_owned(), number: Some(number) })
    }
}

/// How many instances a service is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The service's name.
    pub service: String,
    /// All of them, or those on each host, as the service is deployed.
    pub count: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let parts = word.split_once('=').filter(|(service, _)| !service.is_empty());
        let size = parts.and_then(|(service, count)| Some((service.to_owned(), count.parse().ok()?)));
        let (service, count) = size.ok_or("a size is a service, `=` and a number, such as `web=3`")?;
        Ok(Self { service, count })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.service)?;
        self.number.map_or(Ok(()), |number| write!(f, ".{number}"))
    }
}

impl Target {
    /// Whether this is the instance, or one of those, that is meant.
    pub fn means(&self, instance: &Instance) -> bool {
        instance.service == self.service && self.number.is_none_or(|number| number == instance.number)
    }

    /// The same of a service and a number, where the service that is meant may be a pattern, with `*` and `?`.
    pub fn covers(&self, service: &str, number: u32) -> bool {
        matches(&self.service, service) && self.number.is_none_or(|own| own == number)
    }

    /// Whether that is meant which is called so, such as `web.1`.
    pub fn is_called(&self, name: &str) -> bool {
        name.parse::<Self>().is_ok_and(|named| {
            named.service == self.service && (self.number.is_none() || self.number == named.number)
        })
    }
}

/// Refuses a name that is none of the config's services and is like one of them. Any other may be that of a service that is
/// gone from the config and still runs.
///
/// # Errors
/// The service that was meant.
pub fn not_mistyped(config: &Config, service: &str) -> Result<(), Refusal> {
    let names: Vec<&str> = config.services.keys().map(String::as_str).collect();
    if names.contains(&service) || service.contains(['*', '?']) {
        return Ok(());
    }
    match nearest(service, &names) {
        Some(meant) => {
            Err(Refusal::new(format!("there is no service `{service}`"))
                .hint(format!("did you mean `{meant}`?")))
        }
        None => Ok(()),
    }
}

/// Refuses sizes of which two are of one service.
///
/// # Errors
/// Which service that is.
pub fn one_size_each(sizes: &[Size]) -> Result<(), Refusal> {
    let twice = |at: usize| sizes[..at].iter().any(|size| size.service == sizes[at].service);
    match (0..sizes.len()).find(|at| twice(*at)) {
        Some(at) => Err(Refusal::new(format!("service `{}` is given two sizes", sizes[at].service))
            .hint("say once how many there are to be")),
        None => Ok(()),
    }
}

/// A container on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The host's name.
    pub host: String,
    /// The container.
    pub container: Container,
}

impl Found {
    /// Such as `web.1@h1`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.container.instance, self.host)
    }

    /// Such as `web.1 on h1`.
    pub fn words(&self) -> String {
        format!("{} on {}", self.container.instance, self.host)
    }
}

/// The containers that are meant on these hosts, by instance and host, the newest of an instance first.
pub fn find(observed: &Observed, hosts: &dyn Fn(&str) -> bool, target: &Target) -> Vec<Found> {
    let mut all = Vec::new();
    for (host, state) in observed.hosts.iter().filter(|(host, _)| hosts(host)) {
        let HostState::Seen(seen) = state else { continue };
        let meant = seen.containers.iter().filter(|container| target.means(&container.instance));
        all.extend(meant.map(|container| Found { host: host.clone(), container: container.clone() }));
    }
    let order = |found: &Found| {
        let Container { instance, created, name, .. } = &found.container;
        (instance.clone(), found.host.clone(), std::cmp::Reverse((*created, name.clone())))
    };
    all.sort_by_key(order);
    all
}

/// Those of them that run.
///
/// # Errors
/// None does: why, as far as that was seen.
pub fn running(config: &Config, found: Vec<Found>, target: &Target) -> Result<Vec<Found>, Refusal> {
    let stopped = found.first().cloned();
    let up: Vec<_> = found.into_iter().filter(|found| found.container.state.is_up()).collect();
    match (up.is_empty(), stopped) {
        (false, _) => Ok(up),
        (true, Some(stopped)) => Err(self::stopped(target, &stopped.words())),
        (true, None) => Err(nowhere(config, target)),
    }
}

/// None of its containers runs, such as that which is described by `words`.
pub fn stopped(target: &Target, words: &str) -> Refusal {
    let refusal = Refusal::new(format!("no container of `{target}` runs: {words} is stopped"));
    refusal.hint(format!("`cloudpad start {target}` starts it"))
}

/// There is no container of it on any host that was seen.
pub fn nowhere(config: &Config, target: &Target) -> Refusal {
    Refusal::new(format!("there is no container of `{target}`")).hint(where_else(config, target))
}

/// What to do where there is no container of it: a deploy brings only what is in the config.
pub fn where_else(config: &Config, target: &Target) -> String {
    match config.services.keys().any(|service| matches(&target.service, service)) {
        true => "`cloudpad ps` lists what there is, `cloudpad deploy` brings it".to_owned(),
        false => {
            let services = list(config.services.keys().map(String::as_str));
            format!("the services of the config are {services}; `cloudpad ps` lists what there is")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cloudpad_plugin_api::Failure;
    use cloudpad_plugin_api::stage::deploy::{Observation, State, Status};

    use super::*;
    use crate::config::{Input, load};

    fn container(service: &str, number: u32, name: &str, state: State, created: i64) -> Container {
        Container {
            id: name.to_owned(),
            name: name.to_owned(),
            instance: Instance { service: service.to_owned(), number },
            release: String::new(),
            spec_id: String::new(),
            spec: None,
            state,
            created,
            status: Status::default(),
        }
    }

    #[test]
    fn a_service_has_one_size() {
        let sizes = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect::<Vec<Size>>();
        assert!(one_size_each(&sizes(&["web=2", "job=2"])).is_ok());
        let refusal = one_size_each(&sizes(&["web=2", "job=1", "web=3"])).unwrap_err();
        assert!(format!("{refusal:?}").contains("service `web` is given two sizes"), "{refusal:?}");
    }

    fn observed() -> Observed {
        let seen = |containers| HostState::Seen(Observation { containers, ..Observation::default() });
        let one = vec![
            container("web", 2, "w2", State::Running, 5),
            container("web", 1, "old", State::Stopped, 1),
            container("web", 1, "w1", State::Unhealthy, 5),
            container("job", 1, "j1", State::Stopped, 1),
        ];
        let two = vec![container("web", 1, "x1", State::Running, 9)];
        let hosts = [
            ("h1".to_owned(), seen(one)),
            ("h2".to_owned(), seen(two)),
            ("h3".to_owned(), HostState::Unseen(Failure::failed("x"))),
        ];
        Observed { hosts: hosts.into(), ..Observed::default() }
    }

    fn config() -> Config {
        let text = "[project]\nname = \"shop\"\n[images.web]\nreference = \"web:1\"\n[services.web]\nimage = \"web\"\n";
        let input = Input { text, dir: Path::new("/shop"), environment: None, var: &|_: &str| None };
        load(&input).unwrap()
    }

    #[test]
    fn only_what_is_in_the_config_is_brought_by_a_deploy() {
        for (word, hint) in [("web.9", "deploy` brings"), ("w*", "deploy` brings"), ("nosuch", "are `web`;")]
        {
            let told = where_else(&config(), &word.parse().unwrap());
            assert!(told.contains(hint), "{word}: {told}");
        }
    }

    fn names(word: &str) -> Vec<String> {
        let target: Target = word.parse().unwrap();
        find(&observed(), &|_| true, &target).into_iter().map(|found| found.container.name).collect()
    }

    #[test]
    fn instances_come_in_order_the_newest_container_of_each_first() {
        assert_eq!(names("web"), ["w1", "old", "x1", "w2"]);
        assert_eq!(names("web.2"), ["w2"]);
        assert_eq!(names("web.7"), [""; 0]);
        let (web, second): (Target, Target) = ("web".parse().unwrap(), "web.2".parse().unwrap());
        assert!(web.is_called("web.2") && second.is_called("web.2") && !second.is_called("web.1"));
        assert!(!web.is_called("web-2.1") && !web.is_called("shop-migrate-1"));
        for wrong in ["web.", "web.0", "web.x", "web.1.2"] {
            assert!(Target::from_str(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_run_is_told() {
        let running = |word: &str| {
            let target: Target = word.parse().unwrap();
            super::running(&config(), find(&observed(), &|_| true, &target), &target)
        };
        assert_eq!(running("web").unwrap().len(), 3);
        let told = |word| match running(word) {
            Err(Refusal::Message { message, .. }) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(told("job"), "no container of `job` runs: job.1 on h1 is stopped");
        assert_eq!(told("web.9"), "there is no container of `web.9`");
    }
}
