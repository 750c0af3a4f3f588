//! Which hosts a plan may change, and what there is to say of the others. Pure.

use cloudpad_plugin_api::{Failure, FailureKind};

use super::sight::Sight;
use super::{Goal, Note, Scope};
use crate::config::{Config, Problem, Unreachable};
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// A set of hosts, by their place in the inventory.
#[derive(Clone, Default)]
pub(super) struct HostSet(Vec<bool>);

impl HostSet {
    pub(super) fn insert(&mut self, host: usize) {
        if host >= self.0.len() {
            self.0.resize(host + 1, false);
        }
        self.0[host] = true;
    }

    pub(super) fn contains(&self, host: usize) -> bool {
        self.0.get(host).is_some_and(|&is_in| is_in)
    }

    /// Its hosts, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..).zip(&self.0).filter(|(_, is_in)| **is_in).map(|(host, _)| host)
    }
}

impl Extend<usize> for HostSet {
    fn extend<T: IntoIterator<Item = usize>>(&mut self, hosts: T) {
        hosts.into_iter().for_each(|host| self.insert(host));
    }
}

impl FromIterator<usize> for HostSet {
    fn from_iter<T: IntoIterator<Item = usize>>(hosts: T) -> Self {
        let mut set = Self::default();
        set.extend(hosts);
        set
    }
}

/// The hosts without which a goal cannot be reached.
pub(super) fn needed(goal: &Goal, scope: &Scope) -> HostSet {
    match goal.restore {
        None => scope.services.values().flatten().copied().collect(),
        // Only the host itself knows what was to run there.
        Some(_) => scope.hosts.iter().copied().collect(),
    }
}

/// The hosts that may be changed and were seen, and what there is to say of the others. Those that are `needed` have to be seen.
pub(super) fn hosts(
    (config, inventory, needed): (&Config, &Inventory, &HostSet),
    (observed, sight): (&Observed, &Sight<'_>),
    scope: &Scope,
    problems: &mut Vec<Problem>,
) -> (HostSet, Vec<Note>) {
    let chosen: HostSet = scope.hosts.iter().copied().collect();
    let (mut seen, mut notes) = (HostSet::default(), Vec::new());
    for &index in &scope.look {
        let wanted = chosen.contains(index);
        if sight.host(index).is_some() {
            seen.extend(wanted.then_some(index));
            continue;
        }
        let name = &inventory.hosts()[index].name;
        let failure = match observed.hosts.get(name) {
            Some(HostState::Unseen(failure)) => Some(failure),
            Some(HostState::Seen(_)) | None => None,
        };
        let why = failure.map_or("nobody has looked".to_owned(), ToString::to_string);
        let message = format!("host `{name}` cannot be looked at: {why}");
        let incomplete = wanted && needed.contains(index);
        if incomplete && config.deploy.unreachable == Unreachable::Refuse {
            let given = failure.and_then(|failure| failure.hint.as_ref());
            let hint =
                given.map_or_else(|| without_hint(failure).to_owned(), |hint| format!("{hint}; {AROUND}"));
            problems.push(Problem::at_key(inventory.key(name), message).hint(hint));
        } else {
            notes.push(Note { incomplete, message });
        }
    }
    (seen, notes)
}

/// How to do without a host.
const AROUND: &str = "`--host` selects others, and `deploy.unreachable = \"skip\"` leaves it out";

/// What to do about a host that cannot be looked at, where the failure does not say it.
fn without_hint(failure: Option<&Failure>) -> &'static str {
    match failure {
        Some(Failure { kind: FailureKind::Crashed, .. }) => {
            "it was the plugin that failed, not the host: try again, or use another version of it"
        }
        _ => "bring it back, select other hosts by `--host`, or set `deploy.unreachable` to `skip`",
    }
}
