use std::path::{Path, PathBuf};
use std::process::Command;

use cloudpad_plugin_api::stage::source::{Fetch, Fetched, Location, Resolve, Resolved, Source};
use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

register! {
    Provider { name: "@name@", about: "directories of this machine", handler: Handler::Source(&Plugin) },
}

/// The provider.
pub struct Plugin;

impl Source for Plugin {
    /// What the source stands for now, at the least cost. Only its files say what a directory is: not pinned.
    fn resolve(&self, _: &Context, asked: &Resolve) -> Result<Resolved, Failure> {
        let path = directory(asked)?;
        Ok(Resolved {
            name: asked.name.clone(),
            revision: None,
            dirty: false,
            path,
            pinned: false,
        })
    }

    /// Brings `revision` to the path that was resolved, then runs the `prepare` commands there.
    fn fetch(&self, cx: &Context, asked: &Fetch) -> Result<Fetched, Failure> {
        let path = directory(&asked.source)?;
        for command in &asked.prepare {
            prepare(cx, &path, command)?;
        }
        Ok(Fetched {
            path,
            changed: false,
        })
    }
}

fn directory(source: &Resolve) -> Result<PathBuf, Failure> {
    match &source.location {
        Location::Directory { path } if path.is_dir() => Ok(path.clone()),
        Location::Directory { path } => Err(Failure::failed(format!(
            "source `{}`: there is no directory `{}`",
            source.name,
            path.display()
        ))),
        _ => Err(not_written("what is no directory")),
    }
}

/// Runs a command; its lines go to the user, and cancelling the call ends it.
fn prepare(cx: &Context, dir: &Path, words: &[String]) -> Result<(), Failure> {
    let (program, args) = words
        .split_first()
        .ok_or_else(|| Failure::invalid("a `prepare` command is empty"))?;
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    Tool::new(command).called(words.join(" ")).run(cx)
}

fn not_written(what: &str) -> Failure {
    Failure::failed(format!("{what} of provider `@name@`: not written yet"))
        .hint("write it in `src/lib.rs`")
}
