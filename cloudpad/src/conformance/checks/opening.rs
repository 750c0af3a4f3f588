//! How a plugin begins: its hello, and what it makes of the host's. I/O: through conversations.

use serde_json::json;

use super::super::kit::Kit;
use super::super::offer;
use super::super::verdict::Verdict;

/// A protocol that nobody has offered.
const NEWER: u32 = 99;

pub fn hello(kit: &mut Kit<'_>) -> Verdict {
    match kit.open_only() {
        Ok(opened) => {
            kit.said = Some(opened.hello.clone());
            kit.close(opened);
            Verdict::Passed
        }
        Err(Verdict::Failed { why, .. }) => Verdict::failed(
            why,
            "started with `--cloudpad-plugin`, it writes its hello as one line and flushes it, before it reads anything",
        ),
        Err(other) => other,
    }
}

pub fn offer(kit: &mut Kit<'_>) -> Verdict {
    let (verdict, hello) = offer::read(&kit.said.clone().unwrap_or_default());
    kit.hello = hello;
    verdict
}

pub fn file_name(kit: &mut Kit<'_>) -> Verdict {
    let offers = kit.hello.as_ref().map(|hello| hello.provides.clone()).unwrap_or_default();
    offer::file_name(kit.launch.path.file_name().unwrap_or_default(), &offers)
}

pub fn newer(kit: &mut Kit<'_>) -> Verdict {
    let mut opened = match kit.open_only() {
        Ok(opened) => opened,
        Err(verdict) => return verdict,
    };
    opened.say(&json!({ "t": "hello", "protocol": NEWER, "version": "99.0.0" }));
    let ends = opened.ends_by_itself(kit.limits.cancel);
    kit.close(opened);
    if ends {
        return Verdict::Passed;
    }
    let limit = kit.limits.cancel.as_secs_f64();
    let why = format!("it went on for {limit} s after the host had chosen protocol {NEWER}");
    Verdict::failed(why, "look at `protocol` in the host's hello, and end where it is none that was offered")
}
