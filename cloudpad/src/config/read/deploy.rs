//! `[deploy]`. Pure.

use crate::config::grammar::unit;
use crate::config::section::Section;
use crate::config::{Amount, OnFailure, Policy, Problem, Unreachable};

const DEFAULT: Policy = Policy {
    batch: Amount::Percent(25),
    min_healthy: Amount::Count(0),
    ready_timeout_ms: 60_000,
    settle_ms: 2_000,
    keep: 3,
    on_failure: OnFailure::Rollback,
    unreachable: Unreachable::Refuse,
};

pub(super) fn read(file: &Section<'_>) -> Policy {
    let Some(section) = file.section("deploy") else { return DEFAULT };
    Policy {
        batch: batch(&section).unwrap_or(DEFAULT.batch),
        min_healthy: amount(&section, "min_healthy").unwrap_or(DEFAULT.min_healthy),
        ready_timeout_ms: section
            .parse("ready_timeout", unit::some_millis)
            .unwrap_or(DEFAULT.ready_timeout_ms),
        settle_ms: section.parse("settle", unit::millis).unwrap_or(DEFAULT.settle_ms),
        keep: section.whole("keep", 0..=u32::MAX).unwrap_or(DEFAULT.keep),
        on_failure: section
            .choice("on_failure", &[("rollback", OnFailure::Rollback), ("stop", OnFailure::Stop)])
            .unwrap_or(DEFAULT.on_failure),
        unreachable: section
            .choice("unreachable", &[("refuse", Unreachable::Refuse), ("skip", Unreachable::Skip)])
            .unwrap_or(DEFAULT.unreachable),
    }
}

fn amount(section: &Section<'_>, key: &str) -> Option<Amount> {
    match section.whole(key, 0..=u32::MAX) {
        Some(count) => Some(Amount::Count(count)),
        None => section.parse(key, unit::percent),
    }
}

fn batch(section: &Section<'_>) -> Option<Amount> {
    let batch = amount(section, "batch")?;
    if matches!(batch, Amount::Count(0) | Amount::Percent(0)) {
        section.problem(
            "batch",
            Problem::new("a batch of nothing would never get done")
                .hint("write how many instances are updated at once, at least 1"),
        );
        return None;
    }
    Some(batch)
}
