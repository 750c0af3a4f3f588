//! Deploy provider `swarm`, where there is no swarm: what it says of services, and of managers that do not answer.

use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Project, Volume};
use cloudpad_plugin_api::stage::cluster::{Observe, Order, Place, Review, Scale, Service, Update};
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use super::engine::Mute;
use super::{World, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Nobody {
    mute: Mute,
    project: Arc<Project>,
}

fn nobody() -> Nobody {
    Nobody { mute: Mute::new(), project: Project { name: "shop".into(), environment: None }.into() }
}

impl Nobody {
    fn review(&self) -> Request {
        let volume = Volume { source: "shop.data".into(), target: "/data".into(), read_only: false };
        let spec = ContainerSpec { image: "db:1".into(), volumes: vec![volume], ..ContainerSpec::default() };
        let update =
            Update { batch: 1, order: Order::StopFirst, settle_ms: 0, ready_within_ms: 1000, rollback: true };
        let (place, scale) = (Place::default(), Scale::Replicas(1));
        let service = Service { name: "db".into(), spec: spec.into(), scale, place, update };
        Request::ClusterReview(Review { project: self.project.clone(), services: vec![service.into()] })
    }

    fn observe(&self) -> Request {
        Request::ClusterObserve(Observe { project: self.project.clone(), releases: true })
    }
}

impl World for Nobody {
    fn steps(&self) -> Vec<Step> {
        let step = |what, config, request| Step::new(what, "swarm", config, request);
        let managers = |managers: Value| json!({ "managers": managers });
        let mute = self.mute.clone();
        let silent = managers(json!([format!("root@{}", self.mute.address())]));
        vec![
            step("a config is fit", managers(json!(["h1", "h2"])), check(Stage::Deploy)),
            step("one is not", managers(json!([""])), check(Stage::Deploy)),
            step("a volume", Value::Null, self.review()),
            step("this machine manages none", Value::Null, self.observe()),
            step("nobody is there", managers(json!(["root@127.0.0.1:1"])), self.observe()),
            step("cancelled", silent, self.observe()).cancelled_once(move || mute.take()),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without(&message, &[&self.mute.address()]))
    }
}

#[test]
fn swarm_is_the_same_everywhere() {
    let expected = [
        "`managers` has an address that is empty",
        "stay on a node",
        "`local` is no manager of a swarm",
        "no manager of the swarm answers",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("swarm", nobody, &expected);
}
