//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A bug ends with 101 and a backtrace where it happened; everything else comes back as a code.
    ExitCode::from(cloudpad::cmd::main())
}
