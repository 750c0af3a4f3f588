//! What the registry has, and what hosts need of it, in all environments: they share images.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::stage::push::{List, Listed};
use cloudpad_plugin_api::{Reply, Request, Stage};

use crate::cmd::args::{Global, Lock};
use crate::cmd::session::{self, Session};
use crate::cmd::{Refused, environments};
use crate::config;
use crate::inventory::Selection;
use crate::look::{At, Looked};
use crate::plan::{Needs, repositories};
use crate::refusal::Refusal;
use crate::term::Term;

/// The project in one of its environments, and what runs there.
pub(super) struct Place {
    pub session: Session,
    pub looked: Looked,
}

/// The project in all of its environments.
pub(super) struct Seen {
    places: Vec<Place>,
    chosen: usize,
}

impl Seen {
    /// Looks at all hosts. Who changes something has the lock on them, so that nobody deploys what is to be removed.
    pub fn of(
        command: &'static str,
        lock: Option<&Lock>,
        global: &Global,
        term: &Arc<Term>,
    ) -> Result<Self, Refused> {
        let text = session::load(global)?.project.text;
        let open = |global: &Global, journal: bool| {
            let opened = Session::open(command, journal, global, term)?;
            Ok::<_, Refused>(match lock {
                Some(lock) => opened.exclusive(command, lock),
                None => opened,
            })
        };
        let chosen = open(global, lock.is_some())?;
        offers(&chosen)?;
        let mut sessions = vec![(global.environment.clone(), chosen)];
        let names = config::environments(&text).into_iter().map(Some);
        for environment in std::iter::once(None).chain(names).filter(|name| *name != global.environment) {
            let opened = open(&global.within(environment.clone()), false);
            let opened = opened.map_err(|why| environments::in_environment(why, environment.as_deref()))?;
            sessions.push((environment, opened));
        }
        // All take locks in the same order, so that nobody waits for one who waits for them.
        sessions.sort_by(|(one, _), (other, _)| one.cmp(other));
        let chosen = sessions.iter().position(|(name, _)| *name == global.environment).unwrap_or_default();
        let looks = sessions.into_iter().map(|(environment, session)| {
            look(session).map_err(|why| environments::in_environment(why, environment.as_deref()))
        });
        Ok(Self { places: looks.collect::<Result<_, _>>()?, chosen })
    }

    /// All of them.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The one that the user has chosen.
    pub fn chosen(&self) -> &Place {
        &self.places[self.chosen]
    }

    /// What hosts need, as far as they were seen.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.places.iter().for_each(|place| needs.add(&place.looked.observed));
        needs
    }

    /// What the registry has, by the name of each image on this machine.
    ///
    /// # Errors
    /// An image that there is none of; what keeps the registry from telling.
    pub fn listed(&self, needs: &Needs, only: Option<&str>) -> Result<BTreeMap<String, Listed>, Refused> {
        let Place { session, .. } = self.chosen();
        let mut names = repositories(self.places.iter().map(|place| &place.session.config), needs);
        if let Some(only) = only {
            let wanted = format!("{}.{only}", session.config.project.name);
            if !names.contains(&wanted) {
                let project = format!("{}.", session.config.project.name);
                let known = names.iter().filter_map(|name| name.strip_prefix(&project));
                let hint = format!("the project has {}", crate::inventory::list(known));
                return Err(Refusal::new(format!("no image is called `{only}`")).hint(hint).into());
            }
            names.retain(|name| *name == wanted);
        }
        let mut listed = BTreeMap::new();
        for repository in names {
            let request = Request::PushList(List { repository: repository.clone() });
            if let Reply::Listed(found) = session.ask(request)? {
                listed.insert(repository, found);
            }
        }
        Ok(listed)
    }
}

fn look(session: Session) -> Result<Place, Refused> {
    let looked = session.look(&Selection::default(), At::Past)?;
    Ok(Place { session, looked })
}

/// Fails where images are pushed to nowhere that can be asked for them.
fn offers(session: &Session) -> Result<(), Refusal> {
    let runner = &session.runner;
    let offers = |method| runner.providers.offers(Stage::Push, method, runner.stop.cancel());
    if offers("push.list") && offers("push.remove") {
        return Ok(());
    }
    let choice = session.config.stages.get(&Stage::Push);
    let provider = choice.and_then(|choice| choice.provider.as_deref()).unwrap_or_default();
    Err(Refusal::new(format!("push provider `{provider}` has no registry to look into"))
        .hint("`cloudpad prune` removes images from hosts; provider `registry` pushes to a registry"))
}
