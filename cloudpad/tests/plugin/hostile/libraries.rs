//! Libraries that harm whoever loads them.

use std::path::{Path, PathBuf};
use std::process::Command;

use cloudpad_plugin_api::{Failure, FailureKind, Outcome};

use super::super::kit::{Bench, call, list, text};
use super::super::library::compile;
use super::Watch;
use super::alone::Alone;

fn library(bench: &Bench, body: &str) -> PathBuf {
    compile(bench, &format!("SERVE({{ {body} }})"))
}

/// A process of ours is used to prove it: whoever calls the library's function is harmed.
fn called(path: &Path) -> Alone {
    Alone::ends(Command::new(env!("CARGO_BIN_EXE_cloudpad")).arg("__plugin-host").arg(path))
}

/// Somebody else loads it, and looks for its symbol.
fn load(path: &Path) -> Command {
    let load = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).cloudpad_plugin_v1";
    let mut python = Command::new("python3");
    python.args(["-c", load]).arg(path);
    python
}

#[test]
fn the_symbol_is_missing() {
    let bench = Bench::new();
    let plugin = compile(&bench, "int other(void) { return 0; }");
    let alone = Alone::ends(&mut load(&plugin));
    assert!(alone.errors().contains("undefined symbol: cloudpad_plugin_v1"), "{}", alone.errors());
    refused(&bench, &plugin, "it has no symbol `cloudpad_plugin_v1`, and so is no plugin");
}

/// A library that does not get so far as to say who it is leaves no process to look for.
#[track_caller]
fn refused(bench: &Bench, path: &Path, expected: &str) {
    let _watch = Watch::new();
    let said = bench.refused(path);
    assert!(said.starts_with(&format!("plugin `x` (`{}`) ", path.display())), "{said}");
    assert!(said.contains(expected), "not `{expected}`: {said}");
}

#[test]
fn the_abi_is_another() {
    let bench = Bench::new();
    let plugin = compile(
        &bench,
        "int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *h) { start(h); return h->size < 4096 ? 2 : 0; }",
    );
    assert_eq!(Alone::ends(&mut load(&plugin)).code(), Some(0), "it has the symbol");
    bench.never_opens(&plugin, "does not understand this host");
}

#[test]
fn the_architecture_is_another() {
    let bench = Bench::new();
    let mut bytes = std::fs::read(library(&bench, "return 0;")).unwrap();
    // MIPS in the place of this machine.
    (bytes[18], bytes[19]) = (8, 0);
    let plugin = bench.file("foreign.so", &bytes);
    assert_eq!(Alone::ends(&mut load(&plugin)).code(), Some(1));
    refused(&bench, &plugin, "cannot open shared object file");
}

#[test]
fn a_constructor_aborts() {
    let bench = Bench::new();
    let source = "__attribute__((constructor)) static void first(void) { abort(); } SERVE(return 0;)";
    let plugin = compile(&bench, source);
    assert_eq!(Alone::ends(&mut load(&plugin)).signal(), Some(libc::SIGABRT));
    refused(&bench, &plugin, "was killed by signal 6 (SIGABRT)");
}

#[test]
fn the_library_is_truncated() {
    let bench = Bench::new();
    let bytes = std::fs::read(library(&bench, "return 0;")).unwrap();
    let plugin = bench.file("cut.so", &bytes[..bytes.len() / 2]);
    let alone = Alone::ends(&mut load(&plugin));
    assert!(!alone.status.expect("it ends").success());
    let _watch = Watch::new();
    let said = bench.refused(&plugin);
    // The loader finds out, or dies of it: that is what the process is for.
    let expected = ["cannot load `", "was killed by signal 7 (SIGBUS)", "was killed by signal 11 (SIGSEGV)"];
    assert!(said.starts_with("plugin `x` (`") && expected.iter().any(|how| said.contains(how)), "{said}");
}

#[test]
fn a_pipe_is_named_as_a_library() {
    let bench = Bench::new();
    let plugin = bench.dir().join("pipe.so");
    assert!(Command::new("mkfifo").arg(&plugin).status().unwrap().success());
    assert!(Alone::idle(&mut load(&plugin)).status.is_none(), "whoever opens it waits");
    refused(&bench, &plugin, "it is no regular file");
}

fn crashes(bench: &Bench, plugin: &Path, expected: &str) -> Failure {
    let failure = bench.at_fault(plugin, expected);
    assert_eq!(failure.outcome, Outcome::Unknown);
    failure
}

#[test]
fn it_exits_in_a_call() {
    let bench = Bench::new();
    let plugin = library(&bench, "next(); exit(0);");
    let alone = called(&plugin);
    assert_eq!((alone.code(), alone.after_hello()), (Some(0), &b""[..]), "it looks as if all were well");
    crashes(&bench, &plugin, "ended with exit status 0 during `deploy.stop`");
}

#[test]
fn it_writes_where_nothing_is() {
    let bench = Bench::new();
    let plugin = library(&bench, "next(); *(volatile int *)0 = 1; return 0;");
    assert_eq!(called(&plugin).signal(), Some(libc::SIGSEGV));
    crashes(&bench, &plugin, "was killed by signal 11 (SIGSEGV)");
}

#[test]
fn null_is_sent() {
    let bench = Bench::new();
    let body = r#"next(); fprintf(stderr, "%d %d\n", host->send(host->ctx, NULL, 0), host->send(host->ctx, NULL, 5)); return 0;"#;
    let plugin = library(&bench, body);
    assert_eq!(called(&plugin).stderr, b"1 1\n", "it is told that nothing was sent");
    crashes(&bench, &plugin, "ended with exit status 0 during `deploy.stop`\n    stderr: 1 1");
}

#[test]
fn a_thread_sends_after_the_end() {
    let bench = Bench::new();
    let source = r#"
        static void *late(void *unused) {
            while (say(HOSTS) == 0) usleep(1000);
            fprintf(stderr, "too late\n");
            fclose(fopen(BENCH "/late", "w"));
            return NULL;
        }
        __attribute__((destructor)) static void last(void) { while (access(BENCH "/late", F_OK)) usleep(1000); }
        SERVE({ pthread_t thread; next(); pthread_create(&thread, NULL, late, NULL); return 0; })"#;
    let plugin = compile(&bench, source);
    assert!(called(&plugin).stderr.ends_with(b"too late\n"), "it has sent what nobody takes any more");
    std::fs::remove_file(bench.dir().join("late")).unwrap();
    let _watch = Watch::new();
    let session = bench.open(&plugin);
    // The thread may be quick, and answer before the end.
    let _ = call(&session, &list());
    drop(session);
    assert!(bench.dir().join("late").exists());
    bench.assert_gone();
}

/// What a plugin in Rust needs of the contract, without the crate that has it.
const RUST: &str = r#"
#[repr(C)]
pub struct Host {
    size: u32,
    flags: u32,
    ctx: *mut u8,
    recv: extern "C" fn(*mut u8, *mut usize) -> *const u8,
    send: extern "C" fn(*mut u8, *const u8, usize) -> i32,
}
#[unsafe(no_mangle)]
pub extern "C" fn cloudpad_plugin_v1(host: &Host) -> i32 {
    std::fs::write(PIDS, std::process::id().to_string()).unwrap();
    (host.send)(host.ctx, HELLO.as_ptr(), HELLO.len());
    let mut len = 0;
    while !(host.recv)(host.ctx, &mut len).is_null() {
        let line = (host.recv)(host.ctx, &mut len);
        assert!(line.is_null(), "no luck");
    }
    0
}
"#;

fn rust(bench: &Bench, panic: &str) -> PathBuf {
    let (hello, pids) = (super::super::kit::hello(), bench.dir().join("pids"));
    let consts =
        format!("const HELLO: &str = {hello:?};\nconst PIDS: &str = {:?};\n", pids.display().to_string());
    let source = bench.file("x.rs", (consts + RUST).as_bytes());
    let library = bench.dir().join("cloudpad-x.so");
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition=2024", "--crate-type=cdylib", "-C", &format!("panic={panic}"), "-o"])
        .arg(&library);
    assert!(rustc.arg(source).status().unwrap().success());
    library
}

#[test]
fn a_panic_that_nobody_catches() {
    let bench = Bench::new();
    let plugin = rust(&bench, "unwind");
    let alone = called(&plugin);
    assert!(alone.errors().contains("no luck") && alone.signal() == Some(libc::SIGABRT));
    let said = text(&crashes(&bench, &plugin, "was killed by signal 6 (SIGABRT) during `deploy.stop`"));
    assert!(said.contains("no luck") && said.contains("stderr: thread caused non-unwinding panic"), "{said}");
}

#[test]
fn a_panic_that_aborts() {
    let bench = Bench::new();
    let plugin = rust(&bench, "abort");
    let alone = called(&plugin);
    assert!(alone.errors().contains("no luck") && alone.signal() == Some(libc::SIGABRT));
    let said = text(&crashes(&bench, &plugin, "was killed by signal 6 (SIGABRT) during `deploy.stop`"));
    assert!(said.contains("no luck"), "{said}");
}

#[test]
fn it_says_that_it_has_panicked() {
    let bench = Bench::new();
    let plugin = library(&bench, "next(); fprintf(stderr, \"no luck\\n\"); return 101;");
    assert_eq!(called(&plugin).code(), Some(2));
    let failure = crashes(&bench, &plugin, "panicked");
    assert_eq!(failure.kind, FailureKind::Crashed);
}
