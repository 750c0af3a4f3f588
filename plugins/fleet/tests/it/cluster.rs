//! An application in the double's fleet, as Cloudpad asks for it: first deploy, update, a failed update undone, scale, remove.
//! I/O: the double.

use std::sync::Arc;

use cloudpad_fleet::client::Client;
use cloudpad_fleet::wish::{GivenUp, Wish};
use cloudpad_fleet::{change, drive, observe};
use cloudpad_plugin_api::model::{ContainerSpec, Project};
use cloudpad_plugin_api::stage::cluster::{
    Named, Order, Place, Ready, Remove, Rollout, Scale, Seen, Service, Update,
};
use cloudpad_plugin_api::stage::deploy::State;
use cloudpad_plugin_api::{Failure, FailureKind, Outcome};

use crate::double::{Behaviour, Double};
use crate::support::{fleet, run};

struct App {
    double: Arc<Double>,
    client: Client,
    project: Arc<Project>,
}

/// The service as version `image`, with `count` instances.
fn web(image: &str, count: u32) -> Wish {
    let spec = ContainerSpec { image: image.to_owned(), stop_timeout: 5, ..ContainerSpec::default() };
    let update = Update {
        batch: 1,
        order: Order::StartFirst,
        settle_ms: 2000,
        ready_within_ms: 60_000,
        rollback: true,
    };
    let service = Service {
        name: "web".to_owned(),
        spec: Arc::new(spec),
        scale: Scale::Replicas(count),
        place: Place { roles: vec!["web".to_owned()], nodes: Vec::new() },
        update,
    };
    Wish {
        id: format!("{image}-{count}"),
        release: format!("r-{image}"),
        image: format!("registry/{image}"),
        spread: false,
        service,
        before: None,
        given_up: GivenUp::No,
    }
}

impl App {
    fn new() -> Self {
        let (double, client) = fleet();
        Self { double, client, project: Arc::new(Project { name: "shop".to_owned(), environment: None }) }
    }

    async fn seen(&self) -> Option<Seen> {
        let look = drive::look(&self.client).await.unwrap();
        observe::observation(&self.project, &look, false).services.pop()
    }

    async fn apply(&self, wish: Wish) -> Result<bool, Failure> {
        let revision = self.seen().await.map(|seen| seen.revision);
        change::apply(&self.client, &self.project, wish, revision.as_deref()).await
    }

    async fn ready(&self, id: &str) -> Result<u32, Failure> {
        let (project, service, id) = (self.project.clone(), "web".to_owned(), id.to_owned());
        let request = Ready { project, service, id, settle_ms: 3000, timeout_ms: 600_000 };
        change::ready(&self.client, &request, async |machine, unit| {
            vec![format!("{unit} printed this on {}", machine.metadata["name"])]
        })
        .await
    }

    async fn deploy(&self, wish: Wish) -> Result<u32, Failure> {
        let id = wish.id.clone();
        self.apply(wish).await?;
        self.ready(&id).await
    }

    async fn remove(&self, revision: &str) -> Result<(), Failure> {
        let services = vec![Named { name: "web".to_owned(), revision: revision.to_owned() }];
        change::remove(&self.client, &Remove { project: self.project.clone(), services }).await
    }

    fn running(&self) -> usize {
        self.double.world(|world| world.running().iter().filter(|unit| unit.ends_with("running")).count())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.double.wrongs(), [""; 0]);
        }
    }
}

#[test]
fn first_deploy_update_scale_and_remove() {
    run(async {
        let app = App::new();
        assert_eq!(app.seen().await, None);
        assert_eq!(app.apply(web("one", 2)).await, Ok(true));
        assert_eq!(app.seen().await.unwrap().rollout, Rollout::Settled);
        assert_eq!(app.ready("one-2").await, Ok(2));
        let one = app.seen().await.unwrap();
        assert_eq!(
            (one.id.as_str(), one.release.as_str(), one.image.as_str()),
            ("one-2", "r-one", "registry/one")
        );
        assert_eq!((one.wanted, one.service.as_deref()), (2, Some(&web("one", 2).service)));
        let told: Vec<_> =
            one.instances.iter().map(|i| (i.number, i.node.as_str(), i.state, i.id.as_str())).collect();
        assert_eq!(
            told,
            [(Some(1), "m1", State::Running, "one-2"), (Some(2), "m2", State::Running, "one-2")]
        );
        // The same again is no change, whatever was seen.
        let again = change::apply(&app.client, &app.project, web("one", 2), Some("old news")).await;
        assert_eq!((again, app.seen().await.unwrap()), (Ok(false), one.clone()));

        assert_eq!(app.deploy(web("two", 2)).await, Ok(2));
        let two = app.seen().await.unwrap();
        assert_eq!((two.id.as_str(), two.rollout, two.instances.len()), ("two-2", Rollout::Settled, 2));
        assert!(two.instances.iter().all(|instance| instance.id == "two-2"));

        app.double.asked();
        assert_eq!(app.deploy(web("two", 3)).await, Ok(3));
        let puts = app.double.asked().into_iter().filter(|asked| asked.starts_with("PUT ")).count();
        assert_eq!((puts, app.running()), (2, 3), "what is to be, and the third");
        assert_eq!(app.deploy(web("two", 1)).await, Ok(1));
        assert_eq!(app.running(), 1);

        let refused = app.remove("old news").await.unwrap_err();
        assert_eq!((refused.kind, app.running()), (FailureKind::Stale, 1));
        app.remove(&app.seen().await.unwrap().revision).await.unwrap();
        assert_eq!((app.seen().await, app.running()), (None, 0));
        assert!(app.client.units().await.unwrap().is_empty());
        app.remove("whatever").await.unwrap();
    });
}

#[test]
fn a_failed_update_is_undone_and_said_so() {
    run(async {
        let app = App::new();
        app.deploy(web("good", 2)).await.unwrap();
        let before = app.double.world(|world| world.running());
        app.double.world(|world| world.behave("registry/broken", Behaviour::Loops));
        let failure = app.deploy(web("broken", 2)).await.unwrap_err();
        let told = failure.to_string();
        let begin = "`web.1` does not come up in fleet on `m1`: it ends again and again: shop.web.";
        let end = "@1.service printed this on m1: what was there before is there again";
        assert!(told.starts_with(begin) && told.ends_with(end), "{told}");
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Failed, Outcome::Partial));
        assert!(failure.hint.unwrap().contains("journalctl --unit 'shop.web."));
        assert_eq!(app.double.world(|world| world.running()), before);
        let seen = app.seen().await.unwrap();
        assert_eq!(
            (seen.id.as_str(), seen.rollout, seen.instances.len()),
            ("good-2", Rollout::RolledBack, 2)
        );
        assert!(seen.message.contains("again and again"));
        // The next one goes on from there.
        assert_eq!(app.deploy(web("better", 2)).await, Ok(2));
        assert_eq!(app.seen().await.unwrap().rollout, Rollout::Settled);
    });
}

#[test]
fn one_that_is_not_to_be_undone_stops_where_it_is() {
    run(async {
        let app = App::new();
        app.deploy(web("good", 1)).await.unwrap();
        app.double.world(|world| world.behave("registry/broken", Behaviour::Fails));
        let mut broken = web("broken", 1);
        broken.service.update.rollback = false;
        app.deploy(broken).await.unwrap_err();
        let seen = app.seen().await.unwrap();
        assert_eq!((seen.id.as_str(), seen.rollout, app.running()), ("broken-1", Rollout::Paused, 1));
        let states: Vec<_> =
            seen.instances.iter().map(|instance| (instance.state, instance.id.as_str())).collect();
        assert!(
            states.contains(&(State::Stopped, "broken-1")) && states.contains(&(State::Running, "good-1"))
        );
        // What another one would go back to is what has served.
        app.double.world(|world| world.behave("registry/worse", Behaviour::Fails));
        app.deploy(web("worse", 1)).await.unwrap_err();
        assert_eq!((app.seen().await.unwrap().id.as_str(), app.running()), ("good-1", 1));
    });
}

#[test]
fn the_first_one_that_fails_has_nothing_to_go_back_to() {
    run(async {
        let app = App::new();
        app.double.world(|world| world.behave("registry/broken", Behaviour::Bad));
        let failure = app.deploy(web("broken", 1)).await.unwrap_err();
        assert!(failure.message.ends_with("systemd does not load it: `bad-setting`"), "{failure}");
        assert_eq!(app.seen().await.unwrap().rollout, Rollout::Paused);
        let revision = app.seen().await.unwrap().revision;
        app.remove(&revision).await.unwrap();
        assert!(app.client.units().await.unwrap().is_empty());
    });
}

#[test]
fn a_service_that_another_has_changed_is_left_alone() {
    run(async {
        let app = App::new();
        app.deploy(web("one", 1)).await.unwrap();
        for seen in [None, Some("old news")] {
            let failure = change::apply(&app.client, &app.project, web("two", 1), seen).await.unwrap_err();
            assert_eq!((failure.kind, failure.outcome), (FailureKind::Stale, Outcome::None));
        }
        assert_eq!(app.ready("two-1").await.unwrap_err().kind, FailureKind::Stale);
        assert_eq!(app.seen().await.unwrap().id, "one-1");
    });
}

#[test]
fn one_without_a_machine_says_what_was_asked_for() {
    run(async {
        let app = App::new();
        let mut lost = web("one", 1);
        lost.service.place.roles = vec!["gpu".to_owned()];
        let failure = app.deploy(lost).await.unwrap_err();
        assert!(failure.message.contains("fleet has no machine for it"), "{failure}");
        let hint = failure.hint.unwrap();
        assert!(
            hint.starts_with("check `X-Fleet`") && hint.ends_with("wants a machine with `role=gpu`"),
            "{hint}"
        );
    });
}

#[test]
fn what_fleet_must_not_be_told_is_refused_before_anything_is_asked() {
    run(async {
        let app = App::new();
        let mut leaks = web("one", 1);
        let mut spec = (*leaks.service.spec).clone();
        spec.secrets.insert("PASSWORD".to_owned(), Default::default());
        leaks.service.spec = Arc::new(spec);
        app.double.asked();
        let failure = change::apply(&app.client, &app.project, leaks, None).await.unwrap_err();
        assert_eq!((failure.kind, app.double.asked()), (FailureKind::Invalid, vec![]));
        assert!(failure.to_string().contains("all can read who reach fleet's API"), "{failure}");
    });
}
