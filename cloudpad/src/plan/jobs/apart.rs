//! A job that a selection of hosts would move to where what it depends on is not. Pure.

use super::Play;
use crate::config::Problem;
use crate::plan::decide::Decide;
use crate::plan::place::place;
use crate::plan::{scope, sight};

/// Why a job does not run on the second of these hosts, where the first is the one on which it runs with no selection: all that it
/// depends on is there, and something of it is not on the other.
pub(super) fn problem(
    decide: &Decide<'_>,
    play: &Play<'_>,
    (usual, host): (usize, usize),
) -> Option<Problem> {
    let lacks = |host| play.job.depends_on.iter().find(|service| !is_on(decide, service, host));
    let lacking = lacks(host).filter(|_| usual != host && lacks(usual).is_none())?;
    let (name, usual, host) = (play.name, decide.host_name(usual), decide.host_name(host));
    let message = format!(
        "job `{name}` cannot run on `{host}`, since `{lacking}`, on which it depends, is not there: it runs on `{usual}`, which is not \
         selected or cannot be reached"
    );
    Some(
        Problem::at_key(format!("jobs.{name}"), message)
            .hint(format!("deploy to `{usual}` first, or to both")),
    )
}

/// Whether a service is on a host, or belongs there, be it selected or not.
fn is_on(decide: &Decide<'_>, name: &str, host: usize) -> bool {
    let belongs = decide.config.services.get(name).is_some_and(|service| {
        let asked = (&*service.roles, &*service.hosts);
        let eligible = scope::eligible(("service", name), asked, decide.inventory, &mut Vec::new());
        place(name, service, &eligible, decide.sight).iter().any(|(at, _)| *at == host)
    });
    let mut there = decide.sight.copies(name).filter(|(at, ..)| *at == host);
    belongs || there.any(|(.., copies)| sight::up(copies).next().is_some())
}
