//! `cloudpad ps --watch` where a cluster decides what runs where: nothing is told of what happens there, so it is looked at
//! every few seconds.

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::super::Args;
use super::super::board::Board;
use super::POLLED;
use crate::cmd::Ended;
use crate::cmd::session::Session;
use crate::look::{Looked, seen};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::words;

/// Shows what runs until the user has had enough.
pub(in super::super) fn watch(args: &Args, session: &Session, mut looked: Looked) -> Ended {
    session.runner.stop.let_be_at_once();
    let runner = session.runner.silent();
    let stop = runner.stop.clone();
    let ended = session.wait_for(async {
        let mut resized = signal(SignalKind::window_change())
            .map_err(|error| Refusal::new(format!("cannot listen for signals: {error}")))?;
        let (mut board, mut failed) = (Board::of(&session.term), Vec::new());
        loop {
            let mut picture = args.picture(session, &looked);
            picture.errors.clone_from(&failed);
            if !board.show(picture, &session.config.project) {
                return Ok(exit::OK);
            }
            tokio::select! {
                biased;
                () = stop.requested() => return Ok(exit::INTERRUPTED),
                _ = resized.recv() => continue,
                () = sleep_until(Instant::now() + POLLED) => {}
            }
            // What was seen before is shown for as long as it cannot be looked at.
            match seen(&runner, &session.config, false).await {
                Ok(seen) => (looked.observed.cluster, failed) = (Some(Box::new(seen)), Vec::new()),
                Err(refusal) => failed = told(refusal),
            }
        }
    });
    runner.stop.cancel().cancel();
    ended
}

fn told(refusal: Refusal) -> Vec<String> {
    match refusal {
        Refusal::Message { message, .. } => vec![message],
        Refusal::Problems(problems) => problems.into_iter().map(|problem| problem.message).collect(),
        Refusal::Failures(failures) => failures.iter().map(words::failure).collect(),
        Refusal::Stopped => Vec::new(),
    }
}
