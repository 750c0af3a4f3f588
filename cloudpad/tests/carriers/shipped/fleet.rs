//! Deploy provider `fleet`, on a double of fleetd.

use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Project};
use cloudpad_plugin_api::stage::cluster::{
    Apply, Named, Observe, Order, Place, Ready, Record, Release, Remove, Review, Scale, Service, Update,
};
use cloudpad_plugin_api::stage::deploy::ImageRef;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use super::engine::Mute;
use super::{World, is_the_same_everywhere, without};
use crate::steps::{Step, check};

#[path = "../../../../plugins/fleet/tests/double/mod.rs"]
mod double;

use double::Double;

struct Fleet {
    double: Double,
    mute: Mute,
}

fn fleet() -> Fleet {
    let double = Double::start();
    double.world(|world| world.pace = 1);
    Fleet { double, mute: Mute::new() }
}

fn project() -> Arc<Project> {
    Arc::new(Project { name: "shop".to_owned(), environment: None })
}

fn web() -> Arc<Service> {
    let spec = ContainerSpec { image: "shop.web:1".to_owned(), stop_timeout: 5, ..ContainerSpec::default() };
    let update =
        Update { batch: 1, order: Order::StartFirst, settle_ms: 0, ready_within_ms: 60_000, rollback: true };
    let place = Place { roles: vec!["web".to_owned()], nodes: Vec::new() };
    Arc::new(Service {
        name: "web".to_owned(),
        spec: Arc::new(spec),
        scale: Scale::Replicas(1),
        place,
        update,
    })
}

fn apply(replaces: Option<&str>, id: &str) -> Request {
    let image = ImageRef::Known("registry/shop.web:1".to_owned());
    let (release, id, replaces) = ("r1".to_owned(), id.to_owned(), replaces.map(str::to_owned));
    let apply = Apply { project: project(), release, id, service: web(), image, replaces };
    Request::ClusterApply(Box::new(apply))
}

fn ready(id: &str) -> Request {
    let (service, id) = ("web".to_owned(), id.to_owned());
    Request::ClusterReady(Ready { project: project(), service, id, settle_ms: 0, timeout_ms: 60_000 })
}

fn remove(revision: &str) -> Request {
    let services = vec![Named { name: "web".to_owned(), revision: revision.to_owned() }];
    Request::ClusterRemove(Remove { project: project(), services })
}

/// What a service without a secret must not have, and has here.
fn leaks() -> Arc<Service> {
    let mut service = (*web()).clone();
    let mut spec = (*service.spec).clone();
    spec.secrets.insert("PASSWORD".to_owned(), Default::default());
    service.spec = Arc::new(spec);
    Arc::new(service)
}

impl World for Fleet {
    fn steps(&self) -> Vec<Step> {
        let config = json!({ "endpoint": format!("http://127.0.0.1:{}", self.double.port()) });
        let step = |what, request| Step::new(what, "fleet", config.clone(), request);
        let observe = || Request::ClusterObserve(Observe { project: project(), releases: true });
        let release = |id: &str| Some(Arc::new(Release { id: id.to_owned(), ..Release::default() }));
        let mute = self.mute.clone();
        let silent = json!({ "endpoint": format!("http://{}", mute.address()) });
        let review = Review { project: project(), services: vec![web(), leaks()] };
        vec![
            step("a config is fit", check(Stage::Deploy)),
            Step::new("no config", "fleet", Value::Null, check(Stage::Deploy)),
            Step::new(
                "a config is not fit",
                "fleet",
                json!({ "endpoint": "https://f:1" }),
                check(Stage::Deploy),
            ),
            step("a review", Request::ClusterReview(review)),
            step("nothing is there", observe()),
            step("a service", apply(None, "one")).keyed("apply/web"),
            step("it is another one", ready("two")),
            step("it is so", ready("one")),
            step("the same again", apply(Some("old news"), "one")).keyed("apply/web"),
            step("old news", apply(Some("old news"), "two")).keyed("apply/web 2"),
            step(
                "a release",
                Request::ClusterRecord(Record { project: project(), release: release("r1"), forget: vec![] }),
            )
            .keyed("record"),
            step("what is there", observe()),
            step("removed on old news", remove("old news")).keyed("remove/web"),
            step(
                "logs",
                serde_json::from_value(
                    json!({ "method": "cluster.logs", "params": { "project": { "name": "shop" } } }),
                )
                .unwrap(),
            ),
            Step::new("cancelled", "fleet", silent, observe()).cancelled_once(move || mute.take()),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without(&message, &[&self.double.port().to_string(), &self.mute.address()]))
    }
}

#[test]
fn fleet_is_the_same_everywhere() {
    let expected = [
        "is none of fleet's",
        "all can read who reach fleet's API",
        "is not the one that was seen",
        "\"instances\":1",
        "\"changed\":false",
        "\"state\":\"running\"",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("fleet", fleet, &expected);
}
