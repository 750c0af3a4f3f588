//! What the loop does because of the time. I/O.

use std::future::Future as _;
use std::task::Context;
use std::time::Duration;

use tokio::time::Instant;

use super::{Actor, End};
use crate::life::Sign;
use crate::wire::Trouble;

/// How often to look at the clock.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// How long a stream that was dropped may take to send what had been written to it.
const LINGER: Duration = Duration::from_secs(5);

impl Actor {
    /// Does what is due. Whether there is something new to be tried.
    pub(super) fn watch_clock(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        if let Some(look) = self.opening.next_look(now).filter(|look| *look < self.timer.deadline()) {
            self.timer.as_mut().reset(look);
        }
        let mut anew = false;
        while self.timer.as_mut().poll(cx).is_ready() {
            self.timer.as_mut().reset(now + TICK);
            anew |= self.do_chores(now)?;
        }
        Ok(anew)
    }

    fn do_chores(&mut self, now: Instant) -> Result<bool, End> {
        self.opening.expire(now, &self.login);
        let mut anew = self.opening.is_due(now);
        for channel in &mut self.channels {
            if channel.gone_since().is_some_and(|gone| now.duration_since(gone) >= LINGER) {
                channel.give_up();
                anew = true;
            }
        }
        match self.life.check(now) {
            Sign::Nothing => Ok(anew),
            Sign::Ask => Ok(anew | self.ask_for_life()?),
            Sign::Dead(silence) => {
                Err(self.lost(&format!("it has not answered for {} s", silence.as_secs())))
            }
        }
    }

    /// Has the host send something. What is waiting to be sent asks as well as a question would. Whether
    /// the question still has to be sent.
    fn ask_for_life(&mut self) -> Result<bool, End> {
        if self.idle.is_none() {
            self.opening.ask_idle();
            return Ok(true);
        }
        if self.wire.is_sending() || !self.wire.has_room() {
            return Ok(false);
        }
        match self.wire.sort(self.wire.session.keepalive_send()) {
            Ok(_) | Err(Trouble::Channel(_)) => Ok(false),
            Err(Trouble::Session(error)) => Err(self.lost(error.message())),
        }
    }
}
