//! Reads what containers on several hosts print, all at once, and hands it on in the order of time. I/O, through plugins.

mod ask;
mod told;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use cloudpad_plugin_api::{Failure, Request};

use crate::interleave::{Line, Window};
use crate::run::Runner;
use ask::ask;

/// How many messages of a host wait at the most, until it waits itself.
const MOST_WAITING: usize = 2048;
/// For how long the others wait for a host that says nothing. After that they are not kept waiting by it again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many lines are handed on at once, at the most.
const AT_ONCE: usize = 512;

/// What a host tells.
pub enum Told {
    /// What its containers have printed, in the order of time.
    Lines(Vec<Line>),
    /// Something else for the user.
    Note(String),
    /// It is lost while it is followed, and asked again.
    Lost(String, Failure),
    /// It is followed again.
    Back(String),
    /// It tells no more: how many containers there were.
    Ended(String, Result<u32, Failure>),
}

enum Message {
    Line(Line),
    Other(Told),
}

/// Sends the requests, each for a host or for a cluster, and hands on what is told until all have ended, or `hand_on` has had enough.
pub fn tail(runner: &Runner, requests: Vec<Request>, follow: bool, mut hand_on: impl FnMut(Told) -> bool) {
    let (send, receive) = sync_channel(MOST_WAITING);
    let mut hosts = Vec::new();
    for request in requests {
        // Without following each host has a queue of its own, so that always the earliest of all is taken.
        let (send, receive) = if follow { (send.clone(), None) } else { own_queue() };
        hosts.extend(receive);
        let runner = runner.clone();
        std::thread::spawn(move || ask(&runner, request, &send));
    }
    drop(send);
    match follow {
        true => as_they_come(&receive, &mut hand_on),
        false => in_order(hosts, &mut hand_on),
    }
    runner.stop.cancel().cancel();
}

fn own_queue() -> (SyncSender<Message>, Option<Receiver<Message>>) {
    let (send, receive) = sync_channel(MOST_WAITING);
    (send, Some(receive))
}

/// Each line a little later than it comes, so that earlier ones can overtake it.
fn as_they_come(receive: &Receiver<Message>, hand_on: &mut impl FnMut(Told) -> bool) {
    let mut window = Window::default();
    loop {
        let due = window.next_due().map(|due| due.saturating_duration_since(Instant::now()));
        let message = match due {
            Some(wait) => receive.recv_timeout(wait),
            None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let goes_on = match message {
            Ok(Message::Line(line)) => {
                window.push(line.time, line, Instant::now());
                true
            }
            Ok(Message::Other(told)) => hand_on(told),
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => {
                hand_on(Told::Lines(window.finish()));
                return;
            }
        };
        let now = Instant::now();
        let lines: Vec<_> = std::iter::from_fn(|| window.pop(now)).take(AT_ONCE).collect();
        if !goes_on || (!lines.is_empty() && !hand_on(Told::Lines(lines))) {
            return;
        }
    }
}

/// One host's queue, and the line that is next in it.
struct Host {
    queue: Receiver<Message>,
    next: Option<Line>,
    ended: bool,
    late: bool,
}

/// Always the earliest of the next lines of all hosts.
fn in_order(queues: Vec<Receiver<Message>>, hand_on: &mut impl FnMut(Told) -> bool) {
    let host = |queue| Host { queue, next: None, ended: false, late: false };
    let mut hosts: Vec<_> = queues.into_iter().map(host).collect();
    let mut lines = Vec::new();
    loop {
        for host in &mut hosts {
            if !host.await_next(&mut lines, hand_on) {
                return;
            }
        }
        let first = hosts
            .iter_mut()
            .filter(|host| host.next.is_some())
            .min_by_key(|host| host.next.as_ref().and_then(|line| line.time));
        let Some(line) = first.and_then(|host| host.next.take()) else {
            if hosts.iter().all(|host| host.ended) {
                hand_on(Told::Lines(lines));
                return;
            }
            // Only hosts that are late are left: what they tell now is waited for again.
            hosts.iter_mut().for_each(|host| host.late = false);
            continue;
        };
        lines.push(line);
        if lines.len() >= AT_ONCE && !hand_on(Told::Lines(std::mem::take(&mut lines))) {
            return;
        }
    }
}

impl Host {
    /// Sees to it that the next line is known, if there is one. Whoever waits prints what there is first.
    fn await_next(&mut self, lines: &mut Vec<Line>, hand_on: &mut impl FnMut(Told) -> bool) -> bool {
        while self.next.is_none() && !self.ended {
            let message = match self.queue.try_recv() {
                Err(TryRecvError::Empty) if self.late => return true,
                Err(TryRecvError::Empty) => {
                    if !lines.is_empty() && !hand_on(Told::Lines(std::mem::take(lines))) {
                        return false;
                    }
                    self.queue.recv_timeout(PATIENCE)
                }
                other => other.map_err(|_| RecvTimeoutError::Disconnected),
            };
            let goes_on = match message {
                Ok(Message::Line(line)) => {
                    self.next = Some(line);
                    true
                }
                Ok(Message::Other(told)) => {
                    self.ended = matches!(told, Told::Ended(..));
                    hand_on(told)
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.late = true;
                    true
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    true
                }
            };
            if !goes_on {
                return false;
            }
        }
        true
    }
}
