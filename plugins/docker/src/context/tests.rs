//! What the sums of a context depend on, and how many files are read for them.

use std::path::Path;
use std::time::SystemTime;

use cloudpad_plugin_api::Failure;

use super::Context;
use super::digest::changed_last;
use super::times::Times;
use super::walk::Stamp;
use crate::ignore::Ignore;

fn context(root: &Path) -> Context {
    Context {
        root: root.to_owned(),
        dockerfile_dir: root.to_owned(),
        dockerfile_name: "Dockerfile".into(),
        dockerfile: Vec::new(),
        ignore: Ignore::default(),
    }
}

/// What is read of a source in whose folder `app` the context is.
fn open(source: &Path, dockerfile: &str) -> Result<Context, Failure> {
    let recipe = serde_json::json!({
        "name": "web", "repository": "shop.web", "context": "app", "dockerfile": dockerfile,
        "source": { "name": "code", "path": source, "pinned": true, "dirty": false }
    });
    Context::open(&serde_json::from_value(recipe).unwrap())
}

#[test]
fn links_lead_to_files_of_the_source_and_to_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    std::fs::create_dir_all(source.join("app")).unwrap();
    let write = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
    let link = |to: &str, path: &str| std::os::unix::fs::symlink(to, source.join(path)).unwrap();
    write("private", "KEY");
    write("source/shared", "FROM scratch\n");
    link("../shared", "app/Dockerfile");
    // A source may be a link itself.
    std::os::unix::fs::symlink("source", dir.path().join("link")).unwrap();
    for source in ["source", "link"] {
        let read = open(&dir.path().join(source), "Dockerfile").unwrap();
        assert_eq!(read.dockerfile, b"FROM scratch\n");
    }
    link("../../private", "app/Out");
    link("../..", "app/dir");
    link("../../private", "app/Dockerfile.dockerignore");
    for (dockerfile, file) in
        [("Out", "Out"), ("dir/private", "dir/private"), ("Dockerfile", "Dockerfile.dockerignore")]
    {
        let failure = open(&source, dockerfile).map(|_| ()).unwrap_err();
        assert!(
            failure.message.contains(&format!("/app/{file}` cannot be read: a link makes it ")),
            "{failure}"
        );
        assert!(failure.message.ends_with("/private`, which is not in the source"), "{failure}");
    }
    let pipe = source.join("app/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let failure = open(&source, "pipe").map(|_| ()).unwrap_err();
    assert!(failure.message.ends_with("/app/pipe` cannot be read: it is no file"), "{failure}");
}

#[test]
fn what_a_dockerfile_leaves_out_stays_out_where_another_is_built_instead() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("app")).unwrap();
    std::fs::write(dir.path().join("app/Dockerfile"), "FROM {{ A }}\n").unwrap();
    let mut context = open(dir.path(), "Dockerfile").unwrap();
    drop(context.build_instead(b"FROM a\n".into()).unwrap());
    std::fs::write(dir.path().join("app/Dockerfile.dockerignore"), "secret\n").unwrap();
    let mut context = open(dir.path(), "Dockerfile").unwrap();
    let instead = context.build_instead(b"FROM a\n".into()).unwrap();
    let read = |name: &str| std::fs::read_to_string(instead.path().join(name)).unwrap();
    assert_eq!((read("Dockerfile"), read("Dockerfile.dockerignore")), ("FROM a\n".into(), "secret\n".into()));
    assert_eq!((&*context.dockerfile_dir, &*context.dockerfile), (instead.path(), &b"FROM a\n"[..]));
}

/// The sum, and how many files were read for it.
fn sum(root: &Path, cache: &Path) -> ([u8; 32], usize) {
    let context = context(root);
    let mut times = Times::open(cache, root);
    let sum = context.digest(&context.walk().unwrap(), &mut times).unwrap();
    let read = times.read;
    times.save();
    (sum, read)
}

/// Waits until the clock of the file system has gone on, so that what was written is older than now.
fn tick(dir: &Path) {
    let now = || {
        std::fs::write(dir.join("clock"), "").unwrap();
        std::fs::metadata(dir.join("clock")).unwrap().modified().unwrap()
    };
    let before = now();
    while now() == before {}
}

#[test]
fn unchanged_files_are_not_read_twice() {
    let (root, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).unwrap();
    for name in ["a", "b", "c"] {
        write(name, name);
    }
    tick(cache.path());
    let (first, read) = sum(root.path(), cache.path());
    assert_eq!(read, 3);
    assert_eq!(sum(root.path(), cache.path()), (first, 0));

    write("b", "B");
    tick(cache.path());
    let (second, read) = sum(root.path(), cache.path());
    assert_ne!(second, first);
    assert_eq!(read, 1);

    let file = std::fs::File::options().write(true).open(root.path().join("a")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    tick(cache.path());
    assert_eq!(sum(root.path(), cache.path()), (second, 1), "a new time is looked into, and is no new sum");
    std::fs::remove_file(root.path().join("c")).unwrap();
    assert_ne!(sum(root.path(), cache.path()).0, second);
}

/// Whether a file that was last changed so many nanoseconds before now is read again by the next run.
fn is_read_again(age: i64) -> bool {
    let cache = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let changed = i64::try_from(now).unwrap() - age;
    // What a file system with whole seconds would say of it.
    let changed = if age % 1_000_000_000 == 0 { changed / 1_000_000_000 * 1_000_000_000 } else { changed };
    let stamp = Stamp { size: 1, mtime: changed, ctime: changed, inode: 1 };
    let mut reads = 0;
    for _ in 0..2 {
        let mut times = Times::open(cache.path(), Path::new("/context"));
        times.sum("file", stamp, || Ok::<_, ()>([0; 32])).unwrap();
        reads += times.read;
        times.save();
    }
    reads == 2
}

#[test]
fn a_file_that_may_have_changed_unseen_after_it_was_read_is_read_again() {
    assert!(is_read_again(-60_000_000_001), "changed while it was read");
    assert!(!is_read_again(60_000_000_001), "changed a minute earlier");
    assert!(is_read_again(1_000_000_000), "changed in the same second, by a clock of seconds");
    assert!(!is_read_again(60_000_000_000), "changed a minute earlier, by a clock of seconds");
}

#[test]
fn a_damaged_cache_is_no_cache() {
    let (root, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(root.path().join("a b"), "x").unwrap();
    tick(cache.path());
    let (first, _) = sum(root.path(), cache.path());
    assert_eq!(sum(root.path(), cache.path()), (first, 0));
    let file = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.to_str().unwrap().contains("times-")).unwrap();
    let good = std::fs::read(&file).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        assert_eq!(sum(root.path(), cache.path()), (first, 1), "byte {at}");
    }
    for length in 0..good.len() {
        std::fs::write(&file, &good[..length]).unwrap();
        assert_eq!(sum(root.path(), cache.path()), (first, 1), "length {length}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_costs_no_more_than_time() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("a"), "x").unwrap();
    let nowhere = root.path().join("a/below-a-file");
    assert_eq!(sum(root.path(), &nowhere).1, 1);
    assert_eq!(sum(root.path(), &nowhere).1, 1);
}

#[test]
fn a_socket_is_passed_over_and_a_name_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    assert!(context(root.path()).walk().unwrap().is_empty());
    std::fs::write(root.path().join(std::ffi::OsStr::from_bytes(b"bad\xff")), "").unwrap();
    let failure = context(root.path()).walk().unwrap_err();
    assert!(failure.message.contains("bad") && failure.message.contains("UTF-8"), "{failure}");
}

#[test]
fn what_was_changed_last_is_known() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |name: &str| std::fs::write(dir.path().join(name), "").unwrap();
    let last = || {
        let entries = context(dir.path()).walk().unwrap();
        changed_last(&entries).map(str::to_owned).unwrap_or_default()
    };
    std::fs::create_dir(dir.path().join("www")).unwrap();
    write("www/page");
    assert_eq!(last(), "www/page", "and not its directory");
    tick(clock.path());
    write("deploy.log");
    assert_eq!(last(), "deploy.log");
    tick(clock.path());
    write("Cloudpad.toml");
    assert_eq!(last(), "deploy.log", "that is no part of the sum");
    std::fs::remove_file(dir.path().join("www/page")).unwrap();
    assert_eq!(last(), "www");
}
