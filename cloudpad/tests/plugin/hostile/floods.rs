//! Plugins that send far more than may be kept, to the real program, whose memory is looked at.

use std::path::Path;
use std::process::Command;

use super::super::kit::Bench;
use super::super::kit::run::Run;
use super::Watch;
use super::alone::{Alone, SAID};

/// Everything that is sent.
const GIGABYTE: u64 = 1_000_000_000;

/// How much more memory than with a quiet plugin it may take, in KiB: the longest line that there may be, and a little.
const ROOM: i64 = 24 * 1024;

/// A plugin whose config is looked at, and which does this then.
fn plugin(bench: &Bench, script: &str) -> std::path::PathBuf {
    let provides =
        r#"provides=[dict(stage="inventory", provider="x", methods=["config.check", "inventory.list"])]"#;
    bench.python(&format!("hello({provides})\ncall = next()\n{script}\nnext()"))
}

fn check(bench: &Bench) -> Run {
    let _watch = Watch::new();
    bench.config("[plugins.x]\npath = \"cloudpad-x\"\n[stages]\ninventory = \"x\"");
    let run = bench.cloudpad(&["check"], "");
    bench.assert_gone();
    run
}

/// How many bytes it writes to standard output and error, at the most so many.
fn writes(path: &Path, most: u64) -> u64 {
    let count = "import subprocess, sys\n\
        p = subprocess.Popen([sys.argv[1], '--cloudpad-plugin'], bufsize=0, stdin=-1, stdout=-1, stderr=-2)\n\
        p.stdin.write(sys.argv[2].encode())\n\
        left = most = int(sys.argv[3])\n\
        while left and (read := len(p.stdout.read(min(left, 1 << 20)))): left -= read\n\
        print(most - left)";
    let mut python = Command::new("python3");
    let alone = Alone::ends(python.args(["-c", count]).arg(path).arg(SAID).arg(most.to_string()));
    String::from_utf8_lossy(&alone.stdout).trim().parse().unwrap_or_else(|_| panic!("{}", alone.errors()))
}

/// The plugin writes a gigabyte; the program stays small, ends, and says this.
#[track_caller]
fn floods(script: &str, expected: &str) {
    let quiet = Bench::new();
    plugin(&quiet, "say(t=\"result\", id=call[\"id\"], ok={})");
    let few = check(&quiet);
    assert_eq!(few.code, Some(0), "{}", few.stderr);
    let bench = Bench::new();
    let path = plugin(&bench, script);
    assert_eq!(writes(&path, GIGABYTE), GIGABYTE);
    let run = check(&bench);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let said = run.stderr.replace(bench.dir().to_str().unwrap(), "DIR");
    assert!(
        said.contains("plugin `x` (`DIR/cloudpad-x`) ") && said.contains(expected),
        "not `{expected}`: {said}"
    );
    let (memory, few) = (run.memory, few.memory);
    assert!(memory < few + ROOM, "{memory} KiB, and {few} KiB with a quiet plugin");
}

#[test]
fn an_endless_line() {
    floods("while True: os.write(1, b'x' * 1000000)", "wrote a line that is longer than it may be");
}

#[test]
fn a_gigabyte_of_stray_lines() {
    floods(
        "while True: os.write(1, b'no message\\n' * 100000)",
        "wrote a line that is no message: `no message`",
    );
}

#[test]
fn a_gigabyte_of_events() {
    let event = r#"b'{"t":"event","id":1,"kind":"log","level":"info","message":"%s"}\n' % (b"x" * 100000)"#;
    let script =
        format!("event = {event}\nfor number in range(10001): os.write(1, event)\nos.write(1, b'over\\n')");
    floods(&script, "wrote a line that is no message: `over`");
}

#[test]
fn a_gigabyte_on_stderr() {
    let script = "for number in range(1001): os.write(2, b'y' * 999999 + b'\\n')\nos.write(2, b'over\\n')\nsys.exit(3)";
    floods(script, "ended with exit status 3 during `config.check`: stderr: over");
}

/// `cloudpad plugin check` listens itself, and only now and then.
#[test]
fn a_flood_while_it_is_checked() {
    let bench = Bench::new();
    // Its first process floods, and the others end at once.
    let path = bench.python(
        r#"
line = b'{"t":"event","id":1,"kind":"output","line":"%s"}\n' % (b"x" * 15000000)
print(HELLO, flush=True)
while len(open("BENCH/pids").readlines()) == 1: os.write(1, line)
"#
        .replace("BENCH", bench.dir().to_str().unwrap())
        .as_str(),
    );
    assert_eq!(writes(&path, GIGABYTE), GIGABYTE);
    std::fs::remove_file(bench.dir().join("pids")).unwrap();
    let _watch = Watch::new();
    let run = bench.cloudpad(&["plugin", "check", "./cloudpad-x"], "");
    assert!(bench.leaders().len() > 1, "{}", run.stderr);
    // One line is read, one waits and one is looked at, as it came and as it was understood; and the rest of the program. An
    // allocator keeps some of what it was given back, the more threads the more: on a busy machine, ten lines were counted.
    let most = 20 * 16 * 1024;
    assert!(run.memory < most, "{} KiB", run.memory);
    bench.assert_gone();
}
