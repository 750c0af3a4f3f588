//! Rollouts in the double's fleet. I/O: the double.

use std::sync::Arc;
use std::time::Duration;

use cloudpad_fleet::client::Client;
use cloudpad_fleet::drive::{End, Rollout};
use cloudpad_fleet::judge::Target;
use cloudpad_fleet::names::Instance;
use cloudpad_fleet::place::Place;
use cloudpad_fleet::rollout::Goal;
use cloudpad_fleet::service::{Template, Wanted, template};
use cloudpad_plugin_api::model::{ContainerSpec, Project};

use crate::double::{Behaviour, Double, Fault};
use crate::support::{fleet, run};

struct Shop {
    double: Arc<Double>,
    client: Client,
    project: Project,
    is_everywhere: bool,
    is_spread: bool,
    is_start_first: bool,
}

impl Shop {
    fn new() -> Self {
        let (double, client) = fleet();
        let project = Project { name: "shop".to_owned(), environment: None };
        Self { double, client, project, is_everywhere: false, is_spread: false, is_start_first: true }
    }

    fn template(&self, image: &str) -> Template {
        let (spec, place) = (ContainerSpec { stop_timeout: 5, ..ContainerSpec::default() }, Self::place());
        let wanted = Wanted {
            project: &self.project,
            service: "web",
            spec: &spec,
            image,
            place: &place,
            is_everywhere: self.is_everywhere,
            is_spread: self.is_spread,
        };
        template(&wanted).unwrap()
    }

    fn place() -> Place {
        Place { roles: vec!["web".to_owned()], ..Place::default() }
    }

    fn unit(&self, image: &str, number: u32) -> String {
        let digest = self.template(image).digest;
        Instance { service: "web".to_owned(), digest, number }.unit(&self.project)
    }

    async fn roll(&self, image: &str, count: u32) -> End {
        let template = self.template(image);
        let target = |number| Target {
            unit: self.unit(image, number),
            number,
            hash: template.hash.clone(),
            place: Self::place(),
            is_everywhere: self.is_everywhere,
        };
        let goal = Goal {
            targets: (1..=count).map(target).collect(),
            is_start_first: self.is_start_first,
            batch: 1,
            settle: 3000,
            within: 60_000,
        };
        let rollout = Rollout { project: &self.project, service: "web", options: &template.options, goal };
        rollout.finish(&self.client, Duration::from_secs(600)).await.unwrap()
    }

    /// What runs, sorted, as `UNIT MACHINE SUB`.
    fn running(&self) -> Vec<String> {
        self.double.world(|world| world.running())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.double.wrongs(), [""; 0]);
        }
    }
}

#[test]
fn first_deploy_update_scale_and_away() {
    run(async {
        let shop = Shop::new();
        assert_eq!(shop.roll("one", 2).await, End::Done);
        let old = shop.running();
        let running = |image: &str, number: u32, machine: &str| {
            format!("{} {machine} running", shop.unit(image, number))
        };
        assert_eq!(old, [running("one", 1, "m1"), running("one", 2, "m2")]);
        // Again: nothing to do.
        shop.double.asked();
        assert_eq!(shop.roll("one", 2).await, End::Done);
        assert!(shop.double.asked().iter().all(|asked| asked.starts_with("GET ")));
        assert_eq!(shop.roll("two", 2).await, End::Done);
        assert!(
            shop.running().iter().all(|unit| unit.ends_with("running") && !old.contains(unit)),
            "{:?}",
            shop.running()
        );
        assert_eq!(shop.roll("two", 3).await, End::Done);
        assert_eq!(shop.running().len(), 3);
        assert_eq!(shop.roll("two", 1).await, End::Done);
        assert_eq!(shop.running().len(), 1);
        assert_eq!(shop.roll("two", 0).await, End::Done);
        assert!(shop.running().is_empty() && shop.client.units().await.unwrap().is_empty());
    });
}

#[test]
fn what_fails_is_told_while_the_old_one_goes_on_and_going_back_touches_it_not() {
    for (behaviour, why) in [
        (Behaviour::Fails, "systemd says `failed` (failed)"),
        (Behaviour::FailsAfter(2), "systemd says `failed` (failed)"),
        (Behaviour::Loops, "it ends again and again"),
        (Behaviour::Ends, "it does not serve, not within 60 s"),
        (Behaviour::Bad, "systemd does not load it: `bad-setting`"),
        (Behaviour::Runs(200), "it does not serve, not within 60 s: activating/start-pre"),
    ] {
        run(async {
            let shop = Shop::new();
            assert_eq!(shop.roll("good", 2).await, End::Done);
            let good = shop.running();
            shop.double.world(|world| world.behave(">/dev/null\" broken", behaviour));
            let End::Failed(fault) = shop.roll("broken", 2).await else { panic!("{behaviour:?}") };
            assert_eq!((fault.why.as_str(), fault.unit), (why, shop.unit("broken", 1)), "{behaviour:?}");
            assert!(good.iter().all(|unit| shop.running().contains(unit)));
            assert_eq!(shop.roll("good", 2).await, End::Done);
            assert_eq!(shop.running(), good);
        });
    }
}

#[test]
fn one_for_which_there_is_no_machine_is_told() {
    run(async {
        let mut shop = Shop::new();
        shop.is_spread = true;
        let End::Failed(fault) = shop.roll("one", 3).await else { panic!() };
        assert!(fault.is_unplaced && fault.why.contains("no machine"), "{fault:?}");
        assert_eq!(shop.running().len(), 2);
        assert_eq!(shop.roll("one", 0).await, End::Done);
    });
}

#[test]
fn stop_first_waits_for_what_stops_slowly() {
    run(async {
        let mut shop = Shop::new();
        shop.is_start_first = false;
        assert_eq!(shop.roll("one", 2).await, End::Done);
        shop.double.world(|world| world.behave("\" one", Behaviour::StopsAfter(12)));
        assert_eq!(shop.roll("two", 2).await, End::Done);
        assert_eq!(shop.running().len(), 2);
    });
}

#[test]
fn one_on_every_machine() {
    run(async {
        let mut shop = Shop::new();
        shop.is_everywhere = true;
        assert_eq!(shop.roll("one", 1).await, End::Done);
        assert_eq!(shop.running().len(), 2);
        assert_eq!(shop.roll("two", 1).await, End::Done);
        let unit = shop.unit("two", 1);
        assert_eq!(shop.running(), [format!("{unit} m1 running"), format!("{unit} m2 running")]);
        // Another machine comes, and gets one too.
        shop.double.world(|world| {
            let metadata = [("role".to_owned(), "web".to_owned()), ("name".to_owned(), "m4".to_owned())];
            world.machines.insert("f1ee7004000000000000000000000004".to_owned(), metadata.into());
        });
        assert_eq!(shop.roll("two", 1).await, End::Done);
        assert_eq!(shop.running().len(), 3);
        assert_eq!(shop.roll("two", 0).await, End::Done);
        assert!(shop.running().is_empty());
    });
}

#[test]
fn a_machine_that_dies_in_the_middle_and_a_fleet_with_trouble_are_survived() {
    run(async {
        let shop = Shop::new();
        assert_eq!(shop.roll("one", 2).await, End::Done);
        shop.double.world(|world| world.machines.pop_first());
        shop.double.faults([Fault::Status(500), Fault::Closed, Fault::Lost, Fault::Status(503)]);
        assert_eq!(shop.roll("two", 2).await, End::Done);
        let unit = |number| format!("{} m2 running", shop.unit("two", number));
        let mine: Vec<String> = shop.running().into_iter().filter(|unit| unit.contains("running")).collect();
        assert_eq!(mine, [unit(1), unit(2)]);
    });
}
