//! The end of a plugin's process: awaited, brought about, and tidied up. I/O: processes.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::thread::Builder;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::Teller;
use super::actor::Command;
use super::fault::Exit;

/// Tells when a process has ended, without reaping it: until it is reaped, its number and that of its group
/// cannot become another's.
pub fn watch(pid: Pid, teller: Teller) -> io::Result<()> {
    let watch = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
        teller.tell(Command::Exited);
    };
    Builder::new().name("plugin's end".to_owned()).spawn(watch).map(drop)
}

/// Asks every process of the group to end.
pub fn terminate(group: Pid) {
    signal(group, Signal::TERM);
}

/// Ends every process of the group.
pub fn kill(group: Pid) {
    signal(group, Signal::KILL);
}

fn signal(group: Pid, signal: Signal) {
    // The only failure there is: all of the group has ended already.
    let _ = kill_process_group(group, signal);
}

/// Reaps a process that has ended. What it left behind in its group has to have been killed before.
pub fn reap(child: &mut Child) -> io::Result<Exit> {
    let status = child.wait()?;
    Ok(match status.signal() {
        Some(signal) => Exit::Signal(signal),
        None => Exit::Code(status.code().unwrap_or_default()),
    })
}
