//! A plugin as a program, and the same as a dynamic library that a host written in C has loaded: one suite. Starts
//! processes, and the C compiler.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::stage::push::{Pushed, Run};
use cloudpad_plugin_api::testing::{Played, TestHost};
use cloudpad_plugin_api::{Event, FailureKind, Level, Outcome, Reply, Request};

/// What `cargo test` has made of the examples.
fn example(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.exists(), "`cargo test -p cloudpad-plugin-api` builds `{name}`, but not with `--test`");
    path
}

fn library() -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    example(&format!("{DLL_PREFIX}odd_library{DLL_SUFFIX}"))
}

fn cc(args: &[&str]) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("cc");
    command.args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-I"]).arg(here.join("include")).args(args);
    command.arg(here.join("tests/abi/host.c"));
    command
}

/// The host in C.
fn c_host() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi-host");
        let mut command = cc(&["-std=c11"]);
        let built =
            command.arg("-o").arg(&path).arg("-ldl").status().expect("these tests need a C compiler, `cc`");
        assert!(built.success(), "{command:?}");
        path
    })
}

fn program() -> Command {
    Command::new(example("odd_program"))
}

fn loaded() -> Command {
    let mut command = Command::new(c_host());
    command.arg(library());
    command
}

const CARRIERS: [fn() -> Command; 2] = [program, loaded];

fn list(carrier: fn() -> Command, what: &str) -> Played {
    TestHost::program("odd", carrier).config(what.into()).call(Request::InventoryList(List {}))
}

#[test]
fn calls_are_answered() {
    for carrier in CARRIERS {
        assert!(matches!(list(carrier, "").end, Ok(Reply::Hosts(hosts)) if hosts.hosts.is_empty()));
        let run = Run { reference: "app:1".to_owned(), host: None, similar: Vec::new() };
        let pushed = TestHost::program("odd", carrier).call(Request::PushRun(run)).end;
        assert_eq!(pushed, Ok(Reply::Pushed(Pushed { reference: "app:1".to_owned(), sent: None })));
    }
}

#[test]
fn a_panic_is_an_answer() {
    for carrier in CARRIERS {
        let failure = list(carrier, "panic").end.unwrap_err();
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Crashed, Outcome::Unknown));
        assert_eq!(failure.message, "inventory provider `odd` panicked: no luck");
    }
}

#[test]
fn a_call_can_be_cancelled() {
    for carrier in CARRIERS {
        let host = TestHost::program("odd", carrier).config("wait".into());
        let played = host.call_with(Request::InventoryList(List {}), |_, call| call.cancel());
        assert_eq!(played.end.unwrap_err().kind, FailureKind::Cancelled);
        assert_eq!(played.events, [Event::Log { level: Level::Info, message: "waiting".to_owned() }]);
    }
}

/// Runs a plugin with these lines for its input.
fn run(mut command: Command, lines: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn asked() -> Command {
    let mut command = program();
    command.arg("--cloudpad-plugin");
    command
}

#[test]
fn a_host_that_is_not_understood_is_left_with_a_word() {
    let hello = "{\"t\":\"hello\",\"protocol\":1}\n";
    for (lines, said) in [
        ("{\"t\":\"hello\",\"protocol\":9}\n".to_owned(), "the host has chosen protocol 9"),
        (format!("{hello}?\n"), "the host has sent a line that is no message"),
    ] {
        for command in [asked(), loaded()] {
            let output = run(command, &lines);
            assert_eq!(output.status.code(), Some(1));
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(errors.starts_with(&format!("cloudpad-plugin-api: {said}")), "{errors}");
        }
    }
    for command in [asked(), loaded()] {
        assert_eq!(run(command, hello).status.code(), Some(0), "the host has nothing to ask");
    }
}

#[test]
fn a_panic_outside_of_a_call_has_its_own_code() {
    for mut command in [asked(), loaded()] {
        command.env("ODD_SCOPE", "panic");
        assert_eq!(run(command, "").status.code(), Some(101));
    }
}

#[test]
fn a_program_that_prints_and_reads_is_not_in_the_way() {
    let host = |what: &str| {
        let errors = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stray-{what}"));
        let file = errors.clone();
        let host = TestHost::program("odd", move || {
            let mut command = program();
            command.stderr(std::fs::File::create(&file).unwrap());
            command
        });
        let played = host.config(what.into()).call(Request::InventoryList(List {}));
        (played, std::fs::read_to_string(errors).unwrap())
    };
    let (played, errors) = host("print");
    assert!(played.end.is_ok());
    assert_eq!(errors, "a stray line\n");
    let (played, errors) = host("child");
    let Ok(Reply::Hosts(hosts)) = played.end else { panic!("{:?}", played.end) };
    let inherited = Command::new("ls").arg("/proc/self/fd").output().unwrap().stdout;
    let inherited = String::from_utf8(inherited).unwrap();
    assert_eq!(hosts.hosts[0].name, inherited.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(errors, "a stray child\n");
    let (played, _) = host("stdin");
    assert_eq!(played.events, [Event::Log { level: Level::Info, message: "/dev/null".to_owned() }]);
}

#[test]
fn a_person_is_told_what_it_is() {
    let told = |args: &[&str]| {
        let output = program().args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let version = format!("cloudpad-plugin-api {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(&["--version"]), (0, version.clone(), String::new()));
    let (code, help, errors) = told(&["--help"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(help.starts_with(&version), "{help}");
    assert!(help.contains("\n  inventory  odd          does what its config says\n"), "{help}");
    assert!(help.contains("\n  push       odd          pushes nothing\n"), "{help}");
    assert!(help.ends_with("\n  [stages]\n  inventory = \"odd\"\n"), "{help}");
    assert_eq!(told(&[]), (2, String::new(), help));
}

#[test]
fn a_struct_of_another_host_is_taken_or_refused() {
    let code = |how: &str| {
        let mut command = loaded();
        command.arg(how);
        run(command, "").status.code()
    };
    assert_eq!(code("large"), Some(0), "a newer host");
    for how in ["small", "null", "norecv", "nosend"] {
        assert_eq!(code(how), Some(2), "{how}");
    }
}

#[test]
fn the_header_is_good_for_older_compilers_too() {
    let mut command = cc(&["-std=c99", "-fsyntax-only"]);
    assert!(command.status().unwrap().success());
}
