//! The user has enough: what does not end is left.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::kit::Bench;

#[test]
fn an_interrupt_after_the_one_that_stops_waits_for_nothing() {
    let bench = Bench::new();
    bench.sh("trap '' TERM; hello; next; echo $$ >>'BENCH/called'; exec sleep 300"
        .replace("BENCH", bench.dir().to_str().unwrap())
        .as_str());
    bench.config("[stages.inventory]\nprovider = \"x\"\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad"));
    let path = format!("{}:{}", bench.dir().display(), std::env::var("PATH").unwrap());
    command.arg("plan").current_dir(bench.dir()).env("HOME", bench.dir()).env("PATH", path);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let called = bench.dir().join("called");
    while !called.exists() {
        assert!(child.try_wait().unwrap().is_none(), "{:?}", said.next());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The first one breaks a look off, and each further one leaves. Two that come together are one to the system.
    while child.try_wait().unwrap().is_none() {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(said.map_while(Result::ok).any(|line| line.contains("left without waiting")));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Nobody ends it any more.
    let left = std::fs::read_to_string(called).unwrap();
    assert!(
        Command::new("kill").args(["-KILL", left.trim()]).status().unwrap().success(),
        "it was at work to the end"
    );
    bench.assert_gone();
}
