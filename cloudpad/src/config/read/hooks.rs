//! `[hooks]`. Pure.

use crate::config::grammar::unit;
use crate::config::section::Section;
use crate::config::{HookPoint, Hooks};

pub(super) fn read(file: &Section<'_>) -> Hooks {
    let Some(section) = file.section("hooks") else { return Hooks::default() };
    let commands = HookPoint::ALL.into_iter().map(|point| (point, section.commands(point.name())));
    Hooks {
        commands: commands.filter(|(_, commands)| !commands.is_empty()).collect(),
        timeout_ms: section.parse("timeout", unit::some_millis).unwrap_or(Hooks::default().timeout_ms),
    }
}
