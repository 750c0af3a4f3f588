//! One-off containers: what they are of, and who has begun them. Pure.

use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::OneOff;

/// The label of a container of `cloudpad run`: of which service it is like one.
pub const LIKE: &str = "cloudpad.run";

/// The service or job that it is of, as far as that is known.
pub fn of(one_off: &OneOff) -> &str {
    let label = |key: &str| one_off.labels.get(key).map(String::as_str);
    label(LIKE).or(label(label::JOB)).unwrap_or_default()
}

/// Whether somebody has begun it with `cloudpad run`, and no deploy.
pub fn is_by_hand(one_off: &OneOff) -> bool {
    let label = |key: &str| one_off.labels.get(key).map(String::as_str);
    label(LIKE).is_some() || label(label::JOB_WHEN) == Some("manual")
}

/// Such as `web (run)`, `migrate (job)`.
pub fn words(one_off: &OneOff) -> String {
    let what = if one_off.labels.contains_key(label::JOB) { "job" } else { "run" };
    format!("{} ({what})", of(one_off)).trim_start().to_owned()
}
