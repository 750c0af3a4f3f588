//! What a plugin's process has left running. I/O: the system's list of processes.

use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::Pid;

/// How often one looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// The processes of the session that `leader` has led, itself aside, once they had `time` to end with it. None where
/// the system does not tell.
pub fn left_behind(leader: Pid, time: Duration) -> Option<Vec<String>> {
    let by = Instant::now() + time;
    loop {
        let left = session(leader)?;
        if left.is_empty() || Instant::now() >= by {
            return Some(left);
        }
        thread::sleep(INTERVAL);
    }
}

fn session(leader: Pid) -> Option<Vec<String>> {
    let leader = leader.as_raw_nonzero().get();
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some((name, session)) = read(&stat)
            && session == leader
            && pid != leader
        {
            left.push(format!("{name} ({pid})"));
        }
    }
    Some(left)
}

/// A process's name and session, by proc_pid_stat(5); none where it is one that has ended.
fn read(stat: &str) -> Option<(&str, i32)> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let mut fields = after.split(' ');
    let state = fields.next()?;
    let session = fields.nth(2)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some((name, session))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn lines_of_the_system() {
        assert_eq!(read("12 (a b) c) S 1 12 11 0 -1"), Some(("a b) c", 11)));
        assert_eq!(read("12 (a) Z 1 12 11 0 -1"), None);
        assert_eq!(read(""), None);
    }
}
