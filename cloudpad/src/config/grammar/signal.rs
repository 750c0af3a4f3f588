//! Stop signals. Pure.

use crate::config::{Problem, nearest};

/// The names of `signal(7)`.
const NAMES: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Reads `SIGQUIT`, `quit` or `RTMIN+3`, and gives it with `SIG`.
pub fn signal(text: &str) -> Result<String, Problem> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if NAMES.contains(&name) || is_realtime(name) {
        return Ok(format!("SIG{name}"));
    }
    let problem = Problem::new(format!("`{text}` is no signal"));
    Err(match nearest::find(name, NAMES) {
        Some(near) => problem.hint(format!("did you mean `SIG{near}`?")),
        None => problem.hint("write a name such as `SIGTERM` or `SIGQUIT`"),
    })
}

fn is_realtime(name: &str) -> bool {
    let offset = name.strip_prefix("RTMIN+").or(name.strip_prefix("RTMAX-"));
    matches!(name, "RTMIN" | "RTMAX") || offset.is_some_and(|n| matches!(n.parse::<u8>(), Ok(1..=15)))
}
