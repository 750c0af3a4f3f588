//! Services of which nothing runs any more once hosts are left. Pure.

use super::Note;
use super::decide::Decide;
use super::sight;

/// One for each service that runs on the hosts of the plan, where these are not all, and on no other.
pub(super) fn notes(decide: &Decide<'_>) -> Vec<Note> {
    if !decide.goal.select.narrows_hosts() {
        return Vec::new();
    }
    let services = decide.config.services.keys().filter(|name| ends(decide, name));
    let message = |name: &String| {
        format!("`{name}` runs nowhere after this, until a `cloudpad deploy` has brought it to another host")
    };
    services.map(|name| Note { incomplete: false, message: message(name) }).collect()
}

/// Whether all that runs of a service is stopped. It may run on a host that was not looked at.
fn ends(decide: &Decide<'_>, name: &str) -> bool {
    let Some(eligible) = decide.scope.services.get(name) else { return false };
    let is_unknown = |host: &&usize| !decide.hosts.contains(**host) && decide.sight.host(**host).is_none();
    let runs = decide.sight.copies(name).filter(|(.., copies)| sight::up(copies).next().is_some());
    let (here, elsewhere): (Vec<_>, Vec<_>) = runs.partition(|(host, ..)| decide.hosts.contains(*host));
    let stays = here.iter().any(|(.., copies)| copies.iter().any(|old| decide.holds(old)));
    !here.is_empty() && elsewhere.is_empty() && !stays && !eligible.iter().any(|host| is_unknown(&host))
}
