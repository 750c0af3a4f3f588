//! What a plugin makes of what it does not know, as a newer host will say. I/O: through conversations.

use cloudpad_plugin_api::FailureKind;
use serde_json::{Value, json};

use super::super::conversation::{Answer, Ask};
use super::super::kit::{Kit, NOBODY, probe};
use super::super::verdict::Verdict;

pub fn fields(kit: &mut Kit<'_>) -> Verdict {
    kit.for_each_offer(|kit, offer, config| {
        let ask = probe(offer, config);
        newer(kit, &ask)
            .and_then(|newer| kit.ordinarily(|usual| compare(&usual.ask(&ask), &newer)))
            .unwrap_or_else(|verdict| verdict)
    })
}

/// What comes of a call by a host that says more.
fn newer(kit: &mut Kit<'_>, ask: &Ask<'_>) -> Result<Answer, Verdict> {
    let mut conversation = kit.open_only()?;
    conversation.greet(&json!({ NOBODY: { "of": ["tomorrow"] } }));
    conversation.say(&json!({ "t": NOBODY, "id": 1, "loud": true }));
    let mut ask = ask.clone();
    ask.params[NOBODY] = true.into();
    let id = conversation.call(&ask, &json!({ NOBODY: { "id": 7 } }));
    let answer = conversation.answer(id);
    kit.close(conversation);
    Ok(answer)
}

fn compare(usual: &Answer, answer: &Answer) -> Verdict {
    let same = match (usual, answer) {
        (Answer::Ok(_), Answer::Ok(_)) => true,
        (Answer::Failed(usual), Answer::Failed(answer)) => usual.kind == answer.kind,
        _ => false,
    };
    if same {
        return Verdict::Passed;
    }
    let (usual, answer) = (usual.words(), answer.words());
    Verdict::failed(
        format!(
            "to a call and a hello with fields that it cannot know it answered {answer}\nwithout them it answered {usual}"
        ),
        "ignore fields, and messages of a `t`, that are not known: newer hosts send them",
    )
}

pub fn method(kit: &mut Kit<'_>) -> Verdict {
    kit.with_each_offer(|conversation, offer, config| {
        let method = format!("{}.{NOBODY}", offer.stage);
        let ask = Ask { method: &method, params: json!({}), ..probe(offer, config) };
        let answer = conversation.ask(&ask);
        let after = conversation.ask(&probe(offer, config));
        unsupported("a method", &answer, &after)
    })
}

pub fn provider(kit: &mut Kit<'_>) -> Verdict {
    kit.with_each_offer(|conversation, offer, config| {
        let nothing = Value::Null;
        let ask = Ask { provider: NOBODY, config: &nothing, ..probe(offer, config) };
        let answer = conversation.ask(&ask);
        let after = conversation.ask(&probe(offer, config));
        unsupported("a provider", &answer, &after)
    })
}

fn unsupported(what: &str, answer: &Answer, after: &Answer) -> Verdict {
    let mend = format!(
        "answer a call for {what} that is not there with an `error` of kind `unsupported`, and go on"
    );
    if !answer.is(FailureKind::Unsupported) {
        return Verdict::failed(
            format!("asked for {what} that it does not have, it answered {}", answer.words()),
            mend,
        );
    }
    match after {
        Answer::None(_) => Verdict::failed(
            format!("after it was asked for {what} that it does not have, it answered {}", after.words()),
            mend,
        ),
        _ => Verdict::Passed,
    }
}
