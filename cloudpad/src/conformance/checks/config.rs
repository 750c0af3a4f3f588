//! What a plugin makes of its config. I/O: through conversations.

use cloudpad_plugin_api::FailureKind;
use serde_json::json;

use super::super::conversation::Answer;
use super::super::kit::{Kit, NOBODY, offers, probe};
use super::super::verdict::Verdict;

const NOT_OFFERED: &str = "it does not offer `config.check`";

pub fn fit(kit: &mut Kit<'_>) -> Verdict {
    let given = kit.case.config.is_some();
    kit.with_each_offer(|conversation, offer, config| {
        if !offers(offer, "config.check") {
            return Verdict::skipped(NOT_OFFERED);
        }
        let answer = conversation.ask(&probe(offer, config));
        match &answer {
            Answer::Ok(_) => Verdict::Passed,
            Answer::Failed(failure) if failure.kind == FailureKind::Invalid && !given => {
                Verdict::skipped(format!("it needs a config, which `--config FILE` gives: {failure}"))
            }
            Answer::Failed(failure) if failure.kind == FailureKind::Invalid => {
                Verdict::failed(format!("it finds the config of FILE unfit: {failure}"), "mend the config, or the check")
            }
            answer => Verdict::failed(
                format!("asked whether the config is fit, it answered {}", answer.words()),
                "`config.check` touches nothing; it answers with an empty result, or with an `error` of kind `invalid`",
            ),
        }
    })
}

pub fn key(kit: &mut Kit<'_>) -> Verdict {
    kit.with_each_offer(|conversation, offer, config| {
        if !offers(offer, "config.check") {
            return Verdict::skipped(NOT_OFFERED);
        }
        if conversation.ask(&probe(offer, config)).is(FailureKind::Invalid) {
            return Verdict::skipped("without a fit config nobody can tell what it finds `invalid`");
        }
        let mut more = if config.is_null() { json!({}) } else { config.clone() };
        more[NOBODY] = true.into();
        let answer = conversation.ask(&probe(offer, &more));
        match &answer {
            Answer::Failed(failure) if failure.kind == FailureKind::Invalid => Verdict::Passed,
            Answer::Ok(_) => Verdict::warning(
                format!("it takes a config with the key `{NOBODY}`, which it cannot know"),
                "refuse keys that are not known, so that a mistyped one is noticed",
            ),
            answer => Verdict::failed(
                format!("to a config with a key that it cannot know it answered {}", answer.words()),
                "answer with an `error` of kind `invalid` that names the key",
            ),
        }
    })
}
