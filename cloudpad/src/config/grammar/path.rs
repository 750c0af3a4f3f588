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
    relative(path, "context", "source").map_err(|problem| {
        problem.hint("another directory is a source of its own: `[sources.NAME]` with `path`")
    })
}

/// A file inside the context.
pub fn dockerfile(path: &str) -> Result<String, Problem> {
    match relative(path, "Dockerfile", "context")?.as_str() {
        "." => Err(Problem::new(format!("`{path}` is no file"))),
        file => Ok(file.to_owned()),
    }
}

fn relative(path: &str, what: &str, place: &str) -> Result<String, Problem> {
    if path.is_empty() {
        return Err(Problem::new(format!("the {what}'s path is empty")));
    }
    if path.starts_with('/') {
        return Err(Problem::new(format!("the {what} `{path}` is not relative to the {place}")));
    }
    inside(path).ok_or_else(|| Problem::new(format!("the {what} `{path}` is outside the {place}")))
}

/// Any path that is not empty.
pub fn any(path: &str) -> Result<String, Problem> {
    match path {
        "" => Err(Problem::new("the path is empty")),
        _ if path.contains('\0') => Err(Problem::new("the path contains a zero byte")),
        _ => Ok(path.to_owned()),
    }
}
