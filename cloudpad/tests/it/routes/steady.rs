//! Under steady load on every host, twenty updates, five steps back and an update that fails lose no request.

use std::sync::PoisonError;

use super::Routed;

/// How many requests there are at least.
const REQUESTS: usize = 100_000;
const UPDATES: usize = 20;
const STEPS_BACK: usize = 5;

#[test]
fn twenty_updates_five_steps_back_and_a_failing_update_lose_no_request() {
    let _beside = super::CERTIFICATES.read().unwrap_or_else(PoisonError::into_inner);
    let routed = Routed::new("steady", &[1, 2, 3]);
    let keep = UPDATES + STEPS_BACK;
    routed.configure("", &format!("[deploy]\nbatch = \"100%\"\nkeep = {keep}\nready_timeout = \"10s\"\n"));
    routed.deploy();
    let load = routed.load();
    load.settles_on("one", 0);
    let pages: Vec<String> = (1..=UPDATES).map(|number| format!("version {number}")).collect();
    let back = pages.iter().rev().skip(1).take(STEPS_BACK);
    let steps = pages.iter().map(|page| ("deploy", page)).chain(back.map(|page| ("rollback", page)));
    for (number, (command, page)) in (1..).zip(steps) {
        load.while_doing(&format!("{command} to {page:?}"));
        if command == "deploy" {
            routed.project.page(page);
        }
        let outcome = routed.project.run(&[command, "--yes", "--json"]).expect(0);
        assert_eq!(outcome.changes().len(), 3, "{}", outcome.text());
        load.settles_on(page, number * REQUESTS / (UPDATES + STEPS_BACK));
    }
    load.while_doing("deploy of what is never well");
    routed.project.page("sick");
    let outcome = routed.project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "undone", "{}", outcome.text());
    load.settles_on(&pages[UPDATES - 1 - STEPS_BACK], REQUESTS + 1_000);
    let heard = load.end();
    heard.none_failed();
    assert!(heard.sockets > UPDATES, "old containers are given some time, and no more: {}", heard.sockets);
}
