//! Plugins that are libraries: small C sources, compiled here.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::channel;

use cloudpad_plugin_api::{Cancel, FailureKind, Outcome};

use super::kit::{Bench, ask, call, hello, list, messages, ms, stop, text};

/// The contract, and what the plugins below have in common: `next` waits for a call.
const HEAD: &str = r#"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct {
    uint32_t size, flags;
    void *ctx;
    const uint8_t *(*recv)(void *ctx, size_t *len);
    int32_t (*send)(void *ctx, const uint8_t *msg, size_t len);
} cloudpad_host_v1;
static const cloudpad_host_v1 *host;
static int say(const char *text) { return host->send(host->ctx, (const uint8_t *)text, strlen(text)); }
static const char *next(void) { size_t len; return (const char *)host->recv(host->ctx, &len); }
static void start(const cloudpad_host_v1 *h) {
    FILE *pids = fopen(BENCH "/pids", "a");
    fprintf(pids, "%d\n", (int)getpid());
    fclose(pids);
    host = h;
}
#define SERVE(body) int32_t cloudpad_plugin_v1(const cloudpad_host_v1 *h) { start(h); say(HELLO); next(); body }
#define HOSTS "{\"t\":\"result\",\"id\":1,\"ok\":{\"hosts\":[]}}"
"#;

pub fn compile(bench: &Bench, source: &str) -> PathBuf {
    let defines =
        format!("#define BENCH {:?}\n#define HELLO {:?}\n", bench.dir().display().to_string(), hello());
    let source = bench.file("x.c", format!("{defines}{HEAD}{source}").as_bytes());
    let library = bench.dir().join("cloudpad-x.so");
    let arguments = ["-shared", "-fPIC", "-pthread", "-Wno-unused", "-o"];
    assert!(Command::new("cc").args(arguments).arg(&library).arg(source).status().unwrap().success());
    library
}

#[test]
fn a_library_serves_as_an_executable_does() {
    let bench = Bench::new();
    let body = r#"
        int calls = 0;
        while (next()) {
            calls++;
            say("{\"t\":\"event\",\"id\":1,\n\"kind\":\"log\",\r\n\"level\":\"info\",\n\"message\":\"hi\"\n}\n");
            say(HOSTS);
        }
        printf("%d calls\n", calls);
        return 0;"#;
    let session = bench.open(&compile(&bench, &format!("SERVE({body})")));
    let (tell, told) = channel();
    let emit = messages(move |message| tell.send(message.to_owned()).unwrap());
    let request = list();
    session.call(ask(&request), &emit, &Cancel::new()).unwrap();
    assert_eq!(told.recv().unwrap(), "hi");
    drop(session);
    bench.assert_gone();
}

#[test]
fn what_a_library_prints_or_reads_does_not_spoil_the_stream() {
    let bench = Bench::new();
    let source = r#"
        __attribute__((constructor)) static void first(void) { puts("constructed"); fflush(stdout); }
        SERVE({ next(); printf("no message\n"); fflush(stdout); if (getchar() != EOF) return 1; say(HOSTS); next(); exit(3); })"#;
    let session = bench.open(&compile(&bench, source));
    call(&session, &list()).unwrap();
    let answer = format!("{:?}", call(&session, &stop()).unwrap_err());
    assert!(answer.contains("ended with exit status 3 during"), "{answer}");
    assert!(answer.contains("stderr: constructed") && answer.contains("stderr: no message"), "{answer}");
}

#[test]
fn what_cannot_be_sent_is_refused_and_harms_nobody() {
    let bench = Bench::new();
    let body = r#"
        next();
        if (host->send(host->ctx, NULL, 0) == 0) return 1;
        if (host->send(host->ctx, NULL, 5) == 0) return 1;
        if (host->send(host->ctx, (const uint8_t *)"x", (size_t)-1) == 0) return 1;
        char *long_ = calloc(1, 17 << 20);
        if (host->send(host->ctx, (const uint8_t *)long_, 17 << 20) == 0) return 1;
        say(HOSTS); next(); return 0;"#;
    let session = bench.open(&compile(&bench, &format!("SERVE({body})")));
    call(&session, &list()).unwrap();
}

#[test]
fn the_host_struct_tells_its_size() {
    let bench = Bench::new();
    let body = "if (h->size != sizeof *h || h->flags != 0) return 2; next(); say(HOSTS); next(); return 0;";
    call(&bench.open(&compile(&bench, &format!("SERVE({{{body}}})"))), &list()).unwrap();
}

#[test]
fn how_libraries_end() {
    let cases = [
        ("abort();", "was killed by signal 6 (SIGABRT) during `deploy.stop`"),
        ("*(volatile int *)0 = 1;", "was killed by signal 11 (SIGSEGV)"),
        ("exit(0);", "ended with exit status 0"),
        ("return 1;", "/cloudpad-x.so` failed"),
        ("return 2;", "does not understand this host"),
        ("return 101;", "/cloudpad-x.so` panicked"),
        ("return 77;", "returned 77, which means nothing"),
        ("return 0;", "ended with exit status 0"),
    ];
    for (end, expected) in cases {
        let bench = Bench::new();
        let failure = bench.fails(&compile(&bench, &format!("SERVE({{ next(); {end} return 0; }})")));
        assert_eq!((failure.kind, failure.outcome), (FailureKind::Crashed, Outcome::Unknown));
        assert!(text(&failure).contains(expected), "{end}: {}", text(&failure));
        bench.assert_gone();
    }
}

#[test]
fn a_library_that_hangs_while_it_is_loaded_or_unloaded_is_ended() {
    let bench = Bench::with(|limits| limits.hello = ms(1000));
    let source =
        "__attribute__((constructor)) static void first(void) { for (;;) pause(); } SERVE(return 0;)";
    assert!(bench.refused(&compile(&bench, source)).contains("did not say hello within 1 s"));
    let bench = Bench::with(|limits| limits.close = ms(200));
    let source = "__attribute__((destructor)) static void last(void) { for (;;) pause(); } SERVE({ next(); say(HOSTS); next(); return 0; })";
    let session = bench.open(&compile(&bench, source));
    call(&session, &list()).unwrap();
    drop(session);
    bench.assert_gone();
}

#[test]
fn what_cannot_be_loaded() {
    let bench = Bench::new();
    let sound = fs::read(compile(&bench, "SERVE(return 0;)")).unwrap();
    let mut foreign = sound.clone();
    foreign[18] = 8;
    let other = compile(&bench, "int other(void) { return 0; }");
    let cases: [(PathBuf, &str); 5] = [
        (other, "it has no symbol `cloudpad_plugin_v1`, and so is no plugin"),
        (bench.file("text.so", b"no library at all"), "file too short"),
        (bench.file("longer.so", &b"no library at all\n".repeat(500)), "invalid ELF header"),
        (bench.file("foreign.so", &foreign), "cannot open shared object file"),
        (bench.file("cut.so", &sound[..500]), "cannot load `"),
    ];
    for (path, expected) in cases {
        let said = bench.refused(&path);
        assert!(said.contains("ended with exit status 2\n    stderr: error: cannot load `"), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(said.lines().count(), 2, "{said}");
    }
}

#[test]
fn a_pipe_with_the_name_of_a_library_does_not_hang() {
    let bench = Bench::new();
    let path = bench.dir().join("pipe.so");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(bench.refused(&path).contains("it is no regular file"));
    let relative = bench.cloudpad(&["__plugin-host", "pipe.so"], "");
    assert_eq!(
        (relative.code, relative.stderr.as_str()),
        (Some(2), "error: cannot load `pipe.so`: the path is not absolute\n")
    );
    let help = Command::new(env!("CARGO_BIN_EXE_cloudpad")).arg("--help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("plugin-host"));
}
