//! Releases, as `cloudpad releases` lists them, and which of them is the one before. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::{ContainerSpec, Instance};
use cloudpad_plugin_api::stage::deploy::{About, Observation, Release, Rule, Tls};
use serde::Serialize;

use crate::config::Config;
use crate::inventory::{Inventory, list};
use crate::observed::{HostState, Observed, suffix_of};
use crate::plan::past::{At, at, is_unfinished, known};
use crate::plan::{Goal, Scope, obstacles};
use crate::refusal::Refusal;
use crate::words::columns;

/// How many letters of a revision tell it from others.
const SHORTEST: usize = 4;

/// What hosts remember, as far as it is meant.
pub struct Past<'a> {
    /// What the project is.
    pub config: &'a Config,
    /// Every host.
    pub inventory: &'a Inventory,
    /// What is meant.
    pub scope: &'a Scope,
    /// What was seen.
    pub observed: &'a Observed,
}

/// A release that a host remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its id.
    pub release: String,
    /// Where it came from.
    #[serde(flatten)]
    pub about: About,
    /// The services that it has changed anywhere, sorted.
    pub services: Vec<String>,
    /// The hosts on which something that it has changed is to run still, sorted.
    pub hosts: Vec<String>,
    /// Whether it is the last one.
    pub in_effect: bool,
    /// Why one cannot go back to it; nothing where one can.
    pub obstacles: Vec<String>,
}

/// What is to be on a host: which instance, and what it is made from; the routes by service.
type Content<'a> = (Vec<(&'a Instance, &'a str)>, Vec<(&'a str, Rule)>);

impl<'a> Past<'a> {
    /// The hosts that are meant and were seen.
    fn hosts(&self) -> impl Iterator<Item = (&'a str, &'a Observation)> {
        let hosts = self.scope.hosts.iter().map(|&index| self.inventory.hosts()[index].name.as_str());
        hosts.filter_map(|name| match self.observed.hosts.get(name)? {
            HostState::Seen(seen) => Some((name, seen)),
            HostState::Unseen(_) => None,
        })
    }

    /// The hosts whose provider remembers no releases.
    pub fn forgetful(&self) -> Vec<&'a str> {
        self.hosts().filter(|(_, seen)| seen.releases.is_none()).map(|(name, _)| name).collect()
    }

    /// Each release with all that hosts remember of it, oldest first.
    fn releases(&self) -> BTreeMap<&'a str, Vec<&'a Release>> {
        let mut releases: BTreeMap<&str, Vec<&Release>> = BTreeMap::new();
        for release in self.hosts().flat_map(|(_, seen)| known(seen)) {
            releases.entry(&release.id).or_default().push(release);
        }
        releases
    }

    /// Lists them, the newest first. `goal` is what one would ask for to go back to one.
    pub fn rows(&self, goal: &Goal) -> Vec<Row> {
        let releases = self.releases();
        let last = releases.keys().next_back().copied();
        let row = |(&id, on_hosts): (&&str, &Vec<&Release>)| {
            let services: BTreeSet<&String> = on_hosts.iter().flat_map(|release| &release.changed).collect();
            let hosts = self.hosts().filter(|(_, seen)| is_still_there(known(seen), id));
            let goal = Goal { restore: Some(id.to_owned()), ..goal.clone() };
            let problems = obstacles(self.config, self.inventory, self.observed, &goal);
            Row {
                release: id.to_owned(),
                about: on_hosts.first().map(|release| (*release.about).clone()).unwrap_or_default(),
                services: services.into_iter().cloned().collect(),
                hosts: hosts.map(|(name, _)| name.to_owned()).collect(),
                in_effect: Some(id) == last,
                obstacles: problems.into_iter().map(|problem| problem.message).collect(),
            }
        };
        releases.iter().rev().map(row).collect()
    }

    /// The release that somebody means by this: its id, or where only one has it, the beginning of that or its revision. What none
    /// is called so is left as it is, and refused where it is looked for.
    ///
    /// # Errors
    /// Several are called so.
    pub fn named(&self, typed: &str) -> Result<String, Refusal> {
        let releases = self.releases();
        if typed.is_empty() || releases.contains_key(typed) {
            return Ok(typed.to_owned());
        }
        let revision = |id: &str| suffix_of(id).trim_start_matches('-').to_owned();
        let means = |id: &&str| id.starts_with(typed) || revision(id) == typed;
        let meant: Vec<&str> = match releases.keys().copied().filter(means).collect::<Vec<_>>() {
            // A longer revision than ids have, a part of it, or one of what was not committed.
            none if none.is_empty() => {
                let commit = |id: &str| revision(id).trim_end_matches("-dirty").to_owned();
                let is_near = |commit: &str| {
                    let shorter = commit.len().min(typed.len());
                    shorter >= SHORTEST && (commit.starts_with(typed) || typed.starts_with(commit))
                };
                releases.keys().copied().filter(|id| is_near(&commit(id))).collect()
            }
            some => some,
        };
        match meant[..] {
            [] => Ok(typed.to_owned()),
            [one] => Ok(one.to_owned()),
            _ => Err(Refusal::new(format!("`{typed}` may be any of {}", list(meant.iter().copied())))
                .hint("say more of it; `cloudpad releases` lists them")),
        }
    }

    /// The release to go back to: the one in effect, where another was begun since and has not come to its end; else the one
    /// before, the last in which something else was to run of what is meant. One that has gone back to another stands for that.
    ///
    /// # Errors
    /// There is none.
    pub fn before(&self) -> Result<String, Refusal> {
        let releases = self.releases();
        let Some((&last, on_hosts)) = releases.last_key_value() else {
            return Err(Refusal::new("no host remembers a release")
                .hint("each `cloudpad deploy` that changes something makes one"));
        };
        if self.begun_after(last) {
            return Ok(last.to_owned());
        }
        let now = self.contents(last);
        let restored = on_hosts.first().and_then(|release| release.about.restores.as_deref());
        // Of a part only, it is something new to the rest. And what is not remembered any more was no other thing.
        let restored = restored.filter(|id| !releases.contains_key(id) || self.contents(id) == now);
        let from = restored.unwrap_or(last);
        let earlier = releases.range(..from).rev().map(|(id, _)| *id);
        let earlier: Vec<&str> = earlier.filter(|id| self.contents(id) != now).collect();
        let whole = earlier.iter().find(|id| !self.is_on_the_way(id, last));
        whole.or(earlier.first()).map(|id| (*id).to_owned()).ok_or_else(|| {
            Refusal::new(format!("no host remembers a release before `{from}`"))
                .hint("`cloudpad releases` lists those that one can go back to")
        })
    }

    /// Whether something of what is meant is there from a release that was begun after `last` and has not come to its end.
    fn begun_after(&self, last: &str) -> bool {
        self.hosts().any(|(_, seen)| {
            let meant =
                seen.containers.iter().filter(|c| self.scope.covers(&c.instance.service, self.config));
            meant.into_iter().any(|container| is_unfinished(seen, container, last))
        })
    }

    /// Whether a release is one of those by which `last` came to all hosts, some before the others: some of a service was then as
    /// all of it is at `last`, and some was not.
    fn is_on_the_way(&self, id: &str, last: &str) -> bool {
        let (then, now) = (self.kinds(id), self.kinds(last));
        then.iter().any(|(service, kinds)| {
            kinds.len() > 1 && now.get(service).is_some_and(|now| now.len() == 1 && now.is_subset(kinds))
        })
    }

    /// What each service was to be made from at a release, as JSON: one thing where it was the same on all hosts.
    fn kinds(&self, id: &str) -> BTreeMap<&'a str, BTreeSet<String>> {
        let mut kinds: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (_, seen) in self.hosts() {
            let At::Recorded(release) = at(seen, id) else { continue };
            for old in &release.containers {
                // Each instance has ports of its own.
                let spec = release
                    .specs
                    .get(&old.spec_id)
                    .map(|spec| ContainerSpec { ports: Vec::new(), ..(**spec).clone() });
                let route = release.routes.as_ref().and_then(|routes| routes.get(&old.instance.service));
                let route = route.map(|rule| unmarked(rule));
                let kind = spec.and_then(|spec| serde_json::to_string(&(spec, route)).ok());
                let service = kinds.entry(&old.instance.service).or_default();
                service.insert(kind.unwrap_or_else(|| old.spec_id.clone()));
            }
        }
        kinds.retain(|service, _| self.scope.covers(service, self.config));
        kinds
    }

    /// What was to run of what is meant at a release, by host; none for a host that does not remember.
    fn contents(&self, id: &str) -> Vec<(&'a str, Option<Content<'a>>)> {
        let content = |seen: &'a Observation| match at(seen, id) {
            At::Recorded(release) => {
                let all = release.containers.iter();
                let meant = all.filter(|old| self.scope.covers(&old.instance.service, self.config));
                let routes = release.routes.iter().flatten();
                let routes = routes.filter(|(service, _)| self.scope.covers(service, self.config));
                let routes = routes.map(|(service, rule)| (service.as_str(), unmarked(rule)));
                let containers = meant.map(|old| (&old.instance, old.spec_id.as_str()));
                Some((containers.collect(), routes.collect()))
            }
            At::Nothing => Some(Content::default()),
            At::Forgotten => None,
        };
        self.hosts().map(|(name, seen)| (name, content(seen))).collect()
    }
}

/// A rule without what tells one certificate from another: going back brings none.
fn unmarked(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    if let Some(Tls::Own { certificate, key }) = &mut rule.tls {
        certificate.mark.clear();
        key.mark.clear();
    }
    rule
}

/// Whether something that release `id` has changed on a host is to run there since, and nothing has changed it after that.
fn is_still_there(known: &[Release], id: &str) -> bool {
    let Some(at) = known.iter().position(|release| release.id == id) else { return false };
    let (release, later) = (&known[at], &known[at + 1..]);
    let runs = |service: &String| release.containers.iter().any(|old| old.instance.service == *service);
    let stays = |service: &String| !later.iter().any(|release| release.changed.contains(service));
    release.changed.iter().any(|service| runs(service) && stays(service))
}

/// Rows as a table with a heading.
pub fn table(rows: &[Row]) -> String {
    let heading =
        ["RELEASE", "BY", "COMMAND", "REVISION", "SERVICES", "RUNS ON", "GO BACK"].map(str::to_owned);
    let cells: Vec<[String; 7]> = std::iter::once(heading).chain(rows.iter().map(cells)).collect();
    columns(&cells)
}

fn cells(row: &Row) -> [String; 7] {
    let About { by, command, restores, sources, .. } = &row.about;
    let command = match restores {
        Some(release) => format!("{command} to {release}"),
        None => command.clone(),
    };
    let short = |revision: &String| revision.chars().take(12).collect::<String>();
    let revisions: Vec<String> = match sources.len() {
        1 => sources.values().map(short).collect(),
        _ => sources.iter().map(|(source, revision)| format!("{source} {}", short(revision))).collect(),
    };
    let back = match (row.in_effect, row.obstacles.first()) {
        (true, _) => "in effect",
        (false, None) => "yes",
        (false, Some(why)) => why,
    };
    [
        row.release.clone(),
        by.clone(),
        command,
        revisions.join(", "),
        row.services.join(", "),
        row.hosts.join(", "),
        back.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Input, load};
    use crate::inventory::Selection;
    use crate::plan::scope;

    #[test]
    fn a_release_is_meant_by_its_beginning_or_its_revision() {
        let text = "[project]\nname = \"shop\"\n[hosts.h1]\naddress = \"h1\"\n[images.web]\nreference = \"web:1\"\n[services.web]\nimage = \"web\"\n";
        let dir = std::path::Path::new("/srv/shop");
        let config = load(&Input { text, dir, environment: None, var: &|_| None }).unwrap();
        let inventory = Inventory::new(&config.hosts, Default::default()).unwrap();
        let ids = [
            "20260131T110000Z-dirty",
            "20260131T120000Z-05c951e",
            "20260131T130000Z-5dde386",
            "20260131T130000Z.01-5dde386",
            "20260131T140000Z-5dde386-dirty",
            "20260131T150000Z-abcdef0-dirty",
        ];
        let release = |id: &str| Release { id: id.to_owned(), ..Release::default() };
        let seen = Observation { releases: Some(ids.map(release).into()), ..Observation::default() };
        let observed =
            Observed { hosts: [("h1".to_owned(), HostState::Seen(seen))].into(), ..Observed::default() };
        let scope = scope(&config, &inventory, &Selection::default()).unwrap();
        let past = Past { config: &config, inventory: &inventory, scope: &scope, observed: &observed };
        for (typed, meant) in [
            (ids[0], Some(ids[0])),
            ("05c951e", Some(ids[1])),
            ("05c9", Some(ids[1])),
            ("05c951e0123456789", Some(ids[1])),
            ("20260131T12", Some(ids[1])),
            ("5dde386", None),
            ("5dde386-dirty", Some(ids[4])),
            ("20260131T13", None),
            ("abcdef0", Some(ids[5])),
            ("05c", Some("05c")),
            ("7654321", Some("7654321")),
        ] {
            assert_eq!(past.named(typed).ok().as_deref(), meant, "{typed}");
        }
        let Err(Refusal::Message { message, .. }) = past.named("5dde386") else { panic!("it may be two") };
        assert_eq!(message, format!("`5dde386` may be any of `{}`, `{}`", ids[2], ids[3]));
    }
}
