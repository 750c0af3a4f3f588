//! How many instances of a service may be without service at once, and what has to come before. Pure.

use super::unit::Pace;

/// What a rollout would do to a service, in numbers of instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Serve for certain afterwards, do not now, and depend on no other of the service.
    pub(super) gains: usize,
    /// The same, but need something that another of the service still holds.
    pub(super) blocked: usize,
    /// Serve before anything else of the service happens but what is removed early.
    pub(super) starting: usize,
    /// As they should be, but do not serve.
    pub(super) waits: usize,
    /// Serve now and stop doing so for a while.
    pub(super) dips: usize,
    /// Serve now and are removed before anything else.
    pub(super) early: usize,
    /// Serve now and are removed in the end.
    pub(super) late: usize,
}

/// How to go about it so that enough instances serve at all times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    /// How many dips at once.
    pub(super) at_once: usize,
    /// How many gains have to be there before the first dip.
    pub(super) gains_first: usize,
    /// How many of the waits count among the gains.
    pub(super) waits: usize,
    /// How many of the late ones may be removed.
    pub(super) late: usize,
}

/// Too few instances would serve, whatever the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short {
    /// How many could serve.
    pub(super) left: usize,
}

/// Finds a schedule that never has fewer than `pace.min` instances serve.
pub(super) fn schedule(pace: Pace, effect: Effect) -> Result<Schedule, Short> {
    let serving = pace.serving.saturating_sub(effect.early);
    if effect.early > 0 && serving < pace.min {
        return Err(Short { left: serving });
    }
    let serving = serving + effect.starting;
    let mut found = Schedule { at_once: pace.batch, gains_first: 0, waits: 0, late: effect.late };
    if effect.dips > 0 {
        let most = serving + effect.gains + effect.waits;
        found.at_once = pace.batch.min(most.saturating_sub(pace.min));
        if found.at_once == 0 {
            return Err(Short { left: most.saturating_sub(1) });
        }
        found.gains_first = (pace.min + found.at_once).saturating_sub(serving);
        found.waits = found.gains_first.saturating_sub(effect.gains);
    }
    // What is late goes when all else is done.
    let spare = (serving + effect.gains + effect.blocked + found.waits).saturating_sub(pace.min);
    let more = effect.late.saturating_sub(spare).min(effect.waits - found.waits);
    found.waits += more;
    found.late = effect.late.min(spare + more);
    Ok(found)
}

/// A schedule, or else the gentlest there is.
pub(super) fn schedule_anyway(pace: Pace, effect: Effect) -> Schedule {
    schedule(pace, effect).unwrap_or_else(|_| anyway(effect))
}

/// The gentlest schedule where none is good enough: bringing back what was there cannot be refused.
pub(super) fn anyway(effect: Effect) -> Schedule {
    Schedule { at_once: 1, gains_first: effect.gains, waits: 0, late: effect.late }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(batch: usize, min: usize, serving: usize) -> Pace {
        Pace { batch, min, serving }
    }

    #[test]
    fn no_more_at_once_than_may_be_missing() {
        let effect = Effect { dips: 5, ..Effect::default() };
        assert_eq!(schedule(pace(4, 3, 5), effect).unwrap().at_once, 2);
        assert_eq!(schedule(pace(1, 0, 5), effect).unwrap().at_once, 1);
    }

    #[test]
    fn what_is_missing_comes_first() {
        let effect = Effect { dips: 2, gains: 1, ..Effect::default() };
        let found = schedule(pace(1, 2, 2), effect).unwrap();
        assert_eq!((found.at_once, found.gains_first, found.waits), (1, 1, 0));
    }

    #[test]
    fn what_does_not_serve_yet_is_waited_for_only_where_needed() {
        let effect = Effect { dips: 2, waits: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 2, 2), effect).unwrap().waits, 1);
        assert_eq!(schedule(pace(1, 1, 2), effect).unwrap().waits, 0);
    }

    #[test]
    fn too_few_is_refused() {
        let effect = Effect { dips: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 1), effect), Err(Short { left: 0 }));
        let effect = Effect { early: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 1), effect), Err(Short { left: 0 }));
    }

    #[test]
    fn what_is_not_wanted_stays_while_it_is_needed() {
        let effect = Effect { late: 2, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 2), effect).unwrap().late, 1);
        let effect = Effect { late: 2, waits: 1, ..Effect::default() };
        let found = schedule(pace(1, 1, 2), effect).unwrap();
        assert_eq!((found.late, found.waits), (2, 1));
    }

    #[test]
    fn what_is_starting_counts_but_for_what_is_removed_early() {
        let effect = Effect { dips: 1, starting: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 1), effect).unwrap().at_once, 1);
        let effect = Effect { late: 1, starting: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 1), effect).unwrap().late, 1);
        let effect = Effect { early: 1, starting: 1, ..Effect::default() };
        assert_eq!(schedule(pace(1, 1, 1), effect), Err(Short { left: 0 }));
    }
}
