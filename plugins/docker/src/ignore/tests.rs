//! Which files the patterns of a `.dockerignore` keep.

use proptest::prelude::*;

use super::{Ignore, Matches};

/// What is kept of `paths` (directories end in `/`), walked as a context is walked.
fn kept(ignore_file: &str, path: &str) -> bool {
    let ignore = Ignore::parse(ignore_file.as_bytes()).unwrap();
    let mut parent = Matches::default();
    let mut out = false;
    for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
        let (is_out, matches) = ignore.leaves_out(&path[..at], &parent);
        let below_is_lost = is_out && !ignore.may_bring_back_below(&path[..at]);
        if below_is_lost && at < path.len() {
            return false;
        }
        (out, parent) = (is_out, matches);
    }
    !out
}

#[test]
fn patterns_are_anchored_and_the_last_one_wins() {
    for (file, path, want) in [
        ("foo", "foo", false),
        ("foo", "a/foo", true),
        ("foo", "foo/a/b", false),
        ("/foo", "foo", false),
        ("foo/", "foo", false),
        ("a/b/../foo", "a/foo", false),
        ("*.md", "x.md", false),
        ("*.md", "d/x.md", true),
        ("**/*.md", "d/x.md", false),
        ("**/*.md", "x.md", false),
        ("*\n!foo", "foo/x", true),
        ("*\n!a/b", "a/b/c", true),
        ("*\n!a/b", "a/c", false),
        ("*\n!**/*.md", "src/z.md", true),
        ("a\n!a/b\na/b/c", "a/b/c", false),
        ("a\n!a/b\na/b/c", "a/b/d", true),
        ("!foo\nfoo", "foo", false),
        ("# foo\nbar", "# foo", true),
        (" #foo", "#foo", false),
        ("\u{feff}foo", "foo", false),
        ("foo\r\nbar\r\n", "bar", false),
        ("! foo \n", "foo", true),
        ("f[a-c]o", "fbo", false),
        ("f[^a-c]o", "fbo", true),
        ("f\\*o", "f*o", false),
        ("f\\*o", "fxo", true),
        ("f?o", "f/o", true),
        ("**", "a/b", false),
        ("a/**", "a/b/c", false),
        ("a/**", "a", true),
        ("a/**/z", "a/z", false),
        ("a/**/z", "a/b/c/z", false),
        ("**/a/**", "x/a/y", false),
        (".", "a", true),
        ("..", "a", true),
        ("../a", "a", true),
        ("a.c", "abc", true),
        ("x{*", "x{1", false),
        ("x{,2}*", "x{,2}y", false),
        ("x{2}*", "xxy", false),
        ("f[\\d]o*", "f7o", false),
        ("f\\so*", "f o", false),
    ] {
        assert_eq!(kept(file, path), want, "{file:?} and {path:?}");
    }
}

#[test]
fn what_docker_refuses_is_refused_with_its_line() {
    for (file, line) in
        [("a\n!", 2), ("!/", 1), ("[", 1), ("a\n\n[]a]", 3), ("a\\", 1), ("[a-", 1), ("[b-a]", 1)]
    {
        assert_eq!(Ignore::parse(file.as_bytes()).unwrap_err().line, line, "{file:?}");
    }
    assert!(Ignore::parse("x".repeat(70_000).as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), path in "[a-c./*]{1,12}") {
        if let Ok(ignore) = Ignore::parse(&bytes) {
            let (_, matches) = ignore.leaves_out(&path, &Matches::default());
            ignore.leaves_out(&format!("{path}/x"), &matches);
            ignore.may_bring_back_below(&path);
        }
    }

    #[test]
    fn no_pattern_makes_it_panic(text in r"[\[\]a-c!*?/\\^{},|.()+$ \n-]{0,40}", path in "[a-c./]{1,12}") {
        if let Ok(ignore) = Ignore::parse(text.as_bytes()) {
            ignore.leaves_out(&path, &Matches::default());
        }
    }
}
