//! The program on a terminal: a pseudoterminal of which the test is the person.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::Outcome;

/// Runs `command` on a terminal of 120 columns, types `answer` into it, and returns all that it has shown:
/// as it came as stdout, and without control sequences as stderr.
pub fn run(command: Command, answer: &str) -> Outcome {
    with(command, |_, person| person.write_all(answer.as_bytes()).expect("the terminal takes the answer"))
}

/// The same, typing the answer once `text` is shown.
pub fn answer(command: Command, text: &str, answer: &str) -> Outcome {
    with(command, |_, person| {
        wait_for(person, text);
        person.write_all(answer.as_bytes()).expect("the terminal takes the answer");
    })
}

/// How long a text may take. A test that waited for ever would keep all others from the lab, and tell nothing.
const LONGEST: Duration = Duration::from_secs(120);

fn wait_for(person: &mut File, text: &str) {
    let (mut shown, mut byte, deadline) = (Vec::new(), [0], Instant::now() + LONGEST);
    while !shown.ends_with(text.as_bytes()) {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).expect("it is short");
        let said = || format!("{text:?} was not shown, but {:?}", String::from_utf8_lossy(&shown));
        let ready = poll(&mut [PollFd::new(&*person, PollFlags::IN)], Some(&left));
        assert!(ready.is_ok_and(|ready| ready > 0), "{}", said());
        person.read_exact(&mut byte).unwrap_or_else(|error| panic!("{}: {error}", said()));
        shown.extend(byte);
    }
}

/// Runs `command` on such a terminal; for each of `talk`, waits until its first text was shown, then types the second. `\0` in
/// what is typed stands for a terminal that gets 50 lines of 100 columns.
pub fn talk(command: Command, talk: &[(&str, &str)]) -> Outcome {
    with(command, |_, person| {
        for (text, answer) in talk {
            wait_for(person, text);
            match *answer {
                "\0" => {
                    tcsetwinsize(&*person, Winsize { ws_row: 50, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 })
                        .expect("the terminal has another size")
                }
                answer => person.write_all(answer.as_bytes()).expect("the terminal takes the answer"),
            }
        }
    })
}

/// The person at such a terminal.
pub struct Person<'a> {
    child: &'a Child,
    terminal: &'a mut File,
}

impl Person<'_> {
    /// Looks until this was shown, as the program has written it.
    pub fn sees(&mut self, text: &str) {
        wait_for(self.terminal, text);
    }

    /// Makes the terminal another size, of which the program is told.
    pub fn resizes(&mut self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&*self.terminal, size).expect("the terminal has another size");
        self.sends("-WINCH");
    }

    /// Whether the terminal shows what is typed.
    pub fn sees_what_is_typed(&self) -> bool {
        tcgetattr(&*self.terminal).expect("a terminal").local_modes.contains(LocalModes::ECHO)
    }

    /// Sends the program a signal.
    pub fn sends(&mut self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }
}

/// Runs `command` on such a terminal, at which `act` is what the person does, and returns what was shown after that.
pub fn attend(command: Command, act: impl FnOnce(&mut Person)) -> Outcome {
    with(command, |child, terminal| act(&mut Person { child, terminal }))
}

/// Runs `command` on such a terminal, and interrupts it once it has shown `text`.
pub fn interrupt(command: Command, text: &str) -> Outcome {
    signal(command, text, "kill -INT")
}

/// Runs `command` on such a terminal, and does `kill` to its process once it has shown `text`.
pub fn signal(command: Command, text: &str, kill: &str) -> Outcome {
    with(command, |child, person| {
        wait_for(person, text);
        let kill = Command::new("sh").args(["-c", &format!("{kill} {}", child.id())]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    })
}

/// Runs `command` on a terminal on which `act` is what the person does.
fn with(mut command: Command, act: impl FnOnce(&Child, &mut File)) -> Outcome {
    let (person, terminal) = open().expect("no pseudoterminal");
    let copy = || terminal.try_clone().expect("no file descriptor");
    command.env("TERM", "xterm").stdin(copy()).stdout(copy()).stderr(terminal);
    let mut child = command.spawn().expect("cloudpad does not start");
    // Else this process would hold the terminal open, and its end would never be seen.
    let line = format!("{command:?}");
    drop(command);
    let mut person = File::from(person);
    act(&child, &mut person);
    let mut shown = Vec::new();
    // Linux ends a terminal that nobody has open any more with an error.
    let _ = person.read_to_end(&mut shown);
    let status = child.wait().expect("cloudpad is lost");
    let stdout = String::from_utf8_lossy(&shown).into_owned();
    let stderr = anstream::adapter::strip_str(&stdout).to_string();
    Outcome { command: line, code: status.code(), stdout, stderr }
}

fn open() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&person)?;
    unlockpt(&person)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(ptsname(&person, Vec::new())?, flags, Mode::empty())?;
    tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((person, terminal))
}
