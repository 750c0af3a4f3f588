//! Opens files that somebody else may have put there. I/O: files.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file to read it. Anything else is an error, and not waited for: whoever opens a pipe
/// waits until somebody writes to it.
///
/// # Errors
/// When it cannot be opened, or is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

/// The longest text that is read whole, in bytes: a file that comes with a project may lead to anything.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Reads a regular file that is text.
///
/// # Errors
/// As for [`open`]; also when it is longer than 16 MiB or no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST { Err(io::Error::other("it is longer than 16 MiB")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_have_an_end_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("text"), "all of it").unwrap();
        assert_eq!(read_text(&at("text")).unwrap(), "all of it");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("endless")).unwrap();
        File::create(at("long")).unwrap().set_len(LONGEST + 1).unwrap();
        for name in ["pipe", "endless", "long"] {
            assert!(read_text(&at(name)).is_err(), "{name}");
        }
    }
}
