//! One-off containers that nobody has cleared away: whoever began them was killed, or has lost the connection. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Named, OneOff, Stop};

use super::Note;
use super::decide::Decide;
use super::graph::{Graph, Node, key};
use crate::config::Problem;
use crate::one_offs;

/// Seconds that one which still runs has to end.
const STOP_TIMEOUT: u32 = 10;

/// What is to go of them, by host.
#[derive(Default)]
pub(super) struct OneOffs<'a> {
    /// Those that have ended.
    ended: BTreeMap<usize, Vec<&'a OneOff>>,
    /// Those that are stopped first.
    stopped: BTreeMap<usize, Vec<&'a OneOff>>,
    /// Those that are left alone.
    pub(super) notes: Vec<Note>,
}

impl<'a> OneOffs<'a> {
    /// Those of `cloudpad run` that have ended, and whatever is `named`. From a host nobody can tell whether the one who has begun
    /// what runs is still there, so that is stopped only where it is named.
    ///
    /// # Errors
    /// A name of none of them.
    pub(super) fn new(decide: &Decide<'a>, named: &[String]) -> Result<Self, Vec<Problem>> {
        let mut all = Self::default();
        let mut lacking: BTreeSet<&String> = named.iter().collect();
        let seen = decide.hosts.iter().filter_map(|host| Some((host, decide.sight.host(host)?.seen)));
        for (host, one_off) in
            seen.flat_map(|(host, seen)| seen.one_offs.iter().map(move |one_off| (host, one_off)))
        {
            let is_named = lacking.remove(&one_off.name) || named.contains(&one_off.name);
            let is_meant =
                one_offs::is_by_hand(one_off) && decide.scope.covers(one_offs::of(one_off), decide.config);
            // One without an exit code has not begun yet, or was not begun.
            match (is_named, is_meant, one_off.exit_code) {
                (true, ..) => all.stopped.entry(host).or_default().push(one_off),
                (false, true, Some(_)) if !one_off.state.is_up() => {
                    all.ended.entry(host).or_default().push(one_off);
                }
                (false, true, _) => all.notes.push(left_alone(decide, host, one_off)),
                (false, false, _) => {}
            }
        }
        let problem = |name: &String| {
            Problem::new(format!("there is no one-off container `{name}` on the selected hosts"))
                .hint("`cloudpad ps --all` lists those that there are")
        };
        let problems: Vec<_> = lacking.into_iter().map(problem).collect();
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    /// Stops those of a host that are to be stopped, and returns what has to be removed when that is done.
    pub(super) fn stop(
        &self,
        graph: &mut Graph,
        decide: &Decide<'a>,
        host: usize,
    ) -> (Vec<Node>, Vec<Named>) {
        let of = |all: &BTreeMap<usize, Vec<&'a OneOff>>| all.get(&host).cloned().unwrap_or_default();
        let stopped = of(&self.stopped);
        let stops = stopped.iter().filter(|one_off| one_off.state.is_up()).map(|one_off| {
            let host = decide.inventory.hosts()[host].clone();
            let key = key("stop", &host.name, &one_off.name);
            let (project, container) = (decide.config.project.clone(), named(one_off));
            let stop = Stop { host, project, container, timeout: STOP_TIMEOUT };
            graph.add(key, None, Vec::new(), Request::DeployStop(stop))
        });
        let stops = stops.collect();
        (stops, of(&self.ended).into_iter().chain(stopped).map(named).collect())
    }
}

fn named(one_off: &OneOff) -> Named {
    Named { id: Some(one_off.id.clone()), name: one_off.name.clone() }
}

fn left_alone(decide: &Decide<'_>, host: usize, one_off: &OneOff) -> Note {
    let (name, host, of) = (&one_off.name, decide.host_name(host), one_offs::words(one_off));
    let runs = if one_off.state.is_up() { "still runs" } else { "has not begun yet" };
    let command = prune(decide, name);
    let message = format!(
        "one-off container `{name}`, {of}, {runs} on `{host}`, and is left alone: {command} ends it where nobody waits for it any more"
    );
    Note { incomplete: false, message }
}

/// The command that ends one of that name.
pub(super) fn prune(decide: &Decide<'_>, name: &str) -> String {
    let environment = decide.config.project.environment.as_ref();
    let environment = environment.map(|name| format!("-e {name} ")).unwrap_or_default();
    format!("`cloudpad prune {environment}{name}`")
}
