//! What hosts remember and what journals tell, as one list.

use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::{About, Release};

use super::{Row, Run, account, read, rows, table};

fn release(id: &str, by: &str, command: &str, services: &[&str]) -> Release {
    let about = About {
        by: by.to_owned(),
        from: format!("/{by}"),
        command: command.to_owned(),
        restores: (command == "rollback").then(|| "20260101T000000Z".to_owned()),
        ..About::default()
    };
    Release {
        id: id.to_owned(),
        about: Arc::new(about),
        changed: services.iter().map(|service| (*service).to_owned()).collect(),
        ..Release::default()
    }
}

/// The journal of a run on `host`, with what ends it.
fn journal(command: &str, release: &str, host: &str, end: &str) -> String {
    let time = &release[..16];
    let end = if end.is_empty() {
        String::new()
    } else {
        format!("{{\"event\":\"report\",\"ending\":\"{end}\",\"ms\":1500}}\n")
    };
    format!(
        "{{\"event\":\"run\",\"command\":\"{command}\",\"project\":\"shop\",\"time\":\"{time}\",\"by\":\"anna\",\"from\":\"/anna\"}}\n\
         {{\"event\":\"plan\",\"release\":\"{release}\",\"changes\":[],\"actions\":2,\"notes\":[]}}\n\
         {{\"event\":\"phase\",\"phase\":\"apply\",\"actions\":2}}\n\
         {{\"event\":\"started\",\"phase\":\"apply\",\"id\":0,\"method\":\"deploy.stop\",\"host\":\"{host}\",\"object\":\"web-1\"}}\n{end}"
    )
}

fn told(rows: &[Row]) -> Vec<String> {
    let names =
        |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join("+");
    let line = |row: &Row| {
        let journal = if row.journal.is_some() { " *" } else { "" };
        format!(
            "{} {} {}: {} {} {}{journal}",
            row.run,
            row.by,
            row.what(),
            row.outcome.word(),
            names(&row.services),
            names(&row.hosts)
        )
    };
    rows.iter().map(line).collect()
}

#[test]
fn what_hosts_and_journals_tell_is_one_list() {
    let deployed = release("20260103T000000Z-abc", "anna", "deploy", &["web"]);
    let elsewhere = Release { changed: vec!["api".to_owned()], ..deployed.clone() };
    let others = release("20260104T000000Z", "bob", "rollback", &["web"]);
    let cut_off = release("20260106T120000Z", "anna", "deploy", &["web"]);
    let texts = [
        journal("deploy", "20260102T000000Z", "h1", "undone"),
        journal("deploy", "20260103T000000Z-abc", "h9", "failed"),
        // Of the same second as what somebody else did, and something else.
        journal("prune", "20260104T000000Z", "h1", "done"),
        journal("maintenance", "20260105T000000Z", "h1", "interrupted"),
        journal("deploy", "20260106T000000Z", "h1", ""),
        journal("deploy", "20260106T120000Z", "h1", ""),
        journal("deploy", "20260107T000000Z", "h1", "nothing_to_do"),
    ];
    let files: Vec<String> = (0..texts.len()).map(|number| format!("{number}.jsonl")).collect();
    let runs: Vec<Run<'_>> =
        texts.iter().zip(&files).flat_map(|(text, file)| read(file, text, false).unwrap()).collect();
    let remembered = [("h1", &deployed), ("h2", &elsewhere), ("h2", &others), ("h1", &cut_off)];
    let expected = [
        "20260106T120000Z anna deploy: done web h1 *",
        "20260106T000000Z anna deploy: broken off  h1 *",
        "20260105T000000Z anna maintenance: interrupted  h1 *",
        "20260104T000000Z bob rollback to 20260101T000000Z: done web h2",
        "20260104T000000Z anna prune: done  h1 *",
        "20260103T000000Z-abc anna deploy: failed api+web h1+h2+h9 *",
        "20260102T000000Z anna deploy: failed, taken back  h1 *",
    ];
    assert_eq!(told(&rows(remembered, &runs)), expected);
    // Where nobody can be reached, and where nothing was done from.
    assert_eq!(told(&rows([], &runs)).len(), 6);
    assert_eq!(
        told(&rows(remembered, &[])),
        [
            "20260106T120000Z anna deploy: done web h1",
            expected[3],
            "20260103T000000Z-abc anna deploy: done api+web h1+h2"
        ]
    );
}

#[test]
fn a_plan_that_was_carried_out_twice_is_what_hosts_remember_of_the_second_time() {
    let texts =
        [("failed", "a"), ("done", "b")].map(|(end, host)| journal("deploy", "20260103T000000Z", host, end));
    let files = ["1.jsonl", "2.jsonl"];
    let runs: Vec<Run<'_>> =
        texts.iter().zip(files).flat_map(|(text, file)| read(file, text, false).unwrap()).collect();
    let saved = release("20260103T000000Z", "planner", "deploy", &["web"]);
    let expected =
        ["20260103T000000Z anna deploy: done web b+h1 *", "20260103T000000Z anna deploy: failed  a *"];
    assert_eq!(told(&rows([("h1", &saved)], &runs)), expected);
}

#[test]
fn a_journal_from_before_they_said_who_leaves_that_to_the_hosts() {
    let text =
        journal("deploy", "20260103T000000Z", "h1", "").replace(",\"by\":\"anna\",\"from\":\"/anna\"", "");
    let runs = read("1.jsonl", &text, true).unwrap();
    let deployed = release("20260103T000000Z", "anna", "deploy", &["web"]);
    assert_eq!(told(&rows([("h1", &deployed)], &runs)), ["20260103T000000Z anna deploy: under way web h1 *"]);
    let shown = table(&rows([], &runs));
    assert!(shown.starts_with("RUN ") && shown.contains("2026-01-03 00:00:00 UTC"), "{shown}");
}

#[test]
fn a_run_is_told_step_by_step() {
    let step = |event: &str, phase: &str, id: u32, method: &str, rest: &str| {
        format!(
            "{{\"event\":\"{event}\",\"phase\":\"{phase}\",\"id\":{id},\"method\":\"{method}\",\"host\":\"h1\",\"object\":\"web-1\"{rest}}}\n"
        )
    };
    let error = r#","ms":40,"error":{"kind":"failed","message":"it ended","causes":["no such table"],"hint":"mend it"}"#;
    let text = [
        &journal("deploy", "20260103T000000Z", "h1", ""),
        &step("done", "look", 0, "deploy.observe", ",\"ms\":3"),
        &step("done", "apply", 0, "deploy.stop", ",\"ms\":1300,\"reply\":{}"),
        &step("done", "apply", 2, "push.run", r#","ms":0,"reply":{"reference":"x","sent":2000}"#),
        &step("failed", "apply", 1, "deploy.ready", error),
        "{\"event\":\"phase\",\"phase\":\"undo\",\"actions\":1}\n",
        &step("started", "undo", 0, "deploy.start", ""),
    ]
    .map(|text: &str| text.to_owned())
    .concat();
    let runs = read("1.jsonl", &text, false).unwrap();
    let row = rows([], &runs).remove(0);
    let expected = "20260103T000000Z: deploy by anna from /anna, 2026-01-03 00:00:00 UTC: broken off
  h1: stopped web-1 (1.3 s)
  h1: sent web-1, 2.0 kB (0.0 s)
  h1: waiting until web-1 is ready: failed (0.0 s): it ended
      no such table
    hint: mend it
  taking back what was changed
  h1: starting web-1: nobody knows what has come of it
";
    assert_eq!(account(&row, row.of(&runs)), expected);
    let others = release("20260104T000000Z", "bob", "rollback", &["web"]);
    let row = rows([("h2", &others)], &runs).remove(0);
    let expected =
        "20260104T000000Z: rollback to 20260101T000000Z by bob from /bob, 2026-01-04 00:00:00 UTC: done
  h2: it is remembered there
";
    assert_eq!(account(&row, row.of(&runs)), expected);
}
