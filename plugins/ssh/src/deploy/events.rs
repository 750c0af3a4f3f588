//! `deploy.events`: what happens to the project's containers, as the engine tells it. I/O.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use cloudpad_engine::failure;
use cloudpad_plugin_api::model::{Project, label};
use cloudpad_plugin_api::stage::deploy::{Events, Happened};
use cloudpad_plugin_api::{Context, Event, Failure, FailureKind};
use futures_util::TryStreamExt;

use super::{clock, proof, seen};
use crate::pool::Connection;

/// What of all that an engine tells of containers changes them. Every check of health by command is a process that is started in a
/// container, which is none of that. The engine compares beginnings.
const ACTIONS: [&str; 13] = [
    "create",
    "start",
    "health_status",
    "pause",
    "unpause",
    "kill",
    "oom",
    "die",
    "stop",
    "restart",
    "rename",
    "update",
    "destroy",
];

/// From when on what happens has not been told yet, in nanoseconds since 1970; 0 where that is not known. It outlasts a
/// connection.
#[derive(Default)]
pub(super) struct Untold(AtomicI64);

/// Tells what happens until the caller has had enough, which breaks it off.
pub(super) async fn events(
    cx: &Context,
    host: &Connection,
    request: &Events,
    untold: &Untold,
) -> Result<(), Failure> {
    if untold.0.load(Ordering::Relaxed) == 0 {
        // The engine's own clock says from when on its events count.
        let since = match request.since {
            Some(since) => since,
            None => clock::now(&host.engine).await?,
        };
        untold.0.store(since.max(1), Ordering::Relaxed);
    }
    let since = clock::text(untold.0.load(Ordering::Relaxed));
    let options = EventsOptionsBuilder::new().filters(&filters(&request.project)).since(&since).build();
    let docker = host.engine.patient().await?;
    let mut events = docker.events(Some(options));
    cx.emit(Events::listening());
    let tried = "could not follow what happens to containers";
    while let Some(event) = events.try_next().await.map_err(|error| failure(tried, &error))? {
        if let Some(time) = event.time_nano {
            untold.0.store(time.saturating_add(1), Ordering::Relaxed);
        }
        if let Some(happened) = happened(&event, request) {
            cx.emit(Event::Happened(happened));
        }
    }
    Err(ended(tried))
}

/// An engine that is stopped ends its answer.
pub(super) fn ended(tried: &str) -> Failure {
    let message = format!("{tried}: the engine has ended its answer");
    Failure::new(FailureKind::Unreachable, message).retryable()
}

fn filters(project: &Project) -> HashMap<&'static str, Vec<String>> {
    let environment = project.environment.as_deref().unwrap_or_default();
    let labels = [(label::PROJECT, project.name.as_str()), (label::ENVIRONMENT, environment)];
    HashMap::from([
        ("type", vec!["container".to_owned()]),
        ("event", ACTIONS.map(str::to_owned).to_vec()),
        ("label", labels.map(|(label, value)| format!("{label}={value}")).to_vec()),
    ])
}

/// What has happened, if that was to a container that is meant.
fn happened(event: &EventMessage, request: &Events) -> Option<Happened> {
    let attributes = event.actor.as_ref()?.attributes.as_ref()?;
    if !seen::belongs_to(attributes, &request.project) {
        return None;
    }
    let text = |key: &str| attributes.get(key).map(String::as_str);
    let name = text("name").unwrap_or_default();
    let container = proof::own_name(name).unwrap_or(name);
    let source = match (text(label::SERVICE), text(label::INSTANCE)) {
        (Some(service), Some(number)) => {
            let is_meant =
                request.services.is_empty() || request.services.iter().any(|meant| meant == service);
            is_meant.then(|| format!("{service}.{number}"))?
        }
        _ if request.services.is_empty() => container.to_owned(),
        _ => return None,
    };
    let (action, health) = action(event.action.as_deref()?, text("oldName"), name);
    Some(Happened {
        source,
        container: container.to_owned(),
        time: event.time_nano,
        release: text(label::RELEASE).unwrap_or_default().to_owned(),
        exit_code: text("exitCode").filter(|_| action == "die").and_then(|code| code.parse().ok()),
        signal: text("signal").filter(|_| action == "kill").map(str::to_owned),
        health,
        action,
    })
}

/// What happened, and how the container is then. One that gets its own name has served, see [`proof`].
fn action(said: &str, old_name: Option<&str>, name: &str) -> (String, Option<String>) {
    let old_name = old_name.map(|name| name.trim_start_matches('/'));
    if said == "rename" && old_name.and_then(proof::own_name) == Some(name) {
        return ("ready".to_owned(), None);
    }
    match said.split_once(": ") {
        Some((action, health)) => (action.to_owned(), Some(health.to_owned())),
        None => (said.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::EventActor;
    use cloudpad_plugin_api::model::Host;

    use super::*;

    fn request(services: &[&str]) -> Events {
        Events {
            host: Host::new("h1", Host::LOCAL).into(),
            project: Project { name: "shop".into(), environment: None }.into(),
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            since: None,
        }
    }

    fn event(action: &str, attributes: &[(&str, &str)]) -> EventMessage {
        let ours = [(label::PROJECT, "shop"), (label::ENVIRONMENT, ""), (label::RELEASE, "r1")];
        let attributes = ours.iter().chain(attributes);
        let attributes = attributes.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        EventMessage {
            action: Some(action.to_owned()),
            actor: Some(EventActor { id: Some("id".into()), attributes: Some(attributes) }),
            time_nano: Some(7),
            ..EventMessage::default()
        }
    }

    const WEB: [(&str, &str); 2] = [(label::SERVICE, "web"), (label::INSTANCE, "1")];

    fn told(event: &EventMessage) -> Happened {
        happened(event, &request(&[])).unwrap()
    }

    #[test]
    fn what_has_happened_is_told_with_what_belongs_to_it() {
        let web = |action: &str, more: &[(&str, &str)]| {
            told(&event(action, &[&WEB[..], &[("name", "shop-web-1-a")], more].concat()))
        };
        let plain = Happened {
            source: "web.1".into(),
            container: "shop-web-1-a".into(),
            action: "start".into(),
            time: Some(7),
            release: "r1".into(),
            ..Happened::default()
        };
        assert_eq!(web("start", &[]), plain);
        let died = web("die", &[("exitCode", "137"), ("execDuration", "3")]);
        assert_eq!(died, Happened { action: "die".into(), exit_code: Some(137), ..plain.clone() });
        let killed = web("kill", &[("signal", "9")]);
        assert_eq!(killed, Happened { action: "kill".into(), signal: Some("9".into()), ..plain.clone() });
        let ill = web("health_status: unhealthy", &[]);
        let expected =
            Happened { action: "health_status".into(), health: Some("unhealthy".into()), ..plain.clone() };
        assert_eq!(ill, expected);
        let own = web("rename", &[("oldName", "/shop-web-1-a.unproven")]);
        assert_eq!(own, Happened { action: "ready".into(), ..plain.clone() });
        let other = web("rename", &[("oldName", "/shop-web-1-b")]);
        assert_eq!(other.action, "rename");
        let unproven = [&WEB[..], &[("name", "shop-web-1-a.unproven")]].concat();
        assert_eq!(told(&event("create", &unproven)).container, "shop-web-1-a");
    }

    #[test]
    fn only_what_is_meant_is_told() {
        let web = event("start", &WEB);
        assert!(happened(&web, &request(&["web"])).is_some() && happened(&web, &request(&["db"])).is_none());
        let job = event("start", &[(label::ONE_OFF, "true"), ("name", "shop-migrate-1")]);
        assert_eq!(told(&job).source, "shop-migrate-1");
        assert_eq!(happened(&job, &request(&["web"])), None);
        let staging = event("start", &[(label::ENVIRONMENT, "staging")]);
        assert_eq!(happened(&staging, &request(&[])), None);
    }
}
