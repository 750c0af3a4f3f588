//! Hosts that a project has left, with what runs there: what those who stay remember, and what journals tell. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::Presence;

use crate::history::Run;
use crate::inventory::{Inventory, list};
use crate::observed::{HostState, Observed};
use crate::plan::{Note, past};

/// Whether a line of a journal is one of those that tell of it: these are few, however much was done. Which journals it takes
/// nobody can say, since their names are times of this machine's clock, and releases may be of others.
pub fn tells(line: &str) -> bool {
    let is = |event: &str| line.starts_with(&format!("{{\"event\":\"{event}\""));
    is("run") || is("plan") || is("done") && line.contains("\"deploy.record\"")
}

/// What there is to say of them. It is said until the next release, whose records no longer have them, or a journal tells
/// that the project was removed there. `runs`: the oldest first.
pub fn notes(project: &Project, inventory: &Inventory, observed: &Observed, runs: &[Run<'_>]) -> Vec<Note> {
    let mut left: BTreeMap<&str, &str> = BTreeMap::new();
    let last = past::widest(past::all(observed));
    let mut moved: BTreeMap<&str, &Presence> = BTreeMap::new();
    for (host, presence) in last.iter().flat_map(|last| last.hosts.iter()) {
        if has(inventory, &presence.address) {
            continue;
        }
        match inventory.get(host) {
            None => drop(left.insert(host, &presence.release)),
            Some(now) if is_another(now, presence, &last.map(|last| &*last.hosts), observed) => {
                moved.insert(host, presence);
            }
            Some(_) => {}
        }
    }
    for run in runs.iter().filter(|run| run.project == project.prefix() && run.command == "remove") {
        moved.retain(|host, presence| !run.noted.contains(*host) || run.release <= presence.release);
    }
    follow(&mut left, project, runs, &|host| inventory.get(host).is_none(), last.map(|last| &*last.id));
    let left = by_release(left);
    let left = left.into_iter().map(|(release, hosts)| note(project, release, &hosts));
    left.chain(moved.into_iter().map(|(host, presence)| note_of_moved(project, host, presence))).collect()
}

/// The same where a cluster runs the project now, until it remembers a release: what hosts had is told by journals alone.
pub fn notes_of_hosts(project: &Project, seen: &cluster::Observation, runs: &[Run<'_>]) -> Vec<Note> {
    let (mut left, last) = (BTreeMap::new(), seen.releases.iter().flatten().next_back());
    follow(&mut left, project, runs, &|_| true, last.map(|last| &*last.id));
    let note = |(release, hosts): (&str, Vec<&str>)| {
        let message = format!(
            "release {release} was deployed to {}, before a cluster: unless that was removed it still runs there, and is not \
             touched; to take it off, run `cloudpad {}remove` with the provider and the hosts as they were",
            list(hosts),
            environment(project)
        );
        Note { incomplete: false, message }
    };
    by_release(left).into_iter().map(note).collect()
}

/// What runs have done since to hosts that are gone; `last` is the newest release of those that are not.
fn follow<'a>(
    left: &mut BTreeMap<&'a str, &'a str>,
    project: &Project,
    runs: &'a [Run<'_>],
    is_gone: &dyn Fn(&str) -> bool,
    last: Option<&str>,
) {
    for run in runs.iter().filter(|run| run.project == project.prefix()) {
        let is_later = last.is_none_or(|last| run.release.as_str() > last);
        for host in run.noted.iter().filter(|host| is_gone(host)) {
            // Who removes looks at that host alone, and its release sorts behind all that was known there.
            let is_undone = || left.get(&**host).is_some_and(|release| run.release.as_str() > *release);
            match &*run.command {
                "remove" if is_undone() => drop(left.remove(&**host)),
                "remove" => {}
                _ if is_later => drop(left.insert(host, &run.release)),
                _ => {}
            }
        }
    }
}

/// Hosts by their last releases.
fn by_release<'a>(left: BTreeMap<&'a str, &'a str>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut by_release: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    left.into_iter().for_each(|(host, release)| by_release.entry(release).or_default().push(host));
    by_release
}

fn environment(project: &Project) -> String {
    project.environment.as_ref().map(|name| format!("-e {name} ")).unwrap_or_default()
}

fn note_of_moved(project: &Project, host: &str, Presence { address, release }: &Presence) -> Note {
    let message = format!(
        "`{host}` was `{address}` at release {release}, and is another machine now: unless that was removed there it still \
         runs, and is not touched; to take it off, add that address as another host and run `cloudpad remove {}--host` with \
         its name",
        environment(project)
    );
    Note { incomplete: false, message }
}

fn note(project: &Project, release: &str, hosts: &[&str]) -> Note {
    let environment = environment(project);
    let (one, names) = (hosts.first().copied().unwrap_or_default(), list(hosts.iter().copied()));
    let message = format!(
        "{names} left the project's hosts after release {release}: unless that was removed it still runs there, and is not \
         touched; to take it off, put the host back and run `cloudpad remove {environment}--host {one}`"
    );
    Note { incomplete: false, message }
}

/// Whether a host has this address, whoever logs in there.
fn has(inventory: &Inventory, address: &str) -> bool {
    inventory.hosts().iter().any(|host| machine(&host.address) == machine(address))
}

fn machine(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, machine)| machine)
}

/// Whether a host with another address than it had is another machine, as far as one can tell: one address may be written in many
/// ways, and who was there remembers it, unless that machine was there as another host.
fn is_another(
    now: &Host,
    then: &Presence,
    hosts: &Option<&BTreeMap<String, Presence>>,
    observed: &Observed,
) -> bool {
    let Some(HostState::Seen(seen)) = observed.hosts.get(&now.name) else { return false };
    let Some(releases) = &seen.releases else { return false };
    let mut others = hosts.iter().flat_map(|hosts| hosts.values());
    let was_other = others.any(|other| other != then && machine(&other.address) == machine(&now.address));
    was_other || releases.iter().all(|release| release.id != then.release)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::stage::deploy::{Observation, Release};

    use super::*;
    use crate::history;
    use crate::report::Event;

    /// `h1` remembers releases, each with the hosts that it names, as `NAME=ADDRESS` or `NAME=ADDRESS#RELEASE`.
    fn observed(releases: &[(&str, &str)]) -> Observed {
        let hosts = |text: &str, id: &str| {
            let hosts = text.split_whitespace().filter_map(|host| host.split_once('='));
            let presence = |text: &str| {
                let (address, release) = text.split_once('#').unwrap_or((text, id));
                Presence { address: address.to_owned(), release: release.to_owned() }
            };
            hosts.map(|(name, address)| (name.to_owned(), presence(address))).collect()
        };
        let release = |(id, text): &(&str, &str)| Release {
            id: (*id).to_owned(),
            hosts: Arc::new(hosts(text, id)),
            ..Release::default()
        };
        let releases = Some(releases.iter().map(release).collect());
        let seen = Observation { releases, ..Observation::default() };
        Observed { hosts: [("h1".to_owned(), HostState::Seen(seen))].into(), ..Observed::default() }
    }

    /// The journal of a run, in which `host` has noted its release.
    fn journal((command, release, host): (&str, &str, &str)) -> String {
        format!(
            "{{\"event\":\"run\",\"command\":\"{command}\",\"project\":\"shop\",\"time\":\"{release}\"}}\n\
             {{\"event\":\"plan\",\"release\":\"{release}\",\"changes\":[],\"actions\":1,\"notes\":[]}}\n\
             {{\"event\":\"done\",\"phase\":\"apply\",\"id\":0,\"method\":\"deploy.record\",\"host\":\"{host}\",\"object\":\"\",\"ms\":1}}\n"
        )
    }

    fn told(hosts: &str, releases: &[(&str, &str)], runs: &[(&str, &str, &str)]) -> Vec<String> {
        let hosts = hosts.split_whitespace().filter_map(|host| host.split_once('='));
        let hosts: Vec<_> = hosts.map(|(name, address)| Host::new(name, address)).collect();
        let texts: Vec<_> = runs.iter().map(|run| journal(*run)).collect();
        let runs: Vec<_> = texts.iter().flat_map(|text| history::read("f", text, false).unwrap()).collect();
        let project = Project { name: "shop".into(), environment: None };
        let inventory = Inventory::new(&hosts, Default::default()).unwrap();
        let notes = notes(&project, &inventory, &observed(releases), &runs);
        let short = |note: Note| {
            note.message
                .split(": ")
                .next()
                .unwrap_or_default()
                .replace(" left the project's hosts after release", "")
        };
        notes.into_iter().map(short).collect()
    }

    #[test]
    fn a_host_that_is_gone_is_told_with_its_last_release() {
        const BOTH: (&str, &str) = ("1", "h1=a h2=me@b");
        /// Hosts that there are, releases with the hosts that they name, runs in the journals, what is told.
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [Run<'a>], &'a [&'a str]);
        type Run<'a> = (&'a str, &'a str, &'a str);
        let cases: [Case<'_>; 16] = [
            ("h1=a h2=b", &[BOTH], &[], &[]),
            ("h1=a", &[BOTH], &[], &["`h2` 1"]),
            ("h1=a", &[("1", "h1=a h2=b h3=c")], &[], &["`h2`, `h3` 1"]),
            // It has another name or another user now.
            ("h1=a web=b", &[BOTH], &[], &[]),
            ("h1=a web=you@b", &[BOTH], &[], &[]),
            // The next release that says it does not name it any more.
            ("h1=a", &[BOTH, ("2", "h1=a")], &[], &[]),
            ("h1=a", &[BOTH, ("2", "")], &[], &["`h2` 1"]),
            // It was removed from here, and deployed once more.
            ("h1=a", &[BOTH], &[("remove", "2", "h2")], &[]),
            ("h1=a", &[BOTH], &[("remove", "2", "h1")], &["`h2` 1"]),
            ("h1=a", &[BOTH], &[("remove", "2", "h2"), ("deploy", "3", "h2")], &["`h2` 3"]),
            // A release whose clock was ahead, and that has changed nothing there.
            ("h1=a", &[("1", "h1=a h2=b"), ("9", "h1=a h2=b#1")], &[("remove", "2", "h2")], &[]),
            ("h1=a", &[("1", "h1=a h2=b"), ("9", "h1=a h2=b#3")], &[("remove", "2", "h2")], &["`h2` 3"]),
            // Who is left does not know of it, but the journal does.
            (
                "h1=a",
                &[("1", "h1=a")],
                &[("deploy", "2", "h2"), ("rollback", "3", "h3")],
                &["`h2` 2", "`h3` 3"],
            ),
            ("h9=z", &[], &[("deploy", "1", "h1")], &["`h1` 1"]),
            ("h1=a", &[("3", "h1=a")], &[("deploy", "2", "h2")], &[]),
            ("h1=a", &[], &[], &[]),
        ];
        for (hosts, releases, runs, expected) in cases {
            assert_eq!(told(hosts, releases, runs), expected, "{hosts} {releases:?} {runs:?}");
        }
    }

    #[test]
    fn a_name_that_is_another_machine_now_is_told_with_its_address() {
        const BEFORE: (&str, &str) = ("1", "h1=a h2=me@b h3=c");
        // The hosts, what `h2` remembers, whether the host is removed then, and whether the note comes.
        let cases = [
            ("h1=a h2=me@b h3=c", Some(vec![]), false, false),
            ("h1=a h2=you@b h3=c", Some(vec![]), false, false),
            ("h1=a h2=d h3=c", Some(vec![]), false, true),
            ("h1=a h2=d h3=c", Some(vec![]), true, false),
            // The same machine by another address, or nobody can tell.
            ("h1=a h2=b:22 h3=c", Some(vec!["1"]), false, false),
            ("h1=a h2=d h3=c", None, false, false),
            // One that was another host, and one that is.
            ("h1=a h2=c", Some(vec!["1"]), false, true),
            ("h1=a h2=d h3=b", Some(vec![]), false, false),
        ];
        for (hosts, remembers, removed, expected) in cases {
            let all = hosts.split_whitespace().filter_map(|host| host.split_once('='));
            let all: Vec<_> = all.map(|(name, address)| Host::new(name, address)).collect();
            let mut observed = observed(&[BEFORE]);
            let releases = remembers.as_ref().map(|ids: &Vec<&str>| {
                let release = |id: &&str| Release { id: (*id).to_owned(), ..Release::default() };
                ids.iter().map(release).collect()
            });
            let seen = Observation { releases, ..Observation::default() };
            observed.hosts.insert("h2".into(), HostState::Seen(seen));
            let text = journal(("remove", "2", "h2"));
            let mut runs = history::read("f", &text, false).unwrap();
            runs.truncate(usize::from(removed));
            let project = Project { name: "shop".into(), environment: None };
            let notes = notes(&project, &Inventory::new(&all, Default::default()).unwrap(), &observed, &runs);
            let is_told = notes.iter().any(|n| n.message.starts_with("`h2` was `me@b` at release 1, and is"));
            assert_eq!(is_told, expected, "{hosts} {remembers:?} {notes:?}");
        }
    }

    #[test]
    fn hosts_that_a_cluster_takes_the_place_of_are_told_until_its_first_release() {
        type Case<'a> = (&'a [(&'a str, &'a str, &'a str)], &'a [&'a str], &'a [&'a str]);
        let cases: [Case<'_>; 5] = [
            (&[], &[], &[]),
            (&[("deploy", "1", "h1"), ("deploy", "1", "h2")], &[], &["release 1 was deployed to `h1`, `h2`"]),
            (&[("deploy", "1", "h1"), ("remove", "2", "h1")], &[], &[]),
            (&[("deploy", "1", "h1")], &["2"], &[]),
            (&[("deploy", "3", "h1")], &["2"], &["release 3 was deployed to `h1`"]),
        ];
        for (runs, releases, expected) in cases {
            let texts: Vec<_> = runs.iter().map(|run| journal(*run)).collect();
            let runs: Vec<_> =
                texts.iter().flat_map(|text| history::read("f", text, false).unwrap()).collect();
            let release =
                |id: &&str| cluster::Release { id: (*id).to_owned(), ..cluster::Release::default() };
            let releases = Some(releases.iter().map(release).collect());
            let seen = cluster::Observation { releases, ..cluster::Observation::default() };
            let project = Project { name: "shop".into(), environment: None };
            let notes = notes_of_hosts(&project, &seen, &runs);
            let told: Vec<_> =
                notes.iter().map(|note| note.message.split(", before").next().unwrap()).collect();
            assert_eq!(told, expected);
            assert!(notes.iter().all(|note| note.message.contains("`cloudpad remove` with the provider")));
        }
    }

    #[test]
    fn what_other_projects_did_is_not_told_and_what_to_do_is() {
        let text = journal(("deploy", "1", "h2"));
        let runs = history::read("f", &text, false).unwrap();
        let inventory = Inventory::new(&[Host::new("h1", "a")], Default::default()).unwrap();
        let of = |name: &str, environment: Option<&str>| {
            let project = Project { name: name.into(), environment: environment.map(str::to_owned) };
            notes(&project, &inventory, &observed(&[("0", "h1=a")]), &runs)
        };
        assert!(of("shop", Some("staging")).is_empty() && of("other", None).is_empty());
        let [note] = &of("shop", None)[..] else { panic!() };
        assert!(
            note.message.ends_with("put the host back and run `cloudpad remove --host h2`")
                && !note.incomplete
        );
        let project = Project { name: "shop".into(), environment: Some("staging".into()) };
        let note = &notes(&project, &inventory, &observed(&[("0", "h1=a h2=b")]), &[])[0];
        assert!(note.message.contains("`cloudpad remove -e staging --host h2`"), "{}", note.message);
    }

    #[test]
    fn what_is_not_needed_of_a_journal_is_left_out() {
        let text = journal(("deploy", "1", "h2"));
        let more = "{\"event\":\"started\",\"method\":\"deploy.record\"}\n{\"event\":\"done\",\"method\":\"deploy.stop\"}\n";
        let all: Vec<_> = [&text, more].iter().flat_map(|text| text.lines()).map(tells).collect();
        assert_eq!(all, [true, true, true, false, false]);
        let read = |event: Event| tells(&serde_json::to_string(&event).unwrap());
        let plan = Event::Plan { release: "1".into(), changes: Vec::new(), actions: 0, notes: Vec::new() };
        assert!(read(plan), "as it is written");
    }
}
