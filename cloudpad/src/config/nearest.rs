//! Which of the names that exist a mistyped one was meant to be. Pure.

/// The name that was meant, or else all of them; for a [`Problem`](super::Problem)'s hint.
pub(super) fn hint(typed: &str, known: &[&str]) -> String {
    match find(typed, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there is {}", list(known)),
    }
}

/// All names that there are, and the one that was meant.
pub(crate) fn offer(typed: &str, known: &[&str]) -> String {
    let all = format!("there is {}", list(known));
    match find(typed, known) {
        Some(name) => format!("{all}; did you mean `{name}`?"),
        None => all,
    }
}

/// The known name that is nearest to `typed`, if any is near enough to have been meant.
pub(crate) fn find<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let near = known.iter().filter_map(|name| Some((distance(&typed, name)?, *name)));
    near.min().map(|(_, name)| name)
}

/// Edits from one to the other; none where they have little in common. An abbreviation is near:
/// `environment` for `env`.
fn distance(typed: &str, name: &str) -> Option<usize> {
    let edits = strsim::osa_distance(typed, &name.to_lowercase());
    let longest = typed.chars().count().max(name.chars().count());
    let abbreviated =
        typed.len().min(name.len()) >= 3 && (typed.starts_with(name) || name.starts_with(typed));
    (edits <= (longest / 3).max(1) || abbreviated).then_some(edits)
}

/// `a`, `b` and `c`; at most ten of them.
pub(super) fn list(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let quoted: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (quoted.split_last(), names.len().saturating_sub(SHOWN)) {
        (None, _) => "none".into(),
        (Some(_), more @ 1..) => format!("{} and {more} more", quoted.join(", ")),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
    }
}
