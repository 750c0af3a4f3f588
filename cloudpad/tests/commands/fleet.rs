//! A project in a fleet, from its first deploy until it is gone. The fleet is the double of `plugins/fleet`, whose seconds pass
//! with each look at it.

use crate::room::{Room, Run};

#[path = "../../../plugins/fleet/tests/double/mod.rs"]
mod double;

use double::{Behaviour, Double, Fault};

struct Fleet {
    room: Room,
    double: Double,
}

impl Fleet {
    fn new() -> Self {
        let double = Double::start();
        double.world(|world| world.pace = 1);
        Self { room: Room::new(), double }
    }

    /// The project with these lines in its service.
    fn config(&self, service: &str) {
        let stage = format!(
            "[deploy]\nsettle = \"0s\"\nready_timeout = \"20s\"\n[stages.deploy]\nprovider = \"fleet\"\n\
             config = {{ endpoint = \"http://127.0.0.1:{}\" }}\n",
            self.double.port()
        );
        self.room.config(&format!("roles = [\"web\"]\n{service}\n{stage}"));
    }

    fn deploy(&self) -> Run {
        self.room.run(&["deploy", "--yes"])
    }

    /// What runs, as `MACHINE SUB`, with the text of each unit's command.
    fn running(&self) -> Vec<(String, String)> {
        let command = |unit: &str, world: &double::World| {
            let options = &world.units[unit].options;
            options.iter().find(|(_, name, _)| name == "ExecStart").unwrap().2.clone()
        };
        self.double.world(|world| {
            let running = world.running();
            let told = running.iter().filter_map(|line| line.split_once(' '));
            told.map(|(unit, at)| (at.to_owned(), command(unit, world))).collect()
        })
    }

    #[track_caller]
    fn runs(&self, machines: &[&str], words: &str) {
        let running = self.running();
        let at: Vec<&str> = running.iter().map(|(at, _)| at.as_str()).collect();
        let expected: Vec<String> = machines.iter().map(|machine| format!("{machine} running")).collect();
        assert_eq!(at, expected, "{running:?}");
        assert!(running.iter().all(|(_, command)| command.contains(words)), "no {words} in {running:?}");
    }
}

#[test]
fn first_deploy_update_failed_update_scale_and_away() {
    let fleet = Fleet::new();
    fleet.config("replicas = 2\nenv = { GREETING = \"one\" }");
    fleet.room.run(&["check"]).expect(0).says("1 image, in a cluster");
    fleet.room.run(&["plan"]).expect(0).shows("web");
    assert!(fleet.running().is_empty());
    fleet.deploy().expect(0);
    fleet.runs(&["m1", "m2"], "GREETING=one");
    fleet.room.run(&["plan", "--exit-code"]).expect(0);
    fleet.room.run(&["doctor"]).expect(0).shows("ok cluster it answers").says("all is well");

    // Trouble that passes is nobody's failure.
    fleet.double.faults([Fault::Status(503), Fault::Closed]);
    fleet.config("replicas = 2\nenv = { GREETING = \"two words\" }");
    fleet.room.run(&["plan", "--exit-code"]).expect(3);
    fleet.deploy().expect(0);
    let two = fleet.running();
    assert_eq!(two.len(), 2);
    assert!(two.iter().all(|(_, command)| command.contains("\"--env=GREETING=two words\"")), "{two:?}");

    fleet.double.world(|world| world.behave("GREETING=broken", Behaviour::Fails));
    fleet.config("replicas = 2\nenv = { GREETING = \"broken\" }");
    let failed = fleet.deploy().expect(1);
    failed.says("`web.1` does not come up in fleet").says("systemd says `failed`");
    assert_eq!(fleet.running(), two);

    fleet.config("replicas = 3\nenv = { GREETING = \"two words\" }");
    fleet.deploy().expect(0);
    assert_eq!(fleet.running().len(), 3);
    assert!(fleet.running().iter().all(|(at, _)| !at.starts_with("m3")), "it has another role");
    assert!(two.iter().all(|unit| fleet.running().contains(unit)));
    fleet.config("replicas = 1\nenv = { GREETING = \"two words\" }");
    fleet.deploy().expect(0);
    assert_eq!(fleet.running().len(), 1);

    // Another service takes its place.
    let config = fleet.room.read("project/Cloudpad.toml").replace("services.web", "services.other");
    fleet.room.write("project/Cloudpad.toml", &config);
    fleet.deploy().expect(0);
    let units = fleet.double.world(|world| world.units.keys().cloned().collect::<Vec<_>>());
    assert!(units.iter().all(|unit| !unit.starts_with("shop.web.")), "{units:?}");
    assert_eq!(fleet.running().len(), 1);
    assert_eq!(fleet.double.wrongs(), [""; 0]);
}

#[test]
fn what_fleet_cannot_be_asked_for_is_refused_at_its_place_before_anything_is_done() {
    let fleet = Fleet::new();
    fleet.room.write("project/.env", "PASSWORD=hunter2\n");
    fleet.config("secrets = [\"PASSWORD\"]");
    for command in [&["check"][..], &["deploy", "--yes"]] {
        let refused = fleet.room.run(command).expect(2);
        refused.says("secrets = [").says("all can read who reach fleet's API");
    }
    assert!(fleet.double.asked().iter().all(|asked| asked.starts_with("GET ")));
}
