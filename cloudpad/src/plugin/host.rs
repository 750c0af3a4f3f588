//! The process that a plugin which is a library lives in: it loads the library, and hands messages to it and from
//! it as JSON lines on its own standard input and output. I/O: libraries, streams.
//!
//! A library can abort, exit, hang or corrupt the process that loads it, and so it gets one of its own. It is
//! never unloaded.

mod abi;
mod stream;

use std::error::Error;
use std::fmt::Display;
use std::path::Path;

use cloudpad_plugin_api::abi::{FAILED, FINISHED, HostV1, NOT_UNDERSTOOD, PANICKED};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use self::abi::Plugin;
use self::stream::Stream;
use crate::project::file;
use crate::refusal::Refusal;

/// The symbol of a plugin.
const SYMBOL: &str = "cloudpad_plugin_v1";

/// Serves the library at `path` until its end, and returns the exit code.
///
/// # Errors
/// When it cannot be loaded or is no plugin, or its end was not a good one.
pub fn run(path: &Path) -> Result<u8, Refusal> {
    let cannot = |why: &dyn Display| Refusal::new(format!("cannot load `{}`: {why}", path.display()));
    if !path.is_absolute() {
        return Err(cannot(&"the path is not absolute"));
    }
    // Before the library is loaded: its constructors may print and read too.
    // Its threads may go on after it has returned, and so what it is given stays for ever.
    let stream: &Stream = Box::leak(Box::new(Stream::take().map_err(|error| cannot(&error))?));
    // Whoever loads a pipe waits until somebody writes to it.
    drop(file::open(path).map_err(|error| cannot(&error))?);
    // SAFETY: to run what is in the library, its constructors first, is what was asked for.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|error| cannot(&cause(&error)))?;
    // SAFETY: a library that has the symbol promises the function of that name to be of this type.
    let plugin: Plugin = match unsafe { library.get::<Plugin>(SYMBOL.as_bytes()) } {
        Ok(symbol) => *symbol,
        Err(_) => return Err(cannot(&format!("it has no symbol `{SYMBOL}`, and so is no plugin"))),
    };
    std::mem::forget(library);
    let host: &HostV1 = Box::leak(Box::new(abi::host(stream)));
    // SAFETY: the symbol is a function of this type, and what it is given stays.
    let code = unsafe { plugin(host) };
    stream.close();
    ending(path, code)
}

fn ending(path: &Path, code: i32) -> Result<u8, Refusal> {
    let how = match code {
        FINISHED => return Ok(0),
        FAILED => "failed".to_owned(),
        NOT_UNDERSTOOD => {
            "does not understand this host: it was made for another version of Cloudpad".to_owned()
        }
        PANICKED => "panicked".to_owned(),
        code => format!("returned {code}, which means nothing"),
    };
    Err(Refusal::new(format!("`{}` {how}", path.display())))
}

/// What the loader says; the error itself only says that loading has failed.
fn cause(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
