//! Why one cannot go back to a release. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::deploy::Release;

use super::past::{self, At};
use super::restore::Restore;
use super::supply::Supply;
use crate::config::Problem;
use crate::inventory::list;

/// All that keeps a plan from going back to a release.
pub(super) fn obstacles<'a>(restore: &Restore<'_, 'a>, supply: &Supply<'a>) -> Vec<Problem> {
    let known = known(restore);
    if !known.iter().any(|release| release.id == restore.id) {
        return vec![unknown(restore.id, &known)];
    }
    let mut problems = forgotten(restore);
    problems.extend(lacking(restore, supply));
    problems
}

/// The releases that the hosts of a plan remember.
fn known<'a>(restore: &Restore<'_, 'a>) -> Vec<&'a Release> {
    let hosts = restore.decide.hosts.iter().filter_map(|host| restore.decide.sight.host(host));
    hosts.flat_map(|host| past::known(host.seen)).collect()
}

fn unknown(id: &str, known: &[&Release]) -> Problem {
    const AROUND: usize = 2;
    let ids: BTreeSet<&str> = known.iter().map(|release| release.id.as_str()).collect();
    let problem = Problem::new(format!("no host remembers a release `{id}`"));
    let mut near: Vec<&str> = ids.range(..id).rev().take(AROUND).copied().collect();
    near.extend(ids.range(id..).take(AROUND));
    near.sort_unstable();
    problem.hint(match near.is_empty() {
        true => "there is none yet: each `cloudpad deploy` that changes something makes one".to_owned(),
        false => format!("near it there is {}; `cloudpad releases` lists all", list(near)),
    })
}

/// Hosts of which nobody knows what was to run there.
fn forgotten(restore: &Restore<'_, '_>) -> Vec<Problem> {
    let id = restore.id;
    let problem = |index: usize| {
        let seen = restore.decide.sight.host(index)?.seen;
        if past::at(seen, id) != At::Forgotten {
            return None;
        }
        let host = &restore.decide.inventory.hosts()[index].name;
        let message = format!("what ran on `{host}` at release `{id}` is not known any more");
        Some(Problem::new(message).hint(match past::known(seen).first() {
            Some(oldest) => format!("the oldest release that it remembers is `{}`", oldest.id),
            None => "it remembers no release: one comes with the next deploy".to_owned(),
        }))
    };
    restore.decide.hosts.iter().filter_map(problem).collect()
}

/// Containers that are gone and cannot be made again.
fn lacking<'a>(restore: &Restore<'_, 'a>, supply: &Supply<'a>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for old in restore.containers() {
        let index = old.host;
        if !restore.decide.hosts.contains(index) || restore.there(&old).is_some() {
            continue;
        }
        let Some(sight) = restore.decide.sight.host(index) else { continue };
        let (id, host) = (restore.id, &restore.decide.inventory.hosts()[index].name);
        let instance = &old.recorded.instance;
        let problem = match restore.spec(&old) {
            None => {
                Problem::new(format!("what {instance} of release `{id}` was made from is not understood"))
                    .hint("use the version of Cloudpad that has deployed it, or a newer one")
            }
            Some(spec) if supply.can_bring(&spec.image, sight) => continue,
            Some(spec) => {
                let message = format!(
                    "release `{id}` is not available any more: its image `{}` is not on `{host}`",
                    spec.image
                );
                Problem::new(message).hint(again(old.release))
            }
        };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// How to have again what a release was made from.
fn again(release: &Release) -> String {
    let sources = release.about.sources.iter();
    let sources = sources.map(|(source, revision)| format!("`{source}` at {revision}"));
    match sources.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "deploy its source again".to_owned(),
        sources => format!("deploy its source again: {sources}"),
    }
}
