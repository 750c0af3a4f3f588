//! `deploy.logs`: what the containers of services have printed and print, in the order of time. I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use cloudpad_engine::failure;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::{Container, Events, Logged, Logs, OneOff};
use cloudpad_plugin_api::{Context, Event, Failure, Level};
use futures_util::TryStreamExt;
use tokio::task::JoinSet;

use super::events::ended;
use super::printed::{Line, Printed, Which};
use super::{clock, seen};
use crate::pool::Connection;

pub(super) async fn logs(cx: &Context, host: &Connection, request: &Logs) -> Result<Logged, Failure> {
    // The engine's own clock says from when on its events count.
    let from = if request.follow { Some(clock::text(clock::now(&host.engine).await?)) } else { None };
    let all = host.containers().await?;
    let mut chosen = chosen(&seen::containers(&all, &request.project), request);
    chosen.extend(of_jobs(&seen::one_offs(&all, &request.project), request));
    let containers = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    match from {
        Some(from) => follow(cx, host, request, chosen, &from).await?,
        None => tell_in_order(cx, host, request, chosen).await?,
    }
    Ok(Logged { containers })
}

/// A container whose lines are told, by what it is called.
#[derive(Debug, PartialEq)]
struct Source {
    id: String,
    name: String,
    called: String,
    is_up: bool,
}

/// Of each job that is named, what runs of it, or what ran last.
fn of_jobs(all: &[OneOff], request: &Logs) -> Vec<Source> {
    let job = |one_off: &OneOff| one_off.labels.get(label::JOB).cloned().unwrap_or_default();
    let named =
        all.iter().filter(|one_off| request.number.is_none() && request.services.contains(&job(one_off)));
    let chosen = named.clone().filter(|one_off| {
        let mut siblings = named.clone().filter(|other| job(other) == job(one_off));
        let is_last = siblings.all(|other| {
            !other.state.is_up() && (other.created, &other.name) <= (one_off.created, &one_off.name)
        });
        one_off.state.is_up() || is_last
    });
    let source = |one_off: &OneOff| Source {
        id: one_off.id.clone(),
        name: one_off.name.clone(),
        called: job(one_off),
        is_up: one_off.state.is_up(),
    };
    chosen.map(source).collect()
}

/// Of each instance what runs, or what ran last.
fn chosen(all: &[Container], request: &Logs) -> Vec<Source> {
    let meant = |service: &str, number: u32| {
        (request.services.is_empty() || request.services.iter().any(|name| name == service))
            && request.number.is_none_or(|only| only == number)
    };
    let is_last = |container: &Container| {
        let mut siblings = all.iter().filter(|other| other.instance == container.instance);
        siblings.all(|other| {
            !other.state.is_up() && (other.created, &other.name) <= (container.created, &container.name)
        })
    };
    let ours = all.iter().filter(|c| meant(&c.instance.service, c.instance.number));
    let source = |container: &Container| Source {
        id: container.id.clone(),
        name: container.name.clone(),
        called: container.instance.to_string(),
        is_up: container.state.is_up(),
    };
    ours.filter(|container| container.state.is_up() || is_last(container)).map(source).collect()
}

fn which(request: &Logs) -> Which {
    Which { since: request.since, tail: request.tail, follow: request.follow }
}

fn tell(cx: &Context, source: &str, line: Line) {
    cx.emit(Event::Output {
        source: source.to_owned(),
        line: line.text,
        time: line.time,
        stderr: line.stderr,
    });
}

/// Always the earliest of the next lines of all containers.
async fn tell_in_order(
    cx: &Context,
    host: &Connection,
    request: &Logs,
    chosen: Vec<Source>,
) -> Result<(), Failure> {
    let mut sources = Vec::new();
    for container in chosen {
        let mut printed = Printed::of(host, &container.id, &container.name, which(request)).await?;
        if let Some(next) = printed.next().await? {
            sources.push((next, container.called, printed));
        }
    }
    loop {
        let earliest = (0..sources.len()).min_by_key(|at| sources[*at].0.time);
        let Some(at) = earliest else { return Ok(()) };
        let (next, source, printed) = &mut sources[at];
        let line = match printed.next().await? {
            Some(following) => std::mem::replace(next, following),
            None => {
                let (line, source, _) = sources.swap_remove(at);
                tell(cx, &source, line);
                continue;
            }
        };
        tell(cx, source, line);
    }
}

/// How long before the engine tells that a container was started it may have printed something, in nanoseconds.
const BEFORE_START: i64 = 10_000_000_000;

/// Those that are or were followed, by id.
type Followed = Arc<Mutex<BTreeMap<String, Progress>>>;

#[derive(Clone, Copy, Default)]
struct Progress {
    under_way: bool,
    /// When what was told last was printed.
    last: Option<i64>,
}

/// Follows each container until it ends, and those that are started meanwhile.
async fn follow(
    cx: &Context,
    host: &Connection,
    request: &Logs,
    chosen: Vec<Source>,
    from: &str,
) -> Result<(), Failure> {
    cx.emit(Events::listening());
    let followed = Followed::default();
    let mut under_way = JoinSet::new();
    for container in chosen {
        let printed = Printed::of(host, &container.id, &container.name, which(request)).await?;
        begin(cx, &mut under_way, &followed, (container.id, container.called, printed), container.is_up);
    }
    let filters = HashMap::from([
        ("label", vec![format!("{}={}", label::PROJECT, request.project.name)]),
        ("event", vec!["start".to_owned()]),
    ]);
    let options = EventsOptionsBuilder::new().filters(&filters).since(from).build();
    let docker = host.engine.patient().await?;
    let mut events = docker.events(Some(options));
    let tried = "could not follow which containers are started";
    loop {
        tokio::select! {
            event = events.try_next() => {
                let event = event.map_err(|error| failure(tried, &error))?;
                let event = event.ok_or_else(|| ended(tried))?;
                let Some((id, source)) = started(&event, request) else { continue };
                let progress = followed.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
                let progress = progress.unwrap_or_default();
                if progress.under_way {
                    continue;
                }
                // The event is a little younger than the first line.
                let since = progress.last.map(|last| last + 1);
                let since = since.or(event.time_nano.map(|time| time - BEFORE_START));
                let which = Which { since, follow: true, tail: None };
                let printed = Printed::of(host, &id, &id, which).await?;
                begin(cx, &mut under_way, &followed, (id, source, printed), true);
            }
            Some(ended) = under_way.join_next() => ended.unwrap_or(Ok(()))?,
        }
    }
}

fn begin(
    cx: &Context,
    under_way: &mut JoinSet<Result<(), Failure>>,
    followed: &Followed,
    (id, source, mut printed): (String, String, Printed),
    is_up: bool,
) {
    let mark = Progress { under_way: true, ..Progress::default() };
    followed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), mark);
    let (cx, followed) = (cx.clone(), followed.clone());
    under_way.spawn(async move {
        let mut progress = Progress::default();
        while let Some(line) = printed.next().await? {
            progress.last = line.time.or(progress.last);
            tell(&cx, &source, line);
        }
        followed.lock().unwrap_or_else(PoisonError::into_inner).insert(id, progress);
        if is_up {
            cx.log(Level::Info, format!("{source} has ended"));
        }
        Ok(())
    });
}

/// The id and the instance of a container that was started, if it is one of those that are meant.
fn started(event: &EventMessage, request: &Logs) -> Option<(String, String)> {
    let actor = event.actor.as_ref()?;
    let labels = actor.attributes.as_ref().filter(|labels| seen::belongs_to(labels, &request.project))?;
    if let Some(job) = labels.get(label::JOB).filter(|_| labels.contains_key(label::ONE_OFF)) {
        let is_meant = request.number.is_none() && request.services.contains(job);
        return is_meant.then_some((actor.id.clone()?, job.clone()));
    }
    let (service, number) = (labels.get(label::SERVICE)?, labels.get(label::INSTANCE)?);
    let is_meant = (request.services.is_empty() || request.services.contains(service))
        && request.number.is_none_or(|only| number.parse() == Ok(only));
    is_meant.then_some((actor.id.clone()?, format!("{service}.{number}")))
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::{Host, Project};
    use cloudpad_plugin_api::stage::deploy::State;

    use super::*;

    #[test]
    fn a_job_that_is_named_tells_what_ran_last() {
        let one_off = |name: &str, job: &str, state, created| OneOff {
            id: name.to_owned(),
            name: name.to_owned(),
            release: String::new(),
            labels: [(label::JOB.to_owned(), job.to_owned())].into(),
            state,
            exit_code: None,
            created,
            image: String::new(),
            lasting: String::new(),
        };
        let all = [
            one_off("m1", "migrate", State::Stopped, 1),
            one_off("m2", "migrate", State::Stopped, 2),
            one_off("w1", "warm", State::Running, 1),
            one_off("w2", "warm", State::Stopped, 2),
        ];
        let asked = |services: &[&str], number| {
            let request = Logs {
                host: Host::new("h1", "h1").into(),
                project: Arc::new(Project { name: "shop".into(), environment: None }),
                services: services.iter().map(|name| (*name).to_owned()).collect(),
                number,
                follow: false,
                since: None,
                tail: None,
            };
            of_jobs(&all, &request).into_iter().map(|source| (source.called, source.id)).collect::<Vec<_>>()
        };
        let of = |job: &str, id: &str| (job.to_owned(), id.to_owned());
        assert_eq!(asked(&["migrate", "warm"], None), [of("migrate", "m2"), of("warm", "w1")]);
        assert_eq!(asked(&["migrate"], Some(1)), []);
        assert_eq!(asked(&[], None), []);
    }
}
