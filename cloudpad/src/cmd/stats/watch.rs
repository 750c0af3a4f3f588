//! `cloudpad stats --watch`: the hosts that are measured again and again, which may become others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::Measure;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::{Answer, Answers, Args, measure};
use crate::cmd::Ended;
use crate::cmd::display::Display;
use crate::cmd::relisted::{Relisted, meant};
use crate::cmd::session::Session;
use crate::listing::usage;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::words;

/// How long a host is left alone between two measurements, each of which takes about a second.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows what is measured, again and again.
pub(super) async fn watch(args: &Args, session: &Session, hosts: Vec<Arc<Host>>) -> Ended {
    let mut resized = signal(SignalKind::window_change())
        .map_err(|error| Refusal::new(format!("cannot listen for signals: {error}")))?;
    let (stop, selection) = (&session.runner.stop, args.those.selection());
    let mut relisted = Relisted::by(&session.runner);
    let mut display = Display::of(&session.term);
    let mut watched = Watched::new(args, session);
    watched.meet(hosts);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(exit::INTERRUPTED),
            _ = resized.recv() => {}
            listed = relisted.next() => {
                let Some((inventory, scope)) = meant(&session.config, &selection, listed) else { continue };
                watched.meet(scope.hosts.iter().map(|&at| inventory.hosts()[at].clone()).collect());
            }
            Some(Ok(answer)) = watched.under_way.join_next() => watched.take(answer),
        }
        let rows = args.rows(&watched.answers);
        let json = watched.ends_round().then(|| words::json_line(&usage::json(&rows)));
        if !display.show(usage::table(&rows), json, watched.answers.errors()) {
            return Ok(exit::OK);
        }
    }
}

struct Watched<'a> {
    args: &'a Args,
    session: &'a Session,
    hosts: BTreeMap<String, Arc<Host>>,
    answers: Answers,
    /// Who has answered in this round.
    fresh: BTreeSet<String>,
    /// One measurement for each host, and for some that are none any more.
    under_way: JoinSet<Answer>,
}

impl<'a> Watched<'a> {
    fn new(args: &'a Args, session: &'a Session) -> Self {
        let (hosts, answers, fresh) = (BTreeMap::new(), Answers::default(), BTreeSet::new());
        Self { args, session, hosts, answers, fresh, under_way: JoinSet::new() }
    }

    /// Makes these the hosts that are measured.
    fn meet(&mut self, hosts: Vec<Arc<Host>>) {
        self.hosts.retain(|_, known| hosts.contains(known));
        self.answers.0.retain(|name, _| self.hosts.contains_key(name));
        self.fresh.retain(|name| self.hosts.contains_key(name));
        for host in hosts {
            if !self.hosts.contains_key(&host.name) {
                self.begin(self.args.request(self.session, host.clone()), Duration::ZERO);
                self.hosts.insert(host.name.clone(), host);
            }
        }
    }

    fn begin(&mut self, request: Measure, pause: Duration) {
        self.under_way.spawn(measure(self.session.runner.clone(), request, pause));
    }

    /// Takes in an answer, and asks again, unless it is of a host that is none any more.
    fn take(&mut self, (request, outcome): Answer) {
        let name = &request.host.name;
        if self.hosts.get(name).is_some_and(|host| Arc::ptr_eq(host, &request.host)) {
            self.fresh.insert(name.clone());
            self.answers.take(Some((name.clone(), outcome)));
            self.begin(request, PAUSE);
        }
    }

    /// Whether all have answered; then another round begins.
    fn ends_round(&mut self) -> bool {
        let ends = self.fresh.len() == self.hosts.len();
        if ends {
            self.fresh.clear();
        }
        ends
    }
}
