//! A build context: the directory that a build may copy files from, less what `.dockerignore` leaves
//! out, and the Dockerfile, which need not be in it. Reads the file system.

pub mod archive;
pub mod digest;
pub mod times;
pub mod walk;

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::Recipe;

use tempfile::TempDir;

use crate::ignore::Ignore;
use crate::unreadable;

/// The file that names what is left out.
pub const IGNORE_FILE: &str = ".dockerignore";

/// A context that is there, with its Dockerfile.
pub struct Context {
    /// The directory, absolute.
    pub root: PathBuf,
    /// The Dockerfile's directory, absolute.
    pub dockerfile_dir: PathBuf,
    /// The Dockerfile's name there.
    pub dockerfile_name: String,
    /// The Dockerfile's bytes.
    pub dockerfile: Vec<u8>,
    /// What is left out.
    pub ignore: Ignore,
}

impl Context {
    /// Reads the Dockerfile and the ignore file of a recipe.
    ///
    /// # Errors
    /// `failed`, when the context or the Dockerfile is not there or cannot be read, or when the ignore
    /// file has a line that is no pattern; also where a link makes one of these a file that is not in the source.
    pub fn open(recipe: &Recipe) -> Result<Self, Failure> {
        let given = recipe.source.path.join(&recipe.context);
        let root = given.canonicalize().ok().filter(|root| root.is_dir());
        let root = root.ok_or_else(|| no_context(recipe, &given))?;
        let path = root.join(&recipe.dockerfile);
        let missing = |error: Error| no_dockerfile(recipe, &path, &error);
        let source = recipe.source.path.canonicalize().map_err(missing)?;
        let dockerfile = read_within(&source, &path).map_err(missing)?;
        // Without `..` one can see whether it is in the context.
        let dockerfile_dir = path.parent().unwrap_or(&root).canonicalize().map_err(missing)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let own = dockerfile_dir.join(format!("{name}{IGNORE_FILE}"));
        let ignore = read_ignore(&source, &[own, root.join(IGNORE_FILE)])?;
        Ok(Self { root, dockerfile_dir, dockerfile_name: name, dockerfile, ignore })
    }
}

impl Context {
    /// Has `dockerfile` built in place of the one that was read, with the same ignore file, for as long as what is
    /// returned is there.
    ///
    /// # Errors
    /// `failed`, when it cannot be written.
    pub fn build_instead(&mut self, dockerfile: Vec<u8>) -> Result<TempDir, Failure> {
        let failed = |error: Error| {
            let dir = std::env::temp_dir();
            Failure::failed(format!("cannot write a Dockerfile below `{}`: {error}", dir.display()))
        };
        let dir = TempDir::new().map_err(failed)?;
        let ignore = format!("{}{IGNORE_FILE}", self.dockerfile_name);
        match std::fs::copy(self.dockerfile_dir.join(&ignore), dir.path().join(&ignore)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        std::fs::write(dir.path().join(&self.dockerfile_name), &dockerfile).map_err(failed)?;
        self.dockerfile_dir = dir.path().to_owned();
        self.dockerfile = dockerfile;
        Ok(dir)
    }
}

/// Reads a file of the directory `source`, whose path has no links. Where `path` has any, they may lead to another file of
/// it, and to none besides: what is in a Dockerfile is told where it is wrong, and whoever writes a source must not get to see
/// by that what is on this machine.
fn read_within(source: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    let file = path.canonicalize()?;
    match file.metadata()?.is_file() {
        _ if !file.starts_with(source) => {
            Err(Error::other(format!("a link makes it `{}`, which is not in the source", file.display())))
        }
        // A pipe would be waited for.
        false => Err(Error::other("it is no file")),
        true => std::fs::read(file),
    }
}

fn no_context(recipe: &Recipe, path: &Path) -> Failure {
    let name = &recipe.name;
    Failure::failed(format!("the build context of image `{name}` is not a directory: `{}`", path.display()))
        .hint(format!("name it with `context` in `[images.{name}]`, relative to the source"))
}

fn no_dockerfile(recipe: &Recipe, path: &Path, error: &Error) -> Failure {
    let failure = match error.kind() {
        ErrorKind::NotFound => {
            Failure::failed(format!("image `{}` has no Dockerfile at `{}`", recipe.name, path.display()))
        }
        _ => unreadable(path, error),
    };
    failure.hint(format!("name it with `dockerfile` in `[images.{}]`, relative to `context`", recipe.name))
}

/// The patterns of the first of `paths`, all of `source`, that is there.
fn read_ignore(source: &Path, paths: &[PathBuf]) -> Result<Ignore, Failure> {
    for path in paths {
        match read_within(source, path) {
            Ok(bytes) => return Ignore::parse(&bytes).map_err(|bad| bad_ignore(path, &bad)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                return Err(
                    unreadable(path, &error).hint("have a file of the source in its place, or nothing")
                );
            }
        }
    }
    Ok(Ignore::default())
}

fn bad_ignore(path: &Path, bad: &crate::ignore::BadIgnoreFile) -> Failure {
    Failure::failed(format!("`{}`, line {}: {}: `{}`", path.display(), bad.line, bad.reason, bad.text))
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
