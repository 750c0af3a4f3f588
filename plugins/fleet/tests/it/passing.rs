//! The double does what a real fleetd 1.0 was seen to do: what comes when. I/O: the double.

use crate::double::{Behaviour, Double};
use crate::facts::{JSON, SLEEPS, ask};

fn put(double: &Double, name: &str, body: &str) -> (u16, String) {
    ask(double, "PUT", &format!("units/{name}"), JSON, body)
}

fn launched(double: &Double, name: &str) {
    assert_eq!(put(double, name, &format!(r#"{{"desiredState":"launched",{SLEEPS}}}"#)).0, 201);
}

fn row(double: &Double, name: &str) -> String {
    ask(double, "GET", &format!("state?unitName={name}"), "", "").1
}

#[test]
fn a_unit_gets_a_row_after_some_seconds_and_keeps_the_old_hash_after_it_was_replaced() {
    let double = Double::start();
    launched(&double, "e.service");
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(row(&double, "e.service"));
        double.pass(1);
    }
    let has = |at: usize, word: &str| assert!(seen[at].contains(word), "{at}: {}", seen[at]);
    assert_eq!(seen[..3], ["{}", "{}", "{}"]);
    has(3, r#""inactive""#);
    has(4, "start-pre");
    has(5, r#""running""#);
    let old = seen[5].clone();
    let other = r#"{"desiredState":"launched","options":[{"section":"Service","name":"ExecStart","value":"/bin/true"}]}"#;
    assert_eq!(put(&double, "e.service", other).0, 201);
    double.pass(3);
    assert_eq!(row(&double, "e.service"), old);
    double.pass(1);
    assert_eq!(row(&double, "e.service"), "{}");
    double.pass(3);
    assert!(row(&double, "e.service").contains("running") && row(&double, "e.service") != old);
}

#[test]
fn a_destroyed_unit_keeps_its_row_for_a_while_and_what_ran_is_written_down() {
    let double = Double::start();
    launched(&double, "d.service");
    double.pass(6);
    assert_eq!(ask(&double, "DELETE", "units/d.service", "", "").0, 204);
    double.pass(5);
    assert!(row(&double, "d.service").contains("d.service"));
    double.pass(1);
    assert_eq!(row(&double, "d.service"), "{}");
    assert_eq!(double.wrongs(), ["d.service was destroyed while it ran"]);
}

#[test]
fn four_copies_that_conflict_on_three_machines_leave_one_without_a_place() {
    let double = Double::start();
    let body = SLEEPS.replace(']', r#",{"section":"X-Fleet","name":"Conflicts","value":"web@*.service"}]"#);
    for number in 1..=4 {
        assert_eq!(
            put(
                &double,
                &format!("web@{number}.service"),
                &format!(r#"{{"desiredState":"launched",{body}}}"#)
            )
            .0,
            201
        );
    }
    double.pass(9);
    assert_eq!(double.world(|world| world.running().len()), 3);
    assert!(!ask(&double, "GET", "units/web@4.service", "", "").1.contains("machineID"));
}

#[test]
fn what_fails_loops_or_is_not_loaded_says_so_in_its_row_alone() {
    let double = Double::start();
    double.world(|world| {
        world.behave("sleep", Behaviour::Fails);
        world.behave("Description=l", Behaviour::Loops);
    });
    launched(&double, "f.service");
    let loops = SLEEPS.replace('[', r#"[{"section":"Unit","name":"Description","value":"l"},"#);
    put(&double, "l.service", &format!(r#"{{"desiredState":"launched",{loops}}}"#));
    let bad = SLEEPS.replace("/bin/sleep", "sleep");
    put(&double, "b.service", &format!(r#"{{"desiredState":"launched",{bad}}}"#));
    double.pass(9);
    for (name, word) in
        [("f.service", r#""failed""#), ("l.service", "auto-restart"), ("b.service", "bad-setting")]
    {
        assert!(row(&double, name).contains(word), "{}", row(&double, name));
        assert!(
            ask(&double, "GET", &format!("units/{name}"), "", "").1.contains(r#""currentState":"launched""#)
        );
    }
}
