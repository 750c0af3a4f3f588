//! How a plugin ends, and what was wrong with all that it has said. I/O: through conversations.

use super::super::conversation::Over;
use super::super::kit::{Kit, probe};
use super::super::verdict::Verdict;

/// How an ordinary conversation ends: calls, and then the end of standard input.
fn over<'k>(kit: &'k mut Kit<'_>) -> Result<&'k Over, Verdict> {
    if kit.over.is_none() {
        let conversation = match kit.ordinary.take() {
            Some(conversation) => conversation,
            None => {
                let mut conversation = kit.open()?;
                let (offers, config) = (kit.offers(), kit.config());
                if let Some(offer) = offers.first() {
                    conversation.ask(&probe(offer, &config));
                }
                conversation
            }
        };
        kit.over = Some(kit.close(conversation));
    }
    kit.over.as_ref().ok_or_else(|| Verdict::skipped("no conversation has ended"))
}

pub fn end(kit: &mut Kit<'_>) -> Verdict {
    let limit = kit.limits.close.as_secs_f64();
    match over(kit) {
        Ok(Over { ending, .. }) if ending.forced => Verdict::failed(
            format!("it went on for {limit} s after its standard input had ended, and had to be ended"),
            "end when standard input does",
        ),
        Ok(_) => Verdict::Passed,
        Err(verdict) => verdict,
    }
}

pub fn exit_code(kit: &mut Kit<'_>) -> Verdict {
    match over(kit) {
        Ok(Over { ending, .. }) if ending.forced => Verdict::skipped("it did not end by itself"),
        Ok(Over { ending, stderr, .. }) => match ending.status {
            Some(status) if status.success() => Verdict::Passed,
            Some(status) => {
                let why = stderr.iter().rev().take(3).rev();
                let why =
                    why.fold(format!("its end was {status}"), |why, line| format!("{why}\nstderr: {line}"));
                Verdict::failed(why, "end with exit code 0 when all has gone well")
            }
            None => Verdict::skipped("its end could not be seen"),
        },
        Err(verdict) => verdict,
    }
}

pub fn leaves_nothing(kit: &mut Kit<'_>) -> Verdict {
    match over(kit) {
        Ok(Over { ending, .. }) => match &ending.left {
            Some(left) if left.is_empty() => Verdict::Passed,
            Some(left) => Verdict::failed(
                format!("it left running: {}", left.join(", ")),
                "end and wait for what was started before ending",
            ),
            None => Verdict::skipped("this system does not tell which processes there are"),
        },
        Err(verdict) => verdict,
    }
}

pub fn stdout(kit: &mut Kit<'_>) -> Verdict {
    told(
        &kit.stray,
        "standard output is for messages, one JSON object a line; print everything else to standard error",
    )
}

pub fn ids(kit: &mut Kit<'_>) -> Verdict {
    told(&kit.misplaced, "`id` is that of the call, which exactly one `result` or `error` ends")
}

fn told(fault: &Option<String>, mend: &str) -> Verdict {
    fault.as_ref().map_or(Verdict::Passed, |why| Verdict::failed(why.clone(), mend))
}
