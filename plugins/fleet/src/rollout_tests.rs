//! Tests of the steps of a rollout. Pure.

use super::*;
use crate::place::Place;
use crate::unit::{UnitOption, hash};
use crate::wire::Row;

fn options(version: &str) -> Vec<UnitOption> {
    vec![UnitOption::new("Unit", "Description", version), UnitOption::new("Service", "TimeoutStopSec", "20")]
}

fn name(version: &str, number: u32) -> String {
    format!("p.web.{version}@{number}.service")
}

fn goal(version: &str, count: u32, is_start_first: bool, batch: usize) -> Goal {
    let target = |number| Target {
        unit: name(version, number),
        number,
        hash: hash(&options(version)),
        place: Place { roles: vec!["web".to_owned()], ..Place::default() },
        is_everywhere: false,
    };
    Goal { targets: (1..=count).map(target).collect(), is_start_first, batch, settle: 2000, within: 60_000 }
}

/// A fleet that takes no time but what `next` waits: a unit that is launched runs in the next second, or does `becomes`.
struct World {
    look: Look,
    watch: Watch,
    now: u64,
    /// What becomes of units of a version.
    becomes: (&'static str, &'static str),
    log: Vec<String>,
}

impl World {
    fn with(version: &str, count: u32) -> Self {
        let mut world = World {
            look: Look::default(),
            watch: Watch::default(),
            now: 0,
            becomes: ("", ""),
            log: Vec::new(),
        };
        (1..=count).for_each(|number| world.launch(&name(version, number)));
        world.pass();
        world.log.clear();
        world
    }

    fn launch(&mut self, unit: &str) {
        let version = unit.split('.').nth(2).unwrap().split('@').next().unwrap();
        self.look.units.retain(|other| other.name != unit);
        self.look.units.push(Unit {
            name: unit.to_owned(),
            options: options(version),
            desired_state: Desired::Launched,
            machine: Some("m".to_owned()),
        });
    }

    /// A second in which everything becomes what it is to be.
    fn pass(&mut self) {
        self.now += 1000;
        let becomes = |unit: &Unit| match unit.desired_state {
            Desired::Launched if !self.becomes.0.is_empty() && unit.name.contains(self.becomes.0) => {
                self.becomes.1
            }
            Desired::Launched => "loaded/active/running",
            _ => "loaded/inactive/dead",
        };
        let row = |unit: &Unit| {
            let words: Vec<&str> = becomes(unit).split('/').collect();
            let [load, active, sub] = [0, 1, 2].map(|at| words[at].to_owned());
            Row {
                name: unit.name.clone(),
                hash: hash(&unit.options),
                machine: "m".to_owned(),
                load,
                active,
                sub,
            }
        };
        let placed = self.look.units.iter().filter(|unit| !becomes(unit).is_empty());
        self.look.rows = placed.map(row).collect();
        for unit in &mut self.look.units {
            let is_unplaced = !self.becomes.0.is_empty() && self.becomes.1.is_empty();
            if is_unplaced && unit.name.contains(self.becomes.0) {
                unit.machine = None;
            }
        }
    }

    fn step(&mut self, goal: &Goal) -> Step {
        let is_target = |unit: &&Unit| !goal.targets.iter().any(|target| target.unit == unit.name);
        let number = |unit: &Unit| unit.name.split(['@', '.']).nth(3).unwrap().parse().unwrap();
        let units = self.look.units.clone();
        let olds: Vec<Old<'_>> =
            units.iter().filter(is_target).map(|unit| Old { number: number(unit), unit }).collect();
        next(goal, &olds, &self.look, &mut self.watch, self.now)
    }

    /// Until it is done or fails; how many have run at least and at most.
    fn run(&mut self, goal: &Goal) -> (Step, usize, usize) {
        let (mut least, mut most) = (usize::MAX, 0);
        for _ in 0..500 {
            let step = self.step(goal);
            let Step::Do(acts) = &step else { return (step, least, most) };
            for act in acts {
                match act {
                    Act::Launch(unit) => self.launch(unit),
                    Act::Stop(unit) => {
                        let unit = self.look.units.iter_mut().find(|other| other.name == *unit).unwrap();
                        unit.desired_state = Desired::Loaded;
                    }
                    Act::Destroy(unit) => {
                        let is_running = |row: &Row| row.name == *unit && row.active == "active";
                        assert!(!self.look.rows.iter().any(is_running), "{unit} runs");
                        self.look.units.retain(|other| other.name != *unit);
                    }
                }
                self.log.push(format!("{act:?}"));
            }
            self.pass();
            let running = self.look.rows.iter().filter(|row| row.active == "active").count();
            (least, most) = (least.min(running), most.max(running));
        }
        panic!("it does not end: {:#?}", self.log)
    }
}

#[test]
fn all_begin_at_once_where_nothing_runs() {
    let mut world = World::with("a", 0);
    let Step::Do(acts) = world.step(&goal("a", 3, true, 1)) else { panic!() };
    assert_eq!(acts, [1, 2, 3].map(|number| Act::Launch(name("a", number))));
    assert_eq!(world.run(&goal("a", 3, true, 1)).0, Step::Done);
    assert_eq!(world.log.len(), 3);
    // What is so is left alone.
    world.log.clear();
    assert_eq!(world.run(&goal("a", 3, true, 1)).0, Step::Done);
    assert_eq!(world.log, [""; 0]);
}

#[test]
fn new_beside_old_batch_by_batch_and_never_fewer() {
    for (batch, at_most) in [(1, 4), (2, 5), (9, 6)] {
        let mut world = World::with("a", 3);
        let (end, least, most) = world.run(&goal("b", 3, true, batch));
        assert_eq!((end, least, most), (Step::Done, 3, at_most), "{batch}: {:#?}", world.log);
        assert_eq!(world.look.units.len(), 3);
    }
    let mut world = World::with("a", 2);
    world.run(&goal("b", 2, true, 1));
    let unit = |version, number| format!("({:?})", name(version, number));
    assert_eq!(
        world.log,
        [
            format!("Launch{}", unit("b", 1)),
            format!("Stop{}", unit("a", 1)),
            format!("Destroy{}", unit("a", 1)),
            format!("Launch{}", unit("b", 2)),
            format!("Stop{}", unit("a", 2)),
            format!("Destroy{}", unit("a", 2)),
        ]
    );
}

#[test]
fn old_before_new_never_takes_more_than_a_batch_away() {
    for batch in [1, 2] {
        let mut world = World::with("a", 3);
        let (end, least, most) = world.run(&goal("b", 3, false, batch));
        assert_eq!((end, least, most), (Step::Done, 3 - batch, 3), "{batch}: {:#?}", world.log);
        let at = |entry: String| world.log.iter().position(|logged| *logged == entry).unwrap();
        for number in 1..=3 {
            let (gone, come) = (Act::Destroy(name("a", number)), Act::Launch(name("b", number)));
            assert!(at(format!("{gone:?}")) < at(format!("{come:?}")));
        }
    }
}

#[test]
fn scaling_leaves_the_others_alone() {
    let mut world = World::with("a", 2);
    assert_eq!(world.run(&goal("a", 4, true, 1)).0, Step::Done);
    assert_eq!(world.log, [3, 4].map(|number| format!("{:?}", Act::Launch(name("a", number)))));
    world.log.clear();
    let (end, least, _) = world.run(&goal("a", 1, true, 1));
    assert_eq!((end, least), (Step::Done, 1));
    assert_eq!(world.look.units.len(), 1);
}

#[test]
fn what_does_not_come_up_is_told_and_what_served_goes_on() {
    for (becomes, why, after) in [
        ("loaded/failed/failed", "systemd says `failed` (failed)", 1),
        ("bad-setting/inactive/dead", "systemd does not load it: `bad-setting`", 1),
        ("loaded/activating/auto-restart", "it ends again and again", 13),
        ("loaded/activating/start-post", "it does not serve, not within 60 s: activating/start-post", 61),
        ("loaded/inactive/dead", "it does not serve, not within 60 s", 61),
        ("", "fleet has no machine for it, not within 60 s", 61),
    ] {
        let mut world = World { becomes: (".b@", becomes), ..World::with("a", 2) };
        let begun = world.now;
        let (end, least, _) = world.run(&goal("b", 2, true, 1));
        let Step::Failed(fault) = end else { panic!("{becomes}: {end:?}") };
        assert_eq!((fault.unit, fault.why.as_str()), (name("b", 1), why));
        assert_eq!((fault.is_unplaced, least), (becomes.is_empty(), 2));
        assert_eq!((world.now - begun) / 1000, after, "{becomes}");
        // And back, without anything that serves being touched.
        world.log.clear();
        let (end, least, _) = world.run(&goal("a", 2, true, 1));
        assert_eq!((end, least, world.look.units.len()), (Step::Done, 2, 2));
        assert!(world.log.iter().all(|entry| entry.contains(".b@")), "{:?}", world.log);
    }
}

#[test]
fn one_that_runs_and_ends_before_it_has_settled_does_not_count() {
    for (then, why) in
        [("loaded/failed/failed", "systemd says `failed` (failed)"), ("loaded/inactive/dead", "it has ended")]
    {
        let mut world = World::with("a", 1);
        let goal = goal("b", 1, true, 1);
        world.launch(&name("b", 1));
        world.pass();
        assert_eq!(world.step(&goal), Step::Do(vec![]));
        world.becomes = (".b@", then);
        world.pass();
        let Step::Failed(fault) = world.step(&goal) else { panic!() };
        assert_eq!(fault.why, why);
    }
}

#[test]
fn one_that_does_not_stop_is_told() {
    let mut world = World::with("a", 1);
    world.look.units[0].desired_state = Desired::Loaded;
    let goal = goal("b", 0, true, 1);
    let now = world.now;
    assert_eq!(world.step(&goal), Step::Do(vec![]));
    world.now = now + 49_999;
    assert_eq!(world.step(&goal), Step::Do(vec![]));
    world.now += 1;
    let Step::Failed(fault) = world.step(&goal) else { panic!() };
    assert_eq!((fault.unit, fault.why), (name("a", 1), "it does not stop, not within 50 s".to_owned()));
}
