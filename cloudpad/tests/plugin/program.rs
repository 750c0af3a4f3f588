//! The real program with plugins.

use super::kit::Bench;

const INVENTORY: &str = "[stages]\ninventory = \"x\"";

#[test]
fn check_asks_the_plugins_that_the_config_chooses() {
    let bench = Bench::new();
    let path = bench.sh("hello; next");
    bench.config(INVENTORY);
    let run = bench.cloudpad(&["check"], path.parent().unwrap().to_str().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(bench.leaders().len(), 1);
    bench.assert_gone();
}

#[test]
fn problems_with_plugins_are_shown_in_the_file() {
    let bench = Bench::new();
    bench.sh("echo 'no credentials' >&2; exit 9");
    bench.config(INVENTORY);
    let run = bench.cloudpad(&["check"], bench.dir().to_str().unwrap());
    assert_eq!(run.code, Some(2));
    let expected = "ended with exit status 9: stderr: no credentials\n --> Cloudpad.toml:7:13\n";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn a_plugin_that_starts_cloudpad_for_itself_comes_to_an_end() {
    let bench = Bench::new();
    let program = env!("CARGO_BIN_EXE_cloudpad");
    let path = bench.sh(&format!("{program} check </dev/null || exit 5; hello; next"));
    bench.config(INVENTORY);
    let run = bench.cloudpad(&["check"], path.parent().unwrap().to_str().unwrap());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("ended with exit status 5"), "{}", run.stderr);
    assert_eq!(bench.leaders().len(), 4, "so deep and no deeper");
    bench.assert_gone();
}

#[test]
fn what_a_plugin_lists_is_used() {
    let bench = Bench::new();
    bench.python(
        r#"
hello()
call = next()
say(t="result", id=call["id"], ok={"hosts": [{"name": "h1", "address": "192.0.2.1"}]})
next()
"#,
    );
    bench.config(&format!("hosts = [\"h2\"]\n{INVENTORY}"));
    let run = bench.cloudpad(&["plan"], bench.dir().to_str().unwrap());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("h2") && run.stderr.contains("`h1`"), "{}", run.stderr);
    bench.assert_gone();
}

#[test]
fn what_a_plugin_writes_for_people_is_shown_to_those_who_want_it() {
    let bench = Bench::new();
    bench.sh("echo 'asked as hunter2hunter2' >&2; hello; next");
    std::fs::write(bench.dir().join("npm"), "hunter2hunter2\n").unwrap();
    std::fs::write(bench.dir().join("Dockerfile"), "FROM scratch\n").unwrap();
    bench.config(&format!("{INVENTORY}\n[images.app]\nsecrets = {{ npm = {{ file = \"npm\" }} }}"));
    let stderr = |args: &[&str]| {
        let run = bench.cloudpad(args, bench.dir().to_str().unwrap());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stderr
    };
    let said = stderr(&["check", "-v"]);
    assert!(said.contains("x | asked as ***\n") && !said.contains("hunter2"), "{said}");
    for args in [&["check"][..], &["check", "-v", "--json"]] {
        assert!(!stderr(args).contains("asked as"), "{args:?}");
    }
}
