//! What an engine is asked for, as its API has it.

use std::sync::Arc;

use cloudpad_plugin_api::Cancel;
use cloudpad_plugin_api::model::{ContainerSpec, Health};
use cloudpad_plugin_api::stage::cluster::Update;
use cloudpad_plugin_api::stage::deploy::ImageRef;
use serde_json::{Value, json};

use super::*;

/// A service of two instances whose health is asked for.
pub(crate) fn service() -> Service {
    let check = Check::Command { command: vec!["true".to_owned()] };
    let spec = ContainerSpec {
        health: Some(Health { check, interval_ms: 500, timeout_ms: 500, retries: 3 }),
        stop_timeout: 10,
        ..ContainerSpec::default()
    };
    let update =
        Update { batch: 2, order: Order::StopFirst, settle_ms: 0, ready_within_ms: 4000, rollback: true };
    let (scale, place) = (Scale::Replicas(2), Place::default());
    Service { name: "web".to_owned(), spec: Arc::new(spec), scale, place, update }
}

/// What is asked for where the project's environment is `staging`, and no value of a secret is known.
pub(crate) fn asked(service: &Service, had: Option<&EngineService>) -> Result<ServiceSpec, Failure> {
    let request = Apply {
        project: Arc::new(Project { name: "shop".to_owned(), environment: Some("staging".to_owned()) }),
        release: "r1".to_owned(),
        id: "new".to_owned(),
        service: Arc::new(service.clone()),
        image: ImageRef::Known("r/web@sha256:1".to_owned()),
        replaces: None,
    };
    let cx = Context::new(Value::Null, Arc::new(|_| {}), Cancel::new());
    spec(&cx, &request, &HashMap::new(), had)
}

/// The same of a service that was changed so, as JSON.
fn told(change: impl FnOnce(&mut Service, &mut ContainerSpec)) -> Value {
    let mut service = service();
    let mut spec = (*service.spec).clone();
    change(&mut service, &mut spec);
    json!(asked(&Service { spec: Arc::new(spec), ..service }, None).unwrap())
}

#[test]
fn an_update_and_a_way_back_are_as_the_service_says() {
    let told = told(|_, _| {});
    let update = json!({
        "Parallelism": 2, "Order": "stop-first", "FailureAction": "rollback", "Monitor": 1_000_000_000,
        "MaxFailureRatio": 0.0,
    });
    assert_eq!(told["UpdateConfig"], update);
    let back = json!({
        "Parallelism": 0, "Order": "stop-first", "FailureAction": "pause", "Monitor": 1_000_000_000,
        "MaxFailureRatio": 0.0,
    });
    assert_eq!(told["RollbackConfig"], back);
    let stays = self::told(|service, _| {
        service.update =
            Update { rollback: false, order: Order::StartFirst, settle_ms: 5000, ..service.update };
    });
    let config = |key: &str| stays["UpdateConfig"][key].clone();
    assert_eq!((config("FailureAction"), config("Order")), (json!("pause"), json!("start-first")));
    assert_eq!(config("Monitor"), json!(5_000_000_000_u64));
}

#[test]
fn how_many_there_are_and_where_is_as_the_service_says() {
    let several = told(|_, _| {});
    assert_eq!(several["Mode"], json!({ "Replicated": { "Replicas": 2 } }));
    assert_eq!(several["TaskTemplate"]["Placement"]["Constraints"], json!([]));
    let each = told(|service, _| {
        service.scale = Scale::PerNode(1);
        service.place.roles = ["db", "worker", "manager"].map(str::to_owned).into();
        service.place.nodes = vec!["n1".to_owned()];
    });
    assert_eq!(each["Mode"], json!({ "Global": {} }));
    let expected = [
        "node.labels.cloudpad.role.db==true",
        "node.role==worker",
        "node.role==manager",
        "node.hostname==n1",
    ];
    assert_eq!(each["TaskTemplate"]["Placement"]["Constraints"], json!(expected));
}

#[test]
fn instances_end_begin_again_and_find_each_other_as_their_service_says() {
    for (restart, condition) in [
        (Restart::No, "none"),
        (Restart::OnFailure, "on-failure"),
        (Restart::UnlessStopped, "any"),
        (Restart::Always, "any"),
    ] {
        let task = &told(|_, spec| spec.restart = restart)["TaskTemplate"];
        assert_eq!(task["RestartPolicy"]["Condition"], json!(condition));
        assert_eq!(task["ContainerSpec"]["StopGracePeriod"], json!(10_000_000_000_u64));
    }
    let networks = ["host", "shop-staging.back"].map(str::to_owned);
    let task = &told(|_, spec| spec.networks = networks.into())["TaskTemplate"];
    assert_eq!(
        task["Networks"],
        json!([{ "Target": "host" }, { "Target": "shop-staging_back", "Aliases": ["web"] }])
    );
}

#[test]
fn one_that_is_new_may_fail_its_checks_until_it_has_to_serve() {
    let spec = asked(&service(), None).unwrap();
    let health = spec.task_template.unwrap().container_spec.unwrap().health_check.unwrap();
    assert_eq!(health.test, Some(vec!["CMD".to_owned(), "true".to_owned()]));
    assert_eq!((health.interval, health.start_period), (Some(500_000_000), Some(4_000_000_000)));
}

#[test]
fn a_file_that_is_secret_is_its_owners_and_another_value_has_another_name() {
    let files = |own: SecretRef| {
        let mut secrets = told(|_, spec| spec.secrets = [("/run/key".to_owned(), own)].into());
        secrets["TaskTemplate"]["ContainerSpec"]["Secrets"][0].take()
    };
    let key = SecretRef { name: "KEY".to_owned(), mark: "1".to_owned(), ..SecretRef::default() };
    let plain = files(key.clone());
    assert_eq!(plain["File"], json!({ "Name": "/run/key", "UID": "0", "GID": "0", "Mode": 0o400 }));
    let own = files(SecretRef { uid: Some(7), gid: Some(8), mode: Some(0o440), ..key.clone() });
    assert_eq!(own["File"], json!({ "Name": "/run/key", "UID": "7", "GID": "8", "Mode": 0o440 }));
    assert_eq!(own["SecretName"], plain["SecretName"]);
    assert_ne!(files(SecretRef { mark: "2".to_owned(), ..key })["SecretName"], plain["SecretName"]);
}

#[test]
fn a_variable_whose_value_is_not_sent_has_the_one_that_is_there() {
    let token = SecretRef { name: "TOKEN".to_owned(), mark: "1".to_owned(), ..SecretRef::default() };
    let mut service = service();
    Arc::make_mut(&mut service.spec).secrets.insert("WORD".to_owned(), token);
    assert!(asked(&service, None).is_err());
    let json = json!(service).to_string();
    let had = json!({ "Spec": {
        "Labels": { "cloudpad.service-spec": json },
        "TaskTemplate": { "ContainerSpec": { "Env": ["WORD=hush"] } },
    } });
    let had: EngineService = serde_json::from_value(had).unwrap();
    let container = asked(&service, Some(&had)).unwrap().task_template.unwrap().container_spec.unwrap();
    assert_eq!(container.env, Some(vec!["WORD=hush".to_owned()]));
}
