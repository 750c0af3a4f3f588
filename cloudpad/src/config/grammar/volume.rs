//! Mounts: `SOURCE:TARGET[:ro|:shared]`. Pure.

use super::name;
use super::path;
use crate::config::{Mount, MountMode, MountSource, Problem};

const MOUNT: &str = "write `VOLUME:/path/in/container` or `/path/on/host:/path/in/container`, then `:ro` or `:shared` if need be";

/// Reads a mount.
pub fn mount(text: &str) -> Result<Mount, Problem> {
    let fault = |why: &str| Problem::new(format!("`{text}` is no volume: {why}")).hint(MOUNT);
    let (source, rest) = text.split_once(':').ok_or_else(|| fault("the path in the container is missing"))?;
    let (target, mode) = rest.split_once(':').unwrap_or((rest, ""));
    let mode = match (rest.contains(':'), mode) {
        (false, _) => MountMode::Exclusive,
        (_, "ro") => MountMode::ReadOnly,
        (_, "shared") => MountMode::Shared,
        (_, "rw") => {
            return Err(Problem::new(format!("`{text}` is no volume: `rw` does not say who else may write"))
                .hint("leave it out where one container at a time may write, or write `:shared`"));
        }
        _ => return Err(fault("only `ro` or `shared` may stand at the end")),
    };
    let source = source_of(source).map_err(|why| fault(&why))?;
    let target = path::absolute(target).ok_or_else(|| fault("the path in the container is not absolute"))?;
    if target == "/" {
        return Err(fault("it would hide the whole image"));
    }
    Ok(Mount { source, target, mode })
}

fn source_of(text: &str) -> Result<MountSource, String> {
    if text.starts_with('/') {
        return path::absolute(text).map(MountSource::Path).ok_or_else(|| "its path leads nowhere".into());
    }
    if text.starts_with(['.', '~']) || text.contains('/') {
        return Err("a directory of a host is named by its absolute path".into());
    }
    name::word(text).map(|()| MountSource::Volume(text.to_owned())).map_err(|problem| problem.message)
}

/// Writes a mount so that [`mount`] reads it.
pub fn mount_text(mount: &Mount) -> String {
    let (MountSource::Volume(source) | MountSource::Path(source)) = &mount.source;
    let mode = match mount.mode {
        MountMode::Exclusive => "",
        MountMode::ReadOnly => ":ro",
        MountMode::Shared => ":shared",
    };
    format!("{source}:{}{mode}", mount.target)
}
