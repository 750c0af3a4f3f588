//! The pieces of a rollout: what happens to one instance, and to what is not wanted any more. Pure.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Instance};

use super::ChangeKind;
use super::sight::{self, Sighted, serves};
use super::spec::Wanted;
use crate::config::Config;

/// Which copy of which service: an [`Instance`] that costs nothing to copy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Which<'a> {
    pub(super) service: &'a str,
    pub(super) number: u32,
}

impl Which<'_> {
    pub(super) fn instance(self) -> Instance {
        Instance { service: self.service.to_owned(), number: self.number }
    }
}

/// What happens to one instance.
pub(super) struct Unit<'a> {
    /// The host, by its place in the inventory.
    pub(super) host: usize,
    pub(super) which: Which<'a>,
    /// The container to start.
    pub(super) start: Option<New<'a>>,
    /// The container that has to serve before it goes on, and the spec that says how to tell.
    pub(super) ready: Option<(String, Arc<ContainerSpec>)>,
    /// The containers it takes the place of.
    pub(super) stops: Vec<&'a Sighted<'a>>,
    /// Whether they are stopped before the new one is started.
    pub(super) stop_first: bool,
    /// Whether the instance serves now.
    pub(super) serves: bool,
    /// What people are told about it; nothing when it is only waited for.
    pub(super) told: Option<(ChangeKind, Arc<[String]>)>,
    /// Containers of the project, of this or other services, that hold what the new one needs.
    pub(super) blockers: Vec<&'a Sighted<'a>>,
}

/// A container to start.
pub(super) struct New<'a> {
    pub(super) wanted: Rc<Wanted<'a>>,
    /// The container, where it is there and only has to be started again.
    pub(super) kept: Option<&'a Sighted<'a>>,
}

impl<'a> Unit<'a> {
    /// A container that is there is started, again or after all, and waited for; none where its label is not understood.
    pub(super) fn again(
        (host, which): (usize, Which<'a>),
        old: &'a Sighted<'a>,
        config: &Config,
    ) -> Option<Self> {
        let wanted = Rc::new(Wanted::seen(old, config)?);
        Some(Self {
            host,
            which,
            ready: Some((wanted.name.clone(), Arc::clone(&wanted.spec))),
            start: Some(New { wanted, kept: Some(old) }),
            stops: Vec::new(),
            stop_first: false,
            serves: false,
            told: Some((ChangeKind::Start, Arc::default())),
            blockers: Vec::new(),
        })
    }
}

impl Unit<'_> {
    /// Whether the instance stops serving for a while.
    pub(super) fn dips(&self) -> bool {
        self.serves && self.stop_first && self.start.is_some()
    }

    /// Whether the instance serves afterwards and does not now.
    pub(super) fn gains(&self) -> bool {
        !self.serves && self.ready.is_some()
    }
}

/// An instance that is not wanted any more, or not for now.
pub(super) struct Loss<'a> {
    /// What people are told about it.
    pub(super) kind: ChangeKind,
    /// The host, by its place in the inventory.
    pub(super) host: usize,
    pub(super) which: Which<'a>,
    /// Its containers that run.
    pub(super) stops: Vec<&'a Sighted<'a>>,
    /// Whether it serves now.
    pub(super) serves: bool,
    /// Whether it is in the way of a new container, and so cannot wait until that one serves.
    pub(super) early: bool,
}

impl<'a> Loss<'a> {
    /// That an instance with these containers is removed.
    pub(super) fn of(host: usize, which: Which<'a>, copies: &'a [Sighted<'a>]) -> Self {
        let (kind, stops) = (ChangeKind::Remove, sight::up(copies).collect());
        Self { kind, host, which, stops, serves: serves(copies), early: false }
    }
}

/// All that happens to a service.
pub(super) struct Rollout<'a> {
    pub(super) service: &'a str,
    pub(super) units: Vec<Unit<'a>>,
    /// Instances that are as they should be and start, which may be since a deploy was broken off: nobody
    /// knows yet whether they serve. They are waited for before others are updated.
    pub(super) starting: Vec<Unit<'a>>,
    /// Instances that are as they should be but do not serve; they may have to be waited for.
    pub(super) waits: Vec<Unit<'a>>,
    pub(super) losses: Vec<Loss<'a>>,
    /// Containers that are as they should be and serve, with their host: all there is to do is to lead requests to them.
    pub(super) steady: Vec<(usize, &'a str)>,
    /// All that is to run, on hosts that may be changed.
    pub(super) wanted: Vec<(usize, Which<'a>, Rc<Wanted<'a>>)>,
    pub(super) pace: Pace,
    /// How many of a host may be without service at once, where that is less than the pace says.
    pub(super) at_once_on: BTreeMap<usize, usize>,
}

impl<'a> Rollout<'a> {
    /// One in which nothing happens so far.
    pub(super) fn new(service: &'a str, pace: Pace) -> Self {
        let (units, starting, waits) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            service,
            units,
            starting,
            waits,
            losses: Vec::new(),
            steady: Vec::new(),
            wanted: Vec::new(),
            pace,
            at_once_on: BTreeMap::new(),
        }
    }
}

/// How fast a service may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// How many are updated at once, at least 1.
    pub(super) batch: usize,
    /// How many serve at all times.
    pub(super) min: usize,
    /// How many serve now.
    pub(super) serving: usize,
}
