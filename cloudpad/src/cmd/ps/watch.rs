//! `cloudpad ps --watch`: what runs, looked at again when something happens, and every few seconds.

pub(super) mod cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::Events;
use cloudpad_plugin_api::stage::inventory::Hosts;
use cloudpad_plugin_api::{FailureKind, Stage};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Args;
use super::board::Board;
use crate::cmd::Ended;
use crate::cmd::relisted::{Relisted, meant};
use crate::cmd::session::Session;
use crate::happening::{Heard, listen};
use crate::inventory::Selection;
use crate::look::{Looked, look_at_hosts};
use crate::observed::HostState;
use crate::plan::{self, Also};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::run::Runner;

/// How often hosts are looked at of which all that happens is heard: for how long it has been so changes all the same.
const LISTENED: Duration = Duration::from_secs(5);
/// How often, where one of them does not tell.
const POLLED: Duration = Duration::from_secs(2);
/// What happens comes in groups.
const GROUP: Duration = Duration::from_millis(150);

/// What is heard of a host.
type Message = (String, Heard);

/// How a host is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ear {
    /// It has been asked.
    Open,
    /// All that happens is heard.
    Hears,
    /// It does not tell, and is asked again once it can be looked at.
    Lost,
    /// It cannot tell.
    Deaf,
}

/// Shows what runs until the user has had enough.
pub(super) fn watch(args: &Args, session: &Session, selection: Selection, looked: Looked) -> Ended {
    session.runner.stop.let_be_at_once();
    let (send, receive) = unbounded_channel();
    let runner = session.runner.silent();
    let tells = runner.providers.is_parallel(Stage::Deploy, runner.stop.cancel());
    let mut watch = Watch {
        args,
        session,
        selection,
        runner,
        looked,
        hosts: Vec::new(),
        ear: if tells { Ear::Lost } else { Ear::Deaf },
        ears: BTreeMap::new(),
        send,
        looks: JoinSet::new(),
        looking: BTreeSet::new(),
        wanted: BTreeMap::new(),
        board: Board::of(&session.term),
    };
    watch.meet();
    let ended = session.wait_for(watch.run(receive));
    watch.runner.stop.cancel().cancel();
    ended
}

struct Watch<'a> {
    args: &'a Args,
    session: &'a Session,
    selection: Selection,
    runner: Runner,
    looked: Looked,
    /// Those of the scope.
    hosts: Vec<Arc<Host>>,
    /// How a host is listened to at first.
    ear: Ear,
    ears: BTreeMap<String, Ear>,
    send: UnboundedSender<Message>,
    /// Looks that are under way, one for a host: one that takes long keeps no other from being seen.
    looks: JoinSet<BTreeMap<String, HostState>>,
    /// The hosts that they are about.
    looking: BTreeSet<String>,
    /// When a host is to be looked at again, once no look is under way.
    wanted: BTreeMap<String, Instant>,
    board: Board<'a>,
}

impl Watch<'_> {
    async fn run(&mut self, mut heard: UnboundedReceiver<Message>) -> Ended {
        let stop = self.runner.stop.clone();
        let mut resized = signal(SignalKind::window_change())
            .map_err(|error| Refusal::new(format!("cannot listen for signals: {error}")))?;
        for host in &self.hosts {
            self.wanted.insert(host.name.clone(), Instant::now() + self.pause());
        }
        let mut relisted = Relisted::by(&self.runner);
        loop {
            if !self.board.show(self.args.picture(self.session, &self.looked), &self.session.config.project) {
                return Ok(exit::OK);
            }
            self.listen();
            loop {
                let waiting = self.wanted.iter().filter(|(host, _)| !self.looking.contains(*host));
                let next = waiting.map(|(_, when)| *when).min();
                tokio::select! {
                    biased;
                    () = stop.requested() => return Ok(exit::INTERRUPTED),
                    _ = resized.recv() => break,
                    Some((host, heard)) = heard.recv() => self.take(host, heard),
                    listed = relisted.next() => {
                        self.relist(listed);
                        break;
                    }
                    Some(seen) = self.looks.join_next() => {
                        self.see(seen.unwrap_or_default());
                        break;
                    }
                    () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.look(),
                }
            }
        }
    }

    /// Listens to hosts that can be looked at, and are not listened to.
    fn listen(&mut self) {
        let seen = |name: &str| matches!(self.looked.observed.hosts.get(name), Some(HostState::Seen(_)));
        let lost = |host: &&Arc<Host>| self.ears.get(&host.name) == Some(&Ear::Lost) && seen(&host.name);
        let project = self.session.config.project.clone();
        let request = |host: &Arc<Host>| Events {
            host: host.clone(),
            project: project.clone(),
            services: Vec::new(),
            since: None,
        };
        let requests: Vec<_> = self.hosts.iter().filter(lost).map(request).collect();
        for request in &requests {
            self.ears.insert(request.host.name.clone(), Ear::Open);
        }
        let send = self.send.clone();
        listen(&self.runner, requests, move |host, heard| drop(send.send((host.to_owned(), heard))));
    }

    fn pause(&self) -> Duration {
        if self.ears.values().all(|ear| *ear == Ear::Hears) { LISTENED } else { POLLED }
    }

    /// Takes in what is heard of a host, and has it looked at where something may have changed.
    fn take(&mut self, host: String, heard: Heard) {
        if !self.ears.contains_key(&host) {
            return;
        }
        let ear = match &heard {
            Heard::Happened(_) => Ear::Hears,
            Heard::Note(_) => return,
            // Before it was listened to, something may have happened that nobody has seen.
            Heard::Listening | Heard::Back => Ear::Hears,
            Heard::Lost(_) => Ear::Open,
            Heard::Ended(failure) if failure.kind == FailureKind::Unsupported => Ear::Deaf,
            Heard::Ended(_) => Ear::Lost,
        };
        self.ears.insert(host.clone(), ear);
        if matches!(ear, Ear::Hears | Ear::Open) {
            let soon = Instant::now() + GROUP;
            self.wanted.entry(host).and_modify(|when| *when = soon.min(*when)).or_insert(soon);
        }
    }

    /// Takes in which hosts there are now.
    fn relist(&mut self, listed: Hosts) {
        let Some((inventory, scope)) = meant(&self.session.config, &self.selection, listed) else { return };
        let known = |name: &str| inventory.get(name) == self.looked.inventory.get(name);
        self.looked.observed.hosts.retain(|name, _| known(name));
        self.ears.retain(|name, _| known(name));
        self.wanted.retain(|name, _| known(name));
        (self.looked.inventory, self.looked.scope) = (inventory, scope);
        self.meet();
    }

    /// Makes the scope's hosts those that are watched, and wants to look at those that are new.
    fn meet(&mut self) {
        let Looked { inventory, scope, .. } = &self.looked;
        self.hosts = scope.hosts.iter().map(|&at| inventory.hosts()[at].clone()).collect();
        for host in &self.hosts {
            if !self.ears.contains_key(&host.name) {
                self.ears.insert(host.name.clone(), self.ear);
                self.wanted.insert(host.name.clone(), Instant::now());
            }
        }
    }

    /// Begins to look at the hosts whose time has come.
    fn look(&mut self) {
        let now = Instant::now();
        let is_due = |name: &str| self.wanted.get(name).is_some_and(|when| *when <= now);
        let due: Vec<_> = self.hosts.iter().filter(|host| is_due(&host.name)).collect();
        for host in due.into_iter().filter(|host| self.looking.insert(host.name.clone())) {
            self.wanted.remove(&host.name);
            let also = Also { health: true, ..Also::default() };
            let (runner, request) = (self.runner.clone(), plan::look_host(&self.session.config, host, also));
            self.looks.spawn(async move { look_at_hosts(&runner, vec![request]).await });
        }
    }

    /// Takes in what was seen of a host, which is looked at again in a while.
    fn see(&mut self, seen: BTreeMap<String, HostState>) {
        let later = Instant::now() + self.pause();
        for host in seen.keys() {
            self.looking.remove(host);
            if self.ears.contains_key(host) {
                self.wanted.entry(host.clone()).or_insert(later);
            }
        }
        let is_watched = |(name, _): &(String, HostState)| self.ears.contains_key(name);
        self.looked.observed.hosts.extend(seen.into_iter().filter(is_watched));
    }
}
