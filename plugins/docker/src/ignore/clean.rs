//! The shortest path that means the same, by text alone, as Go's `filepath.Clean` has it. Pure.

/// Resolves `.`, `..`, doubled and trailing slashes. The empty path is `.`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn resolves_what_text_alone_can_resolve() {
        for (given, want) in [
            ("", "."),
            (".", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("a/b/../foo", "a/foo"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("./a/./b", "a/b"),
            ("!a/../b", "b"),
            ("!../b", "!../b"),
        ] {
            assert_eq!(clean(given), want, "{given:?}");
        }
    }
}
