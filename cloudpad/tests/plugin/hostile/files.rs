//! Files that cannot be started.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::super::kit::Bench;
use super::Watch;

/// The system does not start the file either, for this reason; nothing has run.
#[track_caller]
fn not_started(bench: &Bench, path: &Path, why: impl FnOnce(std::io::Error), expected: &str) {
    why(Command::new(path).spawn().expect_err("the system starts it"));
    let _watch = Watch::new();
    let said = bench.refused(path);
    let who = format!("plugin `x` (`{}`) cannot be started: ", path.display());
    assert!(said.starts_with(&format!("{who}{expected}")), "{said}");
    assert!(bench.leaders().is_empty());
}

#[test]
fn the_shebang_is_missing() {
    let bench = Bench::new();
    let path = bench.file("cloudpad-x", b"echo hello\n");
    let why = |error: std::io::Error| assert_eq!(error.raw_os_error(), Some(libc::ENOEXEC));
    not_started(&bench, &path, why, "it is neither a program nor a script");
}

#[test]
fn the_shebang_has_a_carriage_return() {
    let bench = Bench::new();
    let path = bench.file("cloudpad-x", b"#!/bin/sh\r\necho hello\r\n");
    let why = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::NotFound, "and yet it is there");
    not_started(&bench, &path, why, "its first line ends with a carriage return");
}

#[test]
fn it_is_written_to() {
    let bench = Bench::new();
    let path = bench.file("cloudpad-x", b"#!/bin/sh\necho hello\n");
    let writing = fs::File::options().append(true).open(&path).unwrap();
    let why = |error: std::io::Error| assert_eq!(error.raw_os_error(), Some(libc::ETXTBSY));
    not_started(&bench, &path, why, "somebody is still writing to it");
    drop(writing);
}

#[test]
fn it_is_a_program_for_another_machine() {
    let bench = Bench::new();
    let mut bytes = fs::read("/bin/true").unwrap();
    (bytes[18], bytes[19]) = (8, 0);
    let path = bench.file("cloudpad-x", &bytes);
    let why = |error: std::io::Error| assert_eq!(error.raw_os_error(), Some(libc::ENOEXEC));
    not_started(&bench, &path, why, "it is a program for another machine (ELF number 8)");
}
