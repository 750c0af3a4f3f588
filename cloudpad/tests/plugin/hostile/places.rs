//! Places with more or with something else than a plugin, looked at by the real program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::super::kit::Bench;
use super::Watch;

const GOOD: &str = "hello; next";

/// A bench with a plugin in its folder `bin`, which a config chooses.
fn bench() -> (Bench, PathBuf) {
    let bench = Bench::new();
    let written = bench.sh(GOOD);
    let bin = bench.dir().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::rename(written, bin.join("cloudpad-x")).unwrap();
    bench.config("[stages]\ninventory = \"x\"");
    (bench, bin)
}

/// What `cloudpad check` says with this for its PATH, and how often the plugin has run then.
fn check(bench: &Bench, path: &Path) -> (Option<i32>, String, usize) {
    let _watch = Watch::new();
    let run = bench.cloudpad(&["check"], path.to_str().unwrap());
    (run.code, run.stderr.replace(bench.dir().to_str().unwrap(), "DIR"), bench.leaders().len())
}

#[track_caller]
fn is_used(bench: &Bench, path: &Path) {
    let (code, said, runs) = check(bench, path);
    assert_eq!((code, runs), (Some(0), 1), "{said}");
    bench.assert_gone();
}

#[track_caller]
fn is_not_used(bench: &Bench, path: &Path, expected: &str) {
    let (code, said, runs) = check(bench, path);
    assert_eq!((code, runs), (Some(2), 0), "{said}");
    assert!(said.contains(expected), "not `{expected}`: {said}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_loop_of_links() {
    let (bench, bin) = bench();
    fs::remove_file(bin.join("cloudpad-x")).unwrap();
    symlink(bin.join("cloudpad-y"), bin.join("cloudpad-x")).unwrap();
    symlink(bin.join("cloudpad-x"), bin.join("cloudpad-y")).unwrap();
    assert_eq!(fs::metadata(bin.join("cloudpad-x")).unwrap_err().raw_os_error(), Some(libc::ELOOP));
    let expected =
        "`DIR/bin/cloudpad-x` was passed over: it cannot be looked at: Too many levels of symbolic links";
    is_not_used(&bench, &bin, expected);
}

#[test]
fn a_hundred_thousand_files() {
    let (bench, bin) = bench();
    // Links cost the least; a file may have some ten thousand.
    for number in 0..100_000 {
        let (first, link) =
            (bin.join(format!("cloudpad-{}", number % 5)), bin.join(format!("cloudpad-{number}")));
        match number {
            0..5 => drop(fs::File::create(link).unwrap()),
            _ => fs::hard_link(first, link).unwrap(),
        }
    }
    assert_eq!(fs::read_dir(&bin).unwrap().count(), 100_001);
    is_used(&bench, &bin);
}

#[test]
fn a_name_that_is_not_utf_8() {
    let (bench, bin) = bench();
    let odd = bin.join(OsStr::from_bytes(b"cloudpad-\xff"));
    fs::copy(bin.join("cloudpad-x"), &odd).unwrap();
    assert!(odd.to_str().is_none());
    let list = bench.cloudpad(&["plugin", "list", "--all"], bin.to_str().unwrap());
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    is_used(&bench, &bin);
}

#[test]
fn entries_of_path_that_are_empty_or_the_working_directory() {
    let (bench, bin) = bench();
    // The program runs in the bench: `.` is where the plugin is.
    fs::rename(bin.join("cloudpad-x"), bench.dir().join("cloudpad-x")).unwrap();
    for path in [".", ":", "./", "bin/.."] {
        let found = std::process::Command::new("sh");
        let mut found = found;
        let line = format!("PATH='{path}'; command -v cloudpad-x");
        let found = found.current_dir(bench.dir()).args(["-c", &line]).output().unwrap();
        assert!(found.status.success(), "a shell finds it through `{path}`");
        is_not_used(&bench, Path::new(path), "stage `inventory` has no provider `x`");
    }
}

#[test]
fn the_name_of_one_that_is_built_in() {
    let (bench, bin) = bench();
    fs::rename(bin.join("cloudpad-x"), bin.join("cloudpad-git")).unwrap();
    bench.config("[stages]\nsource = \"git\"");
    let (code, said, runs) = check(&bench, &bin);
    assert_eq!((code, runs), (Some(0), 0), "what is built in is used: {said}");
    // Who wants the other says so, and then it has to be right.
    bench.config("[plugins.git]\npath = \"bin/cloudpad-git\"\n[stages]\nsource = \"git\"");
    let (code, said, runs) = check(&bench, &bin);
    assert_eq!((code, runs), (Some(2), 1), "{said}");
    assert!(
        said.contains("plugin `git` (`DIR/bin/cloudpad-git`) does not provide `git` for stage `source`"),
        "{said}"
    );
}

#[test]
fn the_file_is_not_the_one_in_the_lock() {
    let (bench, bin) = bench();
    let lock = bench.cloudpad(&["plugin", "lock"], bin.to_str().unwrap());
    assert_eq!((lock.code, bench.leaders().len()), (Some(0), 1), "{}", lock.stderr);
    let text = fs::read_to_string(bin.join("cloudpad-x")).unwrap();
    bench.file("bin/cloudpad-x", (text + "# and more\n").as_bytes());
    let (code, said, runs) = check(&bench, &bin);
    assert_eq!((code, runs), (Some(2), 1), "it has not run again: {said}");
    assert!(
        said.contains("plugin `x` (`DIR/bin/cloudpad-x`) is not the one that `Cloudpad.lock` lists"),
        "{said}"
    );
}

#[test]
fn a_plugin_that_everybody_may_write_to() {
    let (bench, bin) = bench();
    mode(&bin.join("cloudpad-x"), 0o757);
    is_not_used(&bench, &bin, "`DIR/bin/cloudpad-x` was passed over: everybody may write to it");
    // Where it is named, it is not passed over.
    bench.config("[plugins.x]\npath = \"bin/cloudpad-x\"\n[stages]\ninventory = \"x\"");
    is_not_used(&bench, &bin, "plugin `x` (`DIR/bin/cloudpad-x`) cannot be used: everybody may write to it");
}

#[test]
fn a_folder_that_everybody_may_write_to() {
    let (bench, bin) = bench();
    mode(&bin, 0o777);
    is_not_used(&bench, &bin, "`DIR/bin/cloudpad-x` was passed over: everybody may write to its folder");
}
