//! What is with a unit, by what systemd says of it where it is to be. Pure.
//!
//! fleet's own `currentState` is not asked: it is `launched` for what has failed too. And a row counts only with the hash of the text
//! that is wanted, since for some seconds after a change the old one is still there, and runs.

use crate::place::Place;
use crate::unit::{Desired, hash};
use crate::wire::{Machine, Row, Unit};

/// A fleet at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// All machines.
    pub machines: Vec<Machine>,
    /// All units.
    pub units: Vec<Unit>,
    /// What systemd says of them.
    pub rows: Vec<Row>,
}

/// A unit that is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub unit: String,
    /// The number of its instance.
    pub number: u32,
    /// The hash of its text.
    pub hash: String,
    /// Where it may run.
    pub place: Place,
    /// Whether it is to run on all such machines.
    pub is_everywhere: bool,
}

/// What is with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not declared so.
    Missing,
    /// fleet has no machine for it, yet or ever.
    Unplaced,
    /// It is on its way; systemd's word for that, which may be none yet.
    Coming(String),
    /// It does nothing: it has not begun, or has ended.
    Idle,
    /// It has ended, and is being started again.
    Restarting,
    /// It runs.
    Active,
    /// It does not come to that; why.
    Failed(String),
}

/// What is with a unit; where it is to be on several machines, what is worst.
pub fn standing(target: &Target, look: &Look) -> Standing {
    let Some(unit) = look.units.iter().find(|unit| unit.name == target.unit) else {
        return Standing::Missing;
    };
    if unit.desired_state != Desired::Launched || hash(&unit.options) != target.hash {
        return Standing::Missing;
    }
    let machines = machines(target, unit, look);
    let each = machines.iter().map(|machine| on(target, machine, look));
    each.max_by_key(badness).unwrap_or(Standing::Unplaced)
}

/// Where the unit is to be.
fn machines<'a>(target: &Target, unit: &'a Unit, look: &'a Look) -> Vec<&'a str> {
    let fitting = look.machines.iter().filter(|machine| target.place.has(machine));
    match target.is_everywhere {
        true => fitting.map(|machine| machine.id.as_str()).collect(),
        false => unit.machine.as_deref().into_iter().collect(),
    }
}

fn on(target: &Target, machine: &str, look: &Look) -> Standing {
    let mut rows = look.rows.iter().filter(|row| row.name == target.unit && row.machine == machine);
    let Some(row) = rows.find(|row| row.hash == target.hash) else { return Standing::Coming(String::new()) };
    match (row.load.as_str(), row.active.as_str(), row.sub.as_str()) {
        ("loaded", "active" | "reloading", _) => Standing::Active,
        ("loaded", "failed", sub) => Standing::Failed(format!("systemd says `failed` ({sub})")),
        ("loaded", "activating", "auto-restart") => Standing::Restarting,
        ("loaded", "inactive", _) => Standing::Idle,
        ("loaded", active, sub) => Standing::Coming(format!("{active}/{sub}")),
        (load, _, _) => Standing::Failed(format!("systemd does not load it: `{load}`")),
    }
}

fn badness(standing: &Standing) -> u8 {
    match standing {
        Standing::Active => 0,
        Standing::Coming(_) => 1,
        Standing::Idle => 2,
        Standing::Restarting => 3,
        Standing::Missing | Standing::Unplaced => 4,
        Standing::Failed(_) => 5,
    }
}

/// Whether nothing of a unit runs any more that is not to run. Without a row it is so only where it has no machine: a row comes
/// late.
pub fn is_stopped(unit: &Unit, look: &Look) -> bool {
    let mut rows = look.rows.iter().filter(|row| row.name == unit.name).peekable();
    let has_come = rows.peek().is_some() || unit.machine.is_none();
    unit.desired_state != Desired::Launched
        && has_come
        && rows.all(|row| matches!(row.active.as_str(), "inactive" | "failed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::UnitOption;

    fn machine(id: &str, role: &str) -> Machine {
        Machine {
            id: id.to_owned(),
            metadata: [("role".to_owned(), role.to_owned())].into(),
            ..Machine::default()
        }
    }

    fn options() -> Vec<UnitOption> {
        vec![UnitOption::new("Service", "ExecStart", "/bin/true")]
    }

    fn target(is_everywhere: bool) -> Target {
        let place = Place { roles: vec!["web".to_owned()], ..Place::default() };
        Target { unit: "u@1.service".to_owned(), number: 1, hash: hash(&options()), place, is_everywhere }
    }

    fn row(machine: &str, states: &str) -> Row {
        let words: Vec<String> = states.split('/').map(str::to_owned).collect();
        let [load, active, sub] = &words[..] else { panic!("{states}") };
        Row {
            name: "u@1.service".to_owned(),
            hash: target(false).hash,
            machine: machine.to_owned(),
            load: load.clone(),
            active: active.clone(),
            sub: sub.clone(),
        }
    }

    fn look(desired: Desired, machine_: Option<&str>, rows: Vec<Row>) -> Look {
        let unit = Unit {
            name: "u@1.service".to_owned(),
            options: options(),
            desired_state: desired,
            machine: machine_.map(str::to_owned),
        };
        let machines = vec![machine("a", "web"), machine("b", "web"), machine("c", "db")];
        Look { machines, units: vec![unit], rows }
    }

    #[test]
    fn what_systemd_says_where_it_is_to_be_counts() {
        use Standing::{Active, Coming, Failed, Idle, Restarting, Unplaced};
        let old = Row { hash: "old".to_owned(), ..row("a", "loaded/active/running") };
        for (machine, rows, expected) in [
            (None, vec![], Unplaced),
            (None, vec![row("a", "loaded/active/running")], Unplaced),
            (Some("a"), vec![], Coming(String::new())),
            // That of a machine that is gone, of another unit, and of the text before.
            (Some("a"), vec![row("b", "loaded/active/running")], Coming(String::new())),
            (
                Some("a"),
                vec![Row { name: "v".to_owned(), ..row("a", "loaded/active/running") }],
                Coming(String::new()),
            ),
            (Some("a"), vec![old], Coming(String::new())),
            (Some("a"), vec![row("a", "loaded/active/running"), row("b", "loaded/failed/failed")], Active),
            (Some("a"), vec![row("a", "loaded/inactive/dead")], Idle),
            (
                Some("a"),
                vec![row("a", "loaded/activating/start-pre")],
                Coming("activating/start-pre".to_owned()),
            ),
            (Some("a"), vec![row("a", "loaded/activating/auto-restart")], Restarting),
            (
                Some("a"),
                vec![row("a", "loaded/failed/failed")],
                Failed("systemd says `failed` (failed)".to_owned()),
            ),
            (
                Some("a"),
                vec![row("a", "bad-setting/inactive/dead")],
                Failed("systemd does not load it: `bad-setting`".to_owned()),
            ),
        ] {
            assert_eq!(
                standing(&target(false), &look(Desired::Launched, machine, rows.clone())),
                expected,
                "{rows:?}"
            );
        }
    }

    #[test]
    fn what_is_declared_otherwise_is_missing() {
        let running = || vec![row("a", "loaded/active/running")];
        assert_eq!(standing(&target(false), &look(Desired::Loaded, Some("a"), running())), Standing::Missing);
        assert_eq!(standing(&target(false), &Look::default()), Standing::Missing);
        let other = Target { hash: "other".to_owned(), ..target(false) };
        assert_eq!(standing(&other, &look(Desired::Launched, Some("a"), running())), Standing::Missing);
    }

    #[test]
    fn one_that_is_everywhere_has_to_be_on_every_machine_that_fits() {
        let running = |machine| row(machine, "loaded/active/running");
        let of = |rows| standing(&target(true), &look(Desired::Launched, None, rows));
        assert_eq!(of(vec![running("a")]), Standing::Coming(String::new()));
        assert_eq!(of(vec![running("a"), running("b")]), Standing::Active);
        assert_eq!(of(vec![running("a"), row("b", "loaded/activating/auto-restart")]), Standing::Restarting);
        let nowhere = Look { machines: vec![machine("c", "db")], ..look(Desired::Launched, None, vec![]) };
        assert_eq!(standing(&target(true), &nowhere), Standing::Unplaced);
    }

    #[test]
    fn a_unit_is_stopped_once_systemd_says_so() {
        for (desired, machine, rows, expected) in [
            (Desired::Launched, Some("a"), vec![row("a", "loaded/inactive/dead")], false),
            (Desired::Loaded, Some("a"), vec![], false),
            (Desired::Loaded, None, vec![], true),
            (Desired::Loaded, Some("a"), vec![row("a", "loaded/deactivating/stop")], false),
            (Desired::Loaded, Some("a"), vec![row("a", "loaded/active/running")], false),
            (Desired::Loaded, Some("a"), vec![row("a", "loaded/failed/failed")], true),
            (
                Desired::Loaded,
                None,
                vec![row("a", "loaded/inactive/dead"), row("b", "loaded/active/running")],
                false,
            ),
            (Desired::Inactive, None, vec![row("a", "loaded/inactive/dead")], true),
        ] {
            let look = look(desired, machine, rows);
            assert_eq!(is_stopped(&look.units[0], &look), expected, "{look:?}");
        }
    }
}
