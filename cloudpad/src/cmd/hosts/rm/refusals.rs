//! Refusals of files without a host, in words that say so. Pure.

use std::collections::BTreeSet;

use crate::cmd::Refused;
use crate::cmd::environments::as_told;
use crate::config::Problem;
use crate::refusal::Refusal;

/// The problems of several environments as one refusal. All are about the same file.
pub(super) fn together(refusals: Vec<Refused>) -> Option<Refused> {
    let mut refusals = refusals.into_iter();
    let mut first = refusals.next()?;
    for other in refusals {
        if let (Refusal::Problems(all), Refusal::Problems(more)) = (&mut first.refusal, other.refusal) {
            let new: Vec<_> = more.into_iter().filter(|problem| !all.contains(problem)).collect();
            all.extend(new);
        }
    }
    Some(first)
}

/// The problems of a file without the hosts, as those of taking them out.
pub(super) fn needed(why: Refused, names: &BTreeSet<&str>) -> Refused {
    let names = crate::inventory::list(names.iter().copied());
    as_told(why, |problem| Problem {
        message: format!("the file cannot do without {names}: {}", problem.message),
        hint: Some("change this first, so that it needs them no more".to_owned()),
        ..problem
    })
}
