//! The client: pages, names, retries, and what it does not send. I/O: the double.

use std::sync::Arc;

use cloudpad_fleet::client::Client;
use cloudpad_fleet::unit::{Desired, UnitOption, hash};
use cloudpad_plugin_api::{Cancel, FailureKind, Outcome};
use serde_json::json;

use crate::double::{Double, Fault};
use crate::support::{Told, config, fleet, run};

fn sleeps(what: &str) -> Vec<UnitOption> {
    vec![
        UnitOption::new("Unit", "Description", what),
        UnitOption::new("Service", "ExecStart", "/bin/sleep 3600"),
        UnitOption::new("X-Fleet", "MachineMetadata", "role=web"),
    ]
}

#[test]
fn lists_are_read_to_their_ends_also_after_a_full_last_page() {
    run(async {
        let (double, client) = fleet();
        double.world(|world| world.limit = 2);
        assert_eq!((client.units().await.unwrap(), client.states(None).await.unwrap()), (vec![], vec![]));
        assert_eq!(client.machines().await.unwrap().len(), 3);
        for number in 1..=4 {
            client.put(&format!("p@{number}.service"), Desired::Launched, &sleeps("p")).await.unwrap();
        }
        double.pass(9);
        double.asked();
        let names: Vec<String> = client.units().await.unwrap().into_iter().map(|unit| unit.name).collect();
        assert_eq!(names, ["p@1.service", "p@2.service", "p@3.service", "p@4.service"]);
        assert_eq!(
            double.asked(),
            [
                "GET /fleet/v1/units",
                "GET /fleet/v1/units?nextPageToken=AgACAA%3D%3D",
                "GET /fleet/v1/units?nextPageToken=AgADAA%3D%3D",
            ]
        );
        assert_eq!(client.states(None).await.unwrap().len(), 4);
        double.asked();
        double.world(|world| world.limit = 1);
        assert_eq!(client.states(Some("p@2.service")).await.unwrap().len(), 1);
        assert_eq!(
            double.asked(),
            [
                "GET /fleet/v1/state?unitName=p%402.service",
                "GET /fleet/v1/state?unitName=p%402.service&nextPageToken=AQACAA%3D%3D",
            ]
        );
    });
}

#[test]
fn what_was_put_is_read_back_with_its_hash_and_its_odd_name() {
    run(async {
        let (double, client) = fleet();
        let (name, mut options) = ("my\\x2dapp@1.service", sleeps("h\u{e9}llo \u{2603}"));
        options.push(UnitOption::new(
            "Service",
            "Environment",
            format!("{}\\\n{}", "a".repeat(2000), "b".repeat(2000)),
        ));
        client.put(name, Desired::Launched, &options).await.unwrap();
        let unit = client.unit(name).await.unwrap().unwrap();
        assert_eq!((&unit.options, unit.desired_state), (&options, Desired::Launched));
        double.pass(5);
        let rows = client.states(Some(name)).await.unwrap();
        assert_eq!(rows[0].hash, hash(&options));
        assert_eq!(rows[0].active, "active");
        client.set(name, Desired::Loaded).await.unwrap();
        double.pass(3);
        client.destroy(name).await.unwrap();
        client.destroy(name).await.unwrap();
        assert_eq!(client.unit(name).await.unwrap(), None);
        assert!(double.wrongs().is_empty());
    });
}

#[test]
fn trouble_that_passes_is_waited_for() {
    use Fault::{Closed, Lost, Status};
    run(async {
        let (double, client) = fleet();
        double.faults([Status(500), Status(503), Closed, Lost, Closed]);
        client.put("a.service", Desired::Launched, &sleeps("a")).await.unwrap();
        assert_eq!(double.asked(), ["PUT /fleet/v1/units/a.service"; 6]);
        // 0.25 s, then twice as long each time.
        assert_eq!(client.clock().now().as_millis(), 7750);
        double.faults([Lost]);
        client.set("a.service", Desired::Loaded).await.unwrap();
        double.pass(3);
        double.faults([Lost, Status(503)]);
        client.destroy("a.service").await.unwrap();
        double.faults([Closed]);
        assert!(client.units().await.unwrap().is_empty());
    });
}

#[test]
fn trouble_that_stays_is_told_and_what_was_refused_is_not_tried_again() {
    run(async {
        let (double, client) = fleet();
        double.faults([Fault::Status(503); 6]);
        let failure = client.units().await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.outcome, failure.retryable),
            (FailureKind::Unreachable, Outcome::None, true)
        );
        assert!(failure.to_string().contains("503"), "{failure}");
        double.faults([Fault::Closed; 6]);
        let failure = client.set("a.service", Desired::Loaded).await.unwrap_err();
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Unreachable, Outcome::Unknown));
        double.asked();
        let failure = client.set("a.service", Desired::Loaded).await.unwrap_err();
        assert_eq!(
            failure.message,
            "fleet does not take unit `a.service`: unit does not exist and options field empty (409)"
        );
        assert_eq!(double.asked().len(), 1);
    });
}

#[test]
fn what_is_never_answered_is_given_up() {
    run(async {
        let double = Arc::new(Double::start());
        let endpoint = config(json!({ "endpoint": format!("http://127.0.0.1:{}", double.port()) }));
        let clock = Told { is_impatient: true, ..Told::new(&double) };
        let client = Client::new(endpoint, Arc::new(clock), Cancel::new()).unwrap();
        double.faults([Fault::Silent; 6]);
        let failure = client.machines().await.unwrap_err();
        assert!(failure.to_string().contains("no answer in 30 s"), "{failure}");
        assert_eq!(double.asked().len(), 6);
    });
}

#[test]
fn a_unix_socket_carries_it_too_and_one_that_is_not_there_is_told() {
    run(async {
        let double = Arc::new(Double::start());
        let of = |path: &std::path::Path| {
            let config = config(json!({ "endpoint": format!("unix://{}", path.display()) }));
            Client::new(config, Arc::new(Told::new(&double)), Cancel::new()).unwrap()
        };
        let client = of(&double.socket());
        client.put("a.service", Desired::Inactive, &sleeps("a")).await.unwrap();
        assert_eq!(client.units().await.unwrap().len(), 1);
        let failure = of(&double.socket().with_extension("none")).units().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.to_string().contains("fleet.none"), "{failure}");
    });
}

#[test]
fn what_fleet_must_not_be_told_is_not_sent() {
    run(async {
        let (double, client) = fleet();
        let injects = [UnitOption::new("Service", "ExecStart", "/bin/true\nUser=nobody")];
        assert!(client.put("a.service", Desired::Launched, &injects).await.is_err());
        let long = [UnitOption::new("Service", "ExecStart", "x".repeat(2048))];
        assert!(client.put("a.service", Desired::Launched, &long).await.is_err());
        assert!(client.put("a.service", Desired::Launched, &[]).await.is_err());
        for name in ["a", "../machines", "a/b.service", "@a.service", "a.mount"] {
            assert!(client.put(name, Desired::Launched, &sleeps("a")).await.is_err(), "{name}");
            assert!(client.set(name, Desired::Launched).await.is_err(), "{name}");
            assert!(client.destroy(name).await.is_err(), "{name}");
            assert!(client.unit(name).await.is_err(), "{name}");
        }
        assert_eq!(double.asked(), [""; 0]);
    });
}
