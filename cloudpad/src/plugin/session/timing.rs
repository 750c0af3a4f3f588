//! How far a session is, and by when what has to have happened. Pure.

use std::time::Instant;

use super::fault::Fault;
use crate::plugin::limits::Limits;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The hello is awaited.
    Opening,
    /// Calls are taken.
    Open,
    /// Its standard input is closed.
    Finishing,
    /// It was sent SIGTERM.
    Terminated,
    /// It was sent SIGKILL.
    Killed,
}

/// What is to be done because it is time.
#[derive(Debug)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// This is wrong with the plugin.
    Fault(Fault),
    /// It is to be sent SIGTERM.
    Terminate,
    /// It is to be sent SIGKILL.
    Kill,
    /// Nothing ends it.
    GiveUp,
}

/// The deadlines of a session.
pub struct Timing {
    limits: Limits,
    phase: Phase,
    /// When the phase has to be over.
    phase_by: Option<Instant>,
    /// When the plugin has to have read on.
    read_by: Option<Instant>,
    /// What is wrong unless the process ends until then.
    doubt: Option<(Instant, Fault)>,
    /// The process has ended: when that was, or when more was read since, and how much.
    exited: Option<(Instant, usize)>,
}

/// What a process may still have in a pipe when it ends: the largest pipe that Linux lets a user make.
const LARGEST_PIPE: usize = 1024 * 1024;

impl Timing {
    /// A session that begins now.
    pub fn new(limits: Limits, now: Instant) -> Self {
        let phase_by = Some(now + limits.hello);
        Self { limits, phase: Phase::Opening, phase_by, read_by: None, doubt: None, exited: None }
    }

    /// How far the session is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the plugin is listened to.
    pub fn is_speaking(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Open)
    }

    /// Whether the plugin is spoken to.
    pub fn is_writing(&self) -> bool {
        self.phase == Phase::Open && self.exited.is_none()
    }

    /// The session is so far now.
    pub fn enter(&mut self, phase: Phase, now: Instant) {
        let limits = &self.limits;
        self.phase = phase;
        self.phase_by = match phase {
            Phase::Opening => Some(now + limits.hello),
            Phase::Open => None,
            Phase::Finishing => Some(now + limits.close),
            Phase::Terminated => Some(now + limits.term),
            Phase::Killed => Some(now + limits.kill),
        };
    }

    /// A stream has closed, which is wrong unless the process ends with it.
    pub fn closed(&mut self, stream: &'static str, now: Instant) {
        let by = now + self.limits.drain;
        self.doubt.get_or_insert((by, Fault::Closed(stream)));
    }

    /// Messages are left, and the plugin has read some of them or not.
    pub fn unread(&mut self, left: bool, progress: bool, now: Instant) {
        let by = now + self.limits.read;
        self.read_by = match self.read_by {
            _ if !left => None,
            Some(by) if !progress => Some(by),
            _ => Some(by),
        };
    }

    /// The process has ended.
    pub fn exited(&mut self, now: Instant) {
        self.exited = Some((now, 0));
    }

    /// So much was read, or nothing could be, since nobody listens.
    pub fn read(&mut self, bytes: usize, now: Instant) {
        if let Some((since, read)) = &mut self.exited {
            (*since, *read) = (now, *read + bytes);
        }
    }

    /// Whether the process has ended and nothing more is to be read; `open`: whether anything could be.
    pub fn is_done(&self, open: bool, now: Instant) -> bool {
        self.exited
            .is_some_and(|(since, read)| !open || read > LARGEST_PIPE || now >= since + self.limits.drain)
    }

    /// Whether the process has ended.
    pub fn has_exited(&self) -> bool {
        self.exited.is_some()
    }

    /// When to look again though nothing happens. `cancelled`: when the first of the cancelled calls has to end.
    pub fn next(&self, cancelled: Option<Instant>) -> Option<Instant> {
        let drained = self.exited.map(|(since, _)| since + self.limits.drain);
        let doubt = self.doubt.as_ref().map(|(by, _)| *by);
        [self.phase_by, self.read_by, doubt, drained, cancelled].into_iter().flatten().min()
    }

    /// What is to be done because it is time.
    pub fn due(&mut self, cancelled: Option<Instant>, now: Instant) -> Due {
        let due = |by: Option<Instant>| by.is_some_and(|by| by <= now);
        if self.exited.is_some() {
            return Due::Nothing;
        }
        if self.is_speaking() {
            if due(cancelled) {
                return Due::Fault(Fault::Deaf(self.limits.cancel));
            }
            if let Some((_, fault)) = self.doubt.take_if(|(by, _)| *by <= now) {
                return Due::Fault(fault);
            }
            if due(self.read_by) {
                return Due::Fault(Fault::Unread(self.limits.read));
            }
        }
        match self.phase {
            _ if !due(self.phase_by) => Due::Nothing,
            Phase::Open => Due::Nothing,
            Phase::Opening => Due::Fault(Fault::Silent(self.limits.hello)),
            Phase::Finishing => Due::Terminate,
            Phase::Terminated => Due::Kill,
            Phase::Killed => Due::GiveUp,
        }
    }
}

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
