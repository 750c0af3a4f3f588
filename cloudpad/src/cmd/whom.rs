//! What commands about instances begin with: which are meant, a look at the hosts, and what was found.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::model::Host;

use super::session::Session;
use super::{Refused, complete};
use crate::instances::{Found, Target, find, not_mistyped};
use crate::inventory::Selection;
use crate::look::{At, Looked};
use crate::refusal::Refusal;
use crate::words;

/// Which instances are meant.
#[derive(clap::Args)]
pub(super) struct Whom {
    /// A service, or one instance of it, such as `web` or `web.2`
    #[arg(value_name = "SERVICE[.N]", add = ArgValueCandidates::new(complete::services))]
    pub target: Target,
    /// Only on this host
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    host: Vec<String>,
}

/// Which instances are meant, of whatever services.
#[derive(clap::Args)]
pub(super) struct Those {
    /// Only of these services or instances, such as `web` or `web.2`; of all where none is named
    #[arg(value_name = "SERVICE[.N]", add = ArgValueCandidates::new(complete::services))]
    targets: Vec<Target>,
    /// Only on this host
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    host: Vec<String>,
}

impl Those {
    /// The hosts that are meant. They are looked at only where a service is none of the config's, which may still be there.
    pub(super) fn hosts(&self, session: &Session) -> Result<Vec<Arc<Host>>, Refused> {
        let selection = self.selection();
        for service in &selection.services {
            not_mistyped(&session.config, service)?;
        }
        let is_gone = |service: &String| !session.config.services.contains_key(service);
        if selection.services.iter().any(is_gone) {
            session.look(&selection, At::Hosts)?;
        }
        session.hosts(&selection)
    }

    /// The same as what is selected of all.
    pub(super) fn selection(&self) -> Selection {
        Selection { services: self.services(), hosts: self.host.clone(), ..Selection::default() }
    }

    /// The first that is named.
    pub(super) fn first(&self) -> Option<&Target> {
        self.targets.first()
    }

    /// The services that are named.
    pub(super) fn services(&self) -> Vec<String> {
        let services: BTreeSet<_> = self.targets.iter().map(|target| target.service.clone()).collect();
        services.into_iter().collect()
    }

    /// Whether the instance that is called so is meant. What is no instance is meant where none is named.
    pub(super) fn mean(&self, name: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target.is_called(name))
    }
}

/// What was found of them.
pub(super) struct Seen {
    pub looked: Looked,
    /// Their containers, running or not.
    pub found: Vec<Found>,
    /// Whether a host could not be looked at. That is told already.
    pub incomplete: bool,
}

impl Whom {
    /// Looks at the hosts, and tells of those that cannot be looked at.
    pub(super) fn look(&self, session: &Session) -> Result<Seen, Refused> {
        not_mistyped(&session.config, &self.target.service)?;
        self.look_for(session, Some(&self.target))
    }

    /// The same for others than those that are named; with none, at all hosts that may be meant.
    pub(super) fn look_for(&self, session: &Session, target: Option<&Target>) -> Result<Seen, Refused> {
        let selection = Selection {
            services: target.map(|target| target.service.clone()).into_iter().collect(),
            hosts: self.host.clone(),
            ..Selection::default()
        };
        let looked = session.look(&selection, At::Hosts)?;
        let is_meant =
            |name: &str| looked.inventory.index(name).is_some_and(|at| looked.scope.hosts.contains(&at));
        let found = target.map(|target| find(&looked.observed, &is_meant, target)).unwrap_or_default();
        let mut incomplete = false;
        for (host, failure) in looked.observed.unseen().filter(|(host, _)| is_meant(host)) {
            session.term.error(&format!("{host}: {}", words::failure(failure)));
            incomplete = true;
        }
        Ok(Seen { found, incomplete, looked })
    }
}

impl Seen {
    /// The host on which something was found.
    pub(super) fn host(&self, found: &Found) -> Result<Arc<Host>, Refusal> {
        let host = self.looked.inventory.get(&found.host).cloned();
        host.ok_or_else(|| Refusal::new(format!("there is no host `{}`", found.host)))
    }
}
