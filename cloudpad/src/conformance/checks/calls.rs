//! The methods that a plugin offers: those that need nothing of the world, and those of the calls that were given.
//! I/O: through conversations.

use cloudpad_plugin_api::wire::Provides;
use cloudpad_plugin_api::{Placement, Request, stage};
use serde_json::json;

use super::super::case::{Call, Case};
use super::super::conversation::{Answer, Ask};
use super::super::kit::{Kit, NOBODY};
use super::super::offer::is_optional;
use super::super::verdict::{Check, Verdict};

/// A check for each call, in their order, and for each method of which there is none.
pub fn all(kit: &mut Kit<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for offer in kit.offers() {
        let mut calls = kit.case.calls.clone();
        let list = Request::InventoryList(stage::inventory::List {});
        if !calls.iter().any(|call| call.request.method() == list.method()) {
            calls.push(Call { request: list, params: json!({}), mutating: false, given: false });
        }
        let placement = Placement::of(&offer.methods);
        let methods = offer.stage.methods().iter().filter(|method| placement.has(method));
        let methods: Vec<_> = methods.copied().collect();
        calls.retain(|call| methods.contains(&call.request.method()));
        checks.extend(calls.iter().map(|call| check(kit, &offer, call)));
        // What it may lack, and says that it does, is no gap.
        let lacks =
            |method: &str| is_optional(method) && !offer.methods.iter().any(|offered| offered == method);
        let offered = methods.iter().filter(|method| **method != "config.check" && !lacks(method));
        let missing = offered.filter(|method| !calls.iter().any(|call| call.request.method() == **method));
        checks.extend(missing.map(|method| Check {
            verdict: Verdict::skipped("no `[[call]]` of `--config FILE` makes it"),
            ..named(&offer, method, false)
        }));
    }
    checks
}

fn named(offer: &Provides, method: &str, mutating: bool) -> Check {
    let what = match mutating {
        false => "it answers with a reply of the method's shape",
        true => "it answers with a reply of the method's shape, and finds the work done when asked again",
    };
    let name = format!("{method} of `{}`", offer.provider);
    Check { name, what: what.to_owned(), verdict: Verdict::Passed }
}

fn check(kit: &mut Kit<'_>, offer: &Provides, call: &Call) -> Check {
    let verdict = if call.mutating && !kit.allow_mutating {
        Verdict::skipped("it changes something, and `--allow-mutating` was not given")
    } else {
        make(kit, offer, call).unwrap_or_else(|verdict| verdict)
    };
    Check { verdict, ..named(offer, call.request.method(), call.mutating) }
}

fn make(kit: &mut Kit<'_>, offer: &Provides, call: &Call) -> Result<Verdict, Verdict> {
    let config = kit.config();
    let ask = Ask {
        provider: &offer.provider,
        method: call.request.method(),
        params: call.params.clone(),
        config: &config,
        key: if call.mutating { NOBODY } else { "" },
    };
    let case = kit.case;
    kit.ordinarily(|conversation| {
        let verdict = judge(case, call, &conversation.work(&ask));
        if !call.mutating || verdict != Verdict::Passed {
            return verdict;
        }
        match judge(case, call, &conversation.work(&ask)) {
            Verdict::Failed { why, .. } => Verdict::failed(
                format!("the second call with the same key: {why}"),
                "a call is made again when its answer was lost: find the work done, and answer as if it had just been",
            ),
            verdict => verdict,
        }
    })
}

fn judge(case: &Case, call: &Call, answer: &Answer) -> Verdict {
    let method = call.request.method();
    match answer {
        Answer::Ok(ok) => match call.request.reply(ok.clone()) {
            Ok(_) => Verdict::Passed,
            Err(error) => Verdict::failed(
                format!("its reply to `{method}` is not understood: {error}: {ok}"),
                "give it the fields of this method's reply",
            ),
        },
        Answer::Failed(failure) if case.config.is_none() && !call.given => {
            Verdict::skipped(format!("it may need a config, which `--config FILE` gives: {failure}"))
        }
        answer => Verdict::failed(
            format!("to `{method}` it answered {}", answer.words()),
            "mend the plugin, or what FILE asks of it",
        ),
    }
}
