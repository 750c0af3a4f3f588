//! Paths, without a look at any disk. Pure.

use std::path::{Component, Path, PathBuf};

use crate::config::Problem;

/// `path` below `dir`, without `.` and `..`.
pub fn resolve(dir: &Path, path: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in dir.join(path).components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

/// An absolute path of a container or a host, with forward slashes; `..` and doubled slashes are resolved.
pub fn absolute(path: &str) -> Option<String> {
    let inner = inside(path.strip_prefix('/')?)?;
    Some(if inner == "." { "/".into() } else { format!("/{inner}") })
}

/// A relative path that does not leave where it starts; `.` for that place itself.
pub fn inside(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ if part.contains('\0') => return None,
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".into() } else { parts.join("/") })
}

/// A directory inside the source, `.` for all of it.
pub fn context(path: &str) -> Result<String, Problem> {
    let outside = || Problem::new(format!("the context `{path}` is outside the source"));
    relative(path, "context", "source").and_then(|()| inside(path).ok_or_else(outside)).map_err(|problem| {
        problem.hint("another directory is a source of its own: `[sources.NAME]` with `path`")
    })
}

/// A file of the source, relative to the `context` in it.
pub fn dockerfile(path: &str, context: &str) -> Result<String, Problem> {
    relative(path, "Dockerfile", "context")?;
    let file = path.rsplit('/').find(|part| !matches!(*part, "" | "."));
    if file.is_none_or(|file| file == "..") {
        return Err(Problem::new(format!("`{path}` is no file")));
    }
    let outside = || Problem::new(format!("the Dockerfile `{path}` is outside the source"));
    inside(&format!("{context}/{path}")).ok_or_else(outside)?;
    Ok(inside(path).unwrap_or_else(|| path.to_owned()))
}

fn relative(path: &str, what: &str, place: &str) -> Result<(), Problem> {
    if path.is_empty() {
        return Err(Problem::new(format!("the {what}'s path is empty")));
    }
    if path.starts_with('/') {
        return Err(Problem::new(format!("the {what} `{path}` is not relative to the {place}")));
    }
    Ok(())
}

/// Any path that is not empty.
pub fn any(path: &str) -> Result<String, Problem> {
    match path {
        "" => Err(Problem::new("the path is empty")),
        _ if path.contains('\0') => Err(Problem::new("the path contains a zero byte")),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::dockerfile;

    #[test]
    fn a_dockerfile_may_lie_beside_its_context_in_the_source() {
        for (path, context, read) in [
            ("docker/./D", ".", "docker/D"),
            ("../docker/D", "app", "../docker/D"),
            ("../../D", "apps/web", "../../D"),
            ("a/../D", "app", "D"),
        ] {
            assert_eq!(dockerfile(path, context).unwrap(), read, "{path} {context}");
        }
        for (path, context) in [("../D", "."), ("../../D", "app"), ("..", "app"), ("sub/", ".."), ("/D", ".")]
        {
            assert!(dockerfile(path, context).is_err(), "{path} {context}");
        }
    }
}
