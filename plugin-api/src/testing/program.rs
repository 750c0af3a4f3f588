//! What the host speaks to: a thread with a linked plugin, or a program. I/O: threads, processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::Played;
use crate::Plugin;
use crate::serve::memory::{self, HostSide};
use crate::serve::{ASKED, serve};

/// Has a linked plugin serve while `play` plays the host.
pub(super) fn linked(plugin: &Plugin, play: impl FnOnce(HostSide) -> Played) -> Played {
    let (host, mut from, to) = memory::pair();
    thread::scope(|threads| {
        threads.spawn(move || serve(plugin, &mut from, Box::new(to)));
        play(host)
    })
}

/// Has a program serve while `play` plays the host.
pub(super) fn started(mut command: Command, play: impl FnOnce(HostSide) -> Played) -> Played {
    command.arg(ASKED).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { unreachable!() };
    let (to, told) = channel();
    let (tell, from) = channel();
    let played = thread::scope(|threads| {
        threads.spawn(move || write(input, &told));
        threads.spawn(move || read(output, &tell));
        play(HostSide { to, from })
    });
    let status = child.wait().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} ended with {status}");
    played
}

fn write(mut input: impl Write, told: &Receiver<Vec<u8>>) {
    for mut line in told {
        line.push(b'\n');
        // One that has ended already is found by what it does not answer.
        let _ = input.write_all(&line);
    }
}

fn read(output: impl Read, tell: &Sender<Vec<u8>>) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let _ = tell.send(line);
    }
}
