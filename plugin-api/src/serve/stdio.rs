//! Moves standard input and output out of the way of what prints and reads. I/O: file descriptors.

use std::fs::File;
use std::io;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};

/// The first number that is nobody's standard stream.
const FIRST_FREE: i32 = 3;

/// Takes standard input and output, as two files that no child inherits. From then on standard input is
/// empty, and what is printed goes to standard error, so that a stray `println!`, in whichever language of
/// this process, does not get between the messages.
///
/// To be called before anything has read from standard input.
///
/// # Errors
/// The system has no file descriptors left, or no `/dev/null`.
pub fn take_stdio() -> io::Result<(File, File)> {
    let input = fcntl_dupfd_cloexec(stdin(), FIRST_FREE)?;
    let output = fcntl_dupfd_cloexec(stdout(), FIRST_FREE)?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok((File::from(input), File::from(output)))
}
