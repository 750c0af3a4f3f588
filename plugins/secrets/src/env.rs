//! Provider `env`: the environment first, then files in which each line is `NAME=value`. I/O: environment, files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cloudpad_plugin_api::stage::secrets::{Found, Get, Secrets, Values};
use cloudpad_plugin_api::{Context, Failure, Secret};
use rustix::fs::OFlags;

use crate::dotenv;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The file that is read where it is there and no other is named, as by Compose.
const DEFAULT: &str = ".env";

pub(crate) struct Env;

/// What `[stages.secrets.config]` may say.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Files in the syntax of `.env`, relative to the project. Of two that have a name, the later one counts.
    files: Option<Vec<PathBuf>>,
}

impl Secrets for Env {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>().map(|_| ())
    }

    fn get(&self, cx: &Context, request: &Get) -> Result<Found, Failure> {
        let files = read(cx, &cx.config::<Config>()?)?;
        let value = |name: &String| {
            let found = std::env::var_os(name).map(|value| {
                let why = || Failure::failed(format!("the environment variable `{name}` is no UTF-8 text"));
                value.into_string().map_err(|_| why())
            });
            found.or_else(|| files.get(name).cloned().map(Ok))
        };
        let mut values = Values::default();
        for name in &request.names {
            if let Some(value) = value(name).transpose()? {
                values.0.insert(name.clone(), Secret::from(value));
            }
        }
        Ok(Found { values })
    }
}

fn read(cx: &Context, config: &Config) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = BTreeMap::new();
    match &config.files {
        None => all.extend(file(cx, Path::new(DEFAULT))?.unwrap_or_default()),
        Some(files) => {
            for path in files {
                let missing = || Failure::failed(format!("there is no file `{}`", path.display()));
                let hint = "`files` of the secrets provider `env` names it, relative to the project";
                all.extend(file(cx, path)?.ok_or_else(|| missing().hint(hint))?);
            }
        }
    }
    Ok(all)
}

/// The variables of a file; none where it is not there.
fn file(cx: &Context, path: &Path) -> Result<Option<Vec<(String, String)>>, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::failed(format!("`{}` cannot be read as a file of variables: {why}", path.display()))
    };
    let text = match read_regular(&cx.path(path)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let text = String::from_utf8(text).map_err(|_| failed(&"it is no UTF-8 text"))?;
    let pairs = dotenv::parse(&text);
    pairs.map(Some).map_err(|wrong| failed(&format!("line {}: {}", wrong.line, wrong.why)))
}

/// Reads a regular file. Anything else is an error, and not waited for, as who opens a pipe waits for somebody to
/// write to it.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST { Err(io::Error::other("it is longer than 1 MiB")) } else { Ok(text) }
}
