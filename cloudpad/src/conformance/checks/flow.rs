//! Several calls in one conversation. I/O: through conversations.

use serde_json::json;

use super::super::conversation::{Answer, Conversation};
use super::super::kit::{Kit, probe};
use super::super::verdict::Verdict;

/// How many calls are made at once.
const AT_ONCE: usize = 8;

pub fn two(kit: &mut Kit<'_>) -> Verdict {
    kit.with_each_offer(|conversation, offer, config| {
        let ask = probe(offer, config);
        let answers = (0..2).map(|_| conversation.ask(&ask));
        all_answered(answers, "go on after an answer, until standard input ends")
    })
}

pub fn parallel(kit: &mut Kit<'_>) -> Verdict {
    if !kit.hello.as_ref().is_some_and(|hello| hello.parallel) {
        return Verdict::skipped("its hello says that it takes one call at a time");
    }
    kit.with_each_offer(|conversation, offer, config| {
        let ask = probe(offer, config);
        let calls: Vec<u64> = (0..AT_ONCE).map(|_| conversation.call(&ask, &json!({}))).collect();
        let answers = calls.into_iter().map(|id| conversation.answer(id));
        all_answered(answers, "answer all calls that are made at once, or leave `parallel` out of the hello")
    })
}

/// Waits for one answer after the other, and for no more once there was none.
fn all_answered(answers: impl ExactSizeIterator<Item = Answer>, mend: &str) -> Verdict {
    let count = answers.len();
    for (number, answer) in (1..).zip(answers) {
        if let Answer::None(_) = answer {
            return Verdict::failed(
                format!("to call {number} of {count} it answered {}", answer.words()),
                mend,
            );
        }
    }
    Verdict::Passed
}

pub fn cancel(kit: &mut Kit<'_>) -> Verdict {
    kit.with_each_offer(|conversation, offer, config| {
        let ask = probe(offer, config);
        let cancelled = conversation.call(&ask, &json!({}));
        cancel_call(conversation, cancelled);
        let answer = conversation.answer(cancelled);
        // A call that has ended, and one that was never made.
        cancel_call(conversation, cancelled);
        cancel_call(conversation, u64::from(u32::MAX));
        let after = conversation.ask(&ask);
        let mend = "end a call once, cancelled or not, and ignore a `cancel` of one that is not under way";
        let ends = conversation.ends(cancelled);
        if ends > 1 {
            return Verdict::failed(format!("a call that was cancelled was ended {ends} times"), mend);
        }
        for (what, answer) in [("to a call that was cancelled", answer), ("after cancelled calls", after)] {
            if let Answer::None(_) = answer {
                return Verdict::failed(format!("{what} it answered {}", answer.words()), mend);
            }
        }
        Verdict::Passed
    })
}

fn cancel_call(conversation: &mut Conversation, id: u64) {
    conversation.say(&json!({ "t": "cancel", "id": id, "reason": "a check" }));
}
