//! Tests of the checkup, with a host that does as it is told.

use std::collections::VecDeque;
use std::sync::Mutex;

use bollard::models::ContainerSummaryHostConfig;
use cloudpad_plugin_api::model::{Check, ContainerSpec, Instance};
use cloudpad_plugin_api::stage::deploy::Status;
use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_transport::{BoxFuture, Stream, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// What a host does when it is to make a connection.
#[derive(Clone, Copy)]
enum Does {
    /// Somebody answers with this status.
    Answers(u16),
    /// Somebody takes it and says nothing.
    Hangs,
    Refuses(FailureKind, &'static str),
}

/// A host that does one after the other, and the last one ever after.
struct Scripted(Mutex<VecDeque<Does>>);

impl Scripted {
    fn new(does: &[Does]) -> Self {
        Self(Mutex::new(does.iter().copied().collect()))
    }

    fn next(&self) -> Does {
        let mut does = self.0.lock().unwrap();
        if does.len() > 1 { does.pop_front().unwrap() } else { does[0] }
    }
}

impl Transport for Scripted {
    fn unix<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("unix")) })
    }

    fn tcp<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
        let does = self.next();
        Box::pin(async move {
            if let Does::Refuses(kind, cause) = does {
                return Err(Failure::new(kind, "no").cause(cause));
            }
            let (ours, mut theirs) = tokio::io::duplex(1024);
            tokio::spawn(async move {
                let _ = theirs.read(&mut [0; 1024]).await;
                if let Does::Answers(status) = does {
                    let answer =
                        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                    let _ = theirs.write_all(answer.as_bytes()).await;
                } else {
                    std::future::pending::<()>().await;
                }
            });
            Ok(Box::new(ours) as Stream)
        })
    }

    fn exec<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        Box::pin(async { Err(Failure::unsupported("exec")) })
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

fn health(timeout_ms: u64, retries: u32) -> Health {
    let check = Check::Http { port: 8080, path: "/up".into() };
    Health { check, interval_ms: 20, timeout_ms, retries }
}

fn container(health: Option<Health>, state: State) -> Container {
    Container {
        id: "c0ffee".into(),
        name: "shop-web-1-a".into(),
        instance: Instance { service: "web".into(), number: 1 },
        release: String::new(),
        spec_id: "a".into(),
        spec: Some(ContainerSpec { health, ..ContainerSpec::default() }.into()),
        state,
        created: 0,
        status: Status::default(),
    }
}

fn listed(network: &str) -> ContainerSummary {
    let network_mode = Some(network.to_owned());
    ContainerSummary {
        id: Some("c0ffee".into()),
        host_config: Some(ContainerSummaryHostConfig { network_mode, ..Default::default() }),
        ..Default::default()
    }
}

/// What is found by asking a container on such a host, with tries like these.
async fn found(tries: impl FnOnce(&mut Tries), does: &[Does]) -> Found {
    let container = container(Some(health(100, 3)), State::Running);
    let mut patient = Patient::of(&container, &[listed("host")]).unwrap();
    tries(&mut patient.tries);
    patient.ask(&Scripted::new(does)).await
}

#[tokio::test]
async fn one_answer_is_enough_and_only_all_tries_in_a_row_are_a_failure() {
    use Does::{Answers, Hangs, Refuses};
    let said = |words: &str| Found::Fails(words.into());
    let (gone, never) = (FailureKind::Unreachable, FailureKind::Unsupported);
    let refused = Refuses(gone, "Connection refused (os error 111)");
    let answered = said("`GET /up` on port 8080 answered 500");
    let cases: [(&[Does], Found); 9] = [
        (&[Answers(204)], Found::Serves),
        (&[Answers(500), Answers(200)], Found::Serves),
        (&[Hangs, refused, Answers(302)], Found::Serves),
        (&[Answers(500), Answers(500), Answers(500), Answers(200)], answered),
        (&[refused], said("nothing listens on port 8080 in the container")),
        (&[Hangs], said("`GET /up` on port 8080 did not answer within 100 ms")),
        (&[Refuses(never, "prohibited")], Found::Nothing),
        (&[Refuses(gone, "no answer in 5 s")], Found::Nothing),
        (&[Answers(500), Answers(500), Refuses(gone, "the connection is lost")], Found::Nothing),
    ];
    for (does, expected) in cases {
        assert_eq!(found(|_| {}, does).await, expected);
    }
    let cut_short = |tries: &mut Tries| tries.whole = false;
    assert_eq!(found(cut_short, &[Hangs]).await, Found::Nothing, "it may well have answered in time");
    assert!(matches!(found(cut_short, &[Answers(500)]).await, Found::Fails(_)));
}

#[test]
fn nobody_waits_for_more_than_a_few_seconds() {
    let tries = |health| {
        let Tries { count, pause, limit, whole } = Tries::of(&health);
        (count, pause.as_millis(), limit.as_millis(), whole)
    };
    assert_eq!(tries(Health { interval_ms: 2_000, ..health(5_000, 3) }), (3, 500, 5_000, true));
    assert_eq!(tries(Health { interval_ms: 10, ..health(60_000, 1_000) }), (5, 10, 5_000, false));
    assert_eq!(tries(health(1, 0)), (1, 20, 1, true));
}

#[test]
fn only_what_runs_by_all_that_is_known_and_is_not_asked_by_the_engine_is_asked() {
    let asked = |health, state, network| Patient::of(&container(health, state), &[listed(network)]).is_some();
    let http = || Some(health(1_000, 3));
    let command =
        || Some(Health { check: Check::Command { command: vec!["true".into()] }, ..health(1_000, 3) });
    assert!(asked(http(), State::Running, "host"));
    assert!(!asked(http(), State::Running, "none"), "it has no address");
    assert!(!asked(command(), State::Running, "host") && !asked(None, State::Running, "host"));
    assert!(asked(http(), State::Starting, "host"), "it may have been started long ago");
    for state in [State::Unhealthy, State::Paused, State::Restarting, State::Stopped] {
        assert!(!asked(http(), state, "host"), "{state:?}");
    }
}

#[test]
fn what_was_found_is_told() {
    let checks = Checks { ready_within_ms: 10_000 };
    let told = |up_for: &str, found| {
        let mut container = container(None, State::Running);
        container.status.lasting = up_for.into();
        note(&mut container, found, checks);
        (container.state, container.status.healthy, container.status.reason)
    };
    let fails = || Found::Fails("no".into());
    assert_eq!(told("2 minutes", Found::Serves), (State::Running, true, None));
    assert_eq!(told("2 minutes", Found::Nothing), (State::Running, false, None));
    assert_eq!(told("2 minutes", fails()), (State::Unhealthy, false, Some("no".into())));
    assert_eq!(told("2 seconds", fails()), (State::Starting, false, Some("no".into())));
}

#[test]
fn what_was_taken_out_of_a_network_is_not_well() {
    use bollard::models::{ContainerSummaryNetworkSettings, EndpointSettings};
    let listed = |networks: &[&str]| ContainerSummary {
        id: Some("c1".into()),
        network_settings: Some(ContainerSummaryNetworkSettings {
            networks: Some(networks.iter().map(|n| ((*n).to_owned(), EndpointSettings::default())).collect()),
        }),
        ..Default::default()
    };
    let told = |networks: &[&str], state| {
        let spec = ContainerSpec { networks: vec!["shop".into(), "back".into()], ..Default::default() };
        let mut container = Container {
            id: "c1".into(),
            name: "web-1".into(),
            instance: Instance { service: "web".into(), number: 1 },
            release: String::new(),
            spec_id: String::new(),
            spec: Some(spec.into()),
            state,
            created: 0,
            status: Status::default(),
        };
        note_apart(&mut container, &[listed(networks)]);
        (container.state, container.status.reason)
    };
    assert_eq!(told(&["shop", "back", "more"], State::Running), (State::Running, None));
    let lacking = Some("not in the network `back` any more".to_owned());
    assert_eq!(told(&["shop"], State::Starting), (State::Unhealthy, lacking));
    assert_eq!(
        told(&[], State::Stopped),
        (State::Stopped, None),
        "one that is stopped joins them with its start"
    );
}
