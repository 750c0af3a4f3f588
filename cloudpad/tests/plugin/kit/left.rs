//! What is left of a plugin: the processes of its session.

use std::fs;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::Bench;

/// Longer than anything takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

impl Bench {
    /// The processes that were started as plugins, in their order: leaders of their sessions.
    pub fn leaders(&self) -> Vec<i32> {
        let pids = fs::read_to_string(self.dir().join("pids")).unwrap_or_default();
        pids.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Asserts that no process of the plugin's sessions is left. One that was killed may take a moment to go.
    pub fn assert_gone(&self) {
        let leaders = self.leaders();
        assert!(!leaders.is_empty(), "the plugin was never started");
        for (pid, command) in processes().into_iter().filter(|(pid, _)| leaders.contains(&session(*pid))) {
            assert!(ends(pid), "process {pid} (`{command}`) is left");
        }
    }
}

/// Waits for the end of a process that need not be ours.
fn ends(pid: i32) -> bool {
    let Some(Ok(fd)) = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
        return true;
    };
    let patience = Timespec::try_from(PATIENCE).unwrap();
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&patience)) == Ok(1)
}

/// Every process that runs, with its command's name.
fn processes() -> Vec<(i32, String)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, stat)| stat[1] != "Z")
        .map(|(pid, mut stat)| (pid, stat.swap_remove(0)))
        .collect()
}

fn session(pid: i32) -> i32 {
    stat(pid).map_or(0, |stat| stat[4].parse().unwrap())
}

/// The command's name, and the fields after it: state, parent, group, session.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(") ")?;
    let command = before.split_once('(')?.1;
    Some(std::iter::once(command).chain(after.split(' ')).map(str::to_owned).collect())
}
