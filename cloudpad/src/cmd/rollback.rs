//! `cloudpad rollback`: brings back what ran at an earlier release.

use std::sync::Arc;

use cloudpad_plugin_api::stage::cluster::{Observation, Release};

use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use super::{Ended, Refused};
use crate::look::{At, Looked};
use crate::observed::suffix_of;
use crate::plan::{self, Goal, Until};
use crate::refusal::Refusal;
use crate::releases::Past;
use crate::term::Term;

/// Go back to what ran at an earlier release
#[derive(clap::Args)]
pub(super) struct Args {
    /// The release to go back to, as `releases` lists it; its beginning or its revision is enough [default: the one before]
    release: Option<String>,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("rollback", true, global, term)?.exclusive("rollback", &self.lock);
        let (looked, goal) = self.goal(&session)?;
        let plan = session.plan(&looked, &goal)?;
        let preface = format!("  back to release {}\n", restored(&goal));
        let on_failure = session.config.deploy.on_failure;
        agreed(&session, (&preface, &plan), self.yes, (&looked, &goal), on_failure)
    }

    /// What is to be brought back, and all that was looked at for it.
    fn goal(&self, session: &Session) -> Result<(Looked, Goal), Refused> {
        let selection = self.select.selection();
        let mut looked = session.look(&selection, At::Past)?;
        if let Some(seen) = looked.observed.cluster.clone() {
            let release = in_cluster(&seen, self.release.as_deref())?;
            let goal = session.goal(Until::Deploy, selection, &looked);
            let goal = Goal { release: goal.release + suffix_of(&release), restore: Some(release), ..goal };
            let plan = session.plan(&looked, &goal)?;
            looked.observed.secrets = session.look_at_secrets(plan::secrets_of(&plan))?;
            return Ok((looked, goal));
        }
        let past = Past {
            config: &session.config,
            inventory: &looked.inventory,
            scope: &looked.scope,
            observed: &looked.observed,
        };
        if let Some(host) = past.forgetful().first() {
            let message = format!("there is nothing to go back to: `{host}` does not remember releases");
            let hint = "its provider of stage `deploy` does not; deploy the earlier source again";
            return Err(Refusal::new(message).hint(hint).into());
        }
        let release = match &self.release {
            Some(release) => past.named(release)?,
            None => past.before()?,
        };
        let goal = session.goal(Until::Deploy, selection, &looked);
        let goal = Goal { release: goal.release + suffix_of(&release), restore: Some(release), ..goal };
        let obstacles = plan::obstacles(&session.config, &looked.inventory, &looked.observed, &goal);
        if !obstacles.is_empty() {
            return Err(session.refuses(obstacles.into()));
        }
        session.look_back(&mut looked, &goal)?;
        Ok((looked, goal))
    }
}

/// The release of a cluster that is meant: the only one that begins so, or the one before the last that was another.
fn in_cluster(seen: &Observation, typed: Option<&str>) -> Result<String, Refusal> {
    let known = seen.releases.as_deref().unwrap_or_default();
    let found: Vec<&Release> = match (typed, known.last()) {
        (Some(typed), _) => known.iter().filter(|release| release.id.starts_with(typed)).collect(),
        (None, Some(last)) => {
            known.iter().rev().find(|release| release.services != last.services).into_iter().collect()
        }
        (None, None) => Vec::new(),
    };
    let hint = "`cloudpad releases` lists those that the cluster remembers";
    match found[..] {
        [one] => Ok(one.id.clone()),
        [] => Err(Refusal::new("there is no such release to go back to").hint(hint)),
        _ => Err(Refusal::new("that may be several releases: say more of it").hint(hint)),
    }
}

fn restored(goal: &Goal) -> &str {
    goal.restore.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::model::ContainerSpec;
    use cloudpad_plugin_api::stage::cluster::{Order, Place, Scale, Service, Update};

    use super::*;

    /// A release in which `web` is of this image.
    fn release((id, image): &(&str, &str)) -> Release {
        let spec = ContainerSpec { image: (*image).to_owned(), ..ContainerSpec::default() };
        let update =
            Update { batch: 1, order: Order::StartFirst, settle_ms: 0, ready_within_ms: 1, rollback: true };
        let (scale, place, name) = (Scale::Replicas(1), Place::default(), "web".to_owned());
        let service = Arc::new(Service { name: name.clone(), spec: spec.into(), scale, place, update });
        Release { id: (*id).to_owned(), services: [(name, service)].into(), ..Release::default() }
    }

    #[test]
    fn the_release_of_a_cluster_that_is_meant_is_the_one_before_that_was_another() {
        let found = |releases: &[(&str, &str)], typed| {
            let releases = Some(releases.iter().map(release).collect());
            in_cluster(&Observation { releases, ..Observation::default() }, typed).ok()
        };
        let all = [("1a", "x"), ("1b", "y"), ("2a", "z"), ("2b", "z")];
        for (typed, expected) in [
            (None, Some("1b")),
            (Some("1a"), Some("1a")),
            (Some("2b"), Some("2b")),
            (Some("1"), None),
            (Some("3"), None),
        ] {
            assert_eq!(found(&all, typed).as_deref(), expected, "{typed:?}");
        }
        assert_eq!(found(&all[..3], Some("2")).as_deref(), Some("2a"), "its beginning is enough");
        assert_eq!((found(&all[2..], None), found(&[], None)), (None, None));
    }
}
