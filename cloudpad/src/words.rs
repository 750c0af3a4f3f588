//! The words in which plans, actions, failures and reports are told to people. Pure.

mod acts;
mod columns;
mod ending;
pub mod happened;
mod jobs;
pub mod outputs;
pub mod page;
mod plan;
pub mod plugins;
mod prefix;
pub mod routes;

use std::fmt::Write;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::Holder;

use crate::config::Problem;
use crate::report::Waiting;
pub use acts::{did, doing};
pub use columns::columns;
pub use ending::report;
pub use plan::plan;
pub use prefix::Prefixes;

/// What takes long: each action on a line of its own, or all on one where there are many.
pub fn waiting(actions: &[Waiting]) -> Vec<String> {
    const SHOWN: usize = 4;
    let seconds = |waiting: &Waiting| waiting.ms / 1000;
    let host = |waiting: &Waiting| waiting.action.host.clone();
    if actions.len() > SHOWN {
        let longest = actions.iter().map(seconds).max().unwrap_or_default();
        let mut hosts: Vec<_> = actions.iter().filter_map(host).collect();
        hosts.dedup();
        let on = if hosts.is_empty() { String::new() } else { format!(" on {}", some_of(&hosts)) };
        return vec![format!("still under way after {longest} s: {}{on}", plural(actions.len(), "action"))];
    }
    let line = |waiting: &Waiting| {
        let host = host(waiting).map(|host| format!("{host}: ")).unwrap_or_default();
        format!("{host}still {} ({} s)", doing(&waiting.action), seconds(waiting))
    };
    actions.iter().map(line).collect()
}

/// Who has a project's lock.
pub fn held(project: &Project, host: &str, holder: &Holder) -> String {
    let Holder { who, since, command } = holder;
    let who = if who.is_empty() { "somebody else".to_owned() } else { format!("`{who}`") };
    let since = if since.is_empty() { String::new() } else { format!(" since {since}") };
    let command = if command.is_empty() { String::new() } else { format!(", for `{command}`") };
    format!("{who} has the lock of `{}` on `{host}`{since}{command}", project.prefix())
}

/// That a project's lock is held, and how it ends.
pub fn locked(project: &Project, hosts: &[String]) -> String {
    let (project, hosts) = (project.prefix(), some_of(hosts));
    format!("the lock of `{project}` is taken on {hosts}: nobody deploys there until this ends, by Ctrl-C")
}

/// A time of [`now`](crate::project::now)'s form, for people: `2026-01-31 23:59:59 UTC`; another as it is.
pub fn time(stamp: &str) -> String {
    let parts = [0..4, 4..6, 6..8, 9..11, 11..13, 13..15].map(|part| stamp.get(part).unwrap_or_default());
    match (parts, stamp.len()) {
        ([year, month, day, hour, minute, second], 16) => {
            format!("{year}-{month}-{day} {hour}:{minute}:{second} UTC")
        }
        _ => stamp.to_owned(),
    }
}

/// A failure with its causes, each on a line of its own, and its hint. A provider that stops since it was asked to
/// speaks of its caller, which is us: the user is who has asked.
pub fn failure(failure: &Failure) -> String {
    let mut text = match failure.message == Failure::cancelled().message {
        true => "interrupted".to_owned(),
        false => failure.message.clone(),
    };
    for cause in &failure.causes {
        for line in cause.lines() {
            let _ = write!(text, "\n    {line}");
        }
    }
    if let Some(hint) = &failure.hint {
        let _ = write!(text, "\n  hint: {hint}");
    }
    text
}

/// The failure by which a host was lost that is tried again.
pub fn lost(lost: &Failure) -> String {
    failure(&Failure { message: format!("{}; it is tried again", lost.message), ..lost.clone() })
}

/// A command as one would type it; the line of a shell as it stands in the file.
pub fn command(arguments: &[String]) -> String {
    match arguments {
        [shell, option, line] if shell == "sh" && option == "-c" => line.clone(),
        words => words.join(" "),
    }
}

/// A problem that is in no file.
pub fn problem(problem: &Problem) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!("  hint: {hint}\n")).unwrap_or_default();
    format!("error: {}\n{hint}", problem.message)
}

/// The first few names, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 6;
    if names.len() <= SHOWN + 1 {
        return names.join(", ");
    }
    format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN)
}

/// A value as one line of JSON. Our own values have no part that JSON could not say.
pub fn json_line(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

/// `1 action`, `2 actions`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Milliseconds as seconds with one decimal.
pub fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}

/// A number of bytes in decimal units, as Docker prints them.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let (mut whole, mut unit) = (count / 100, 0);
    while whole >= 10_000 && unit + 1 < UNITS.len() {
        whole /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", whole / 10, whole % 10, UNITS[unit])
}

/// A number of bytes in binary units, as Docker prints memory.
pub fn memory(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (count.saturating_mul(10) / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Host;
    use cloudpad_plugin_api::stage::deploy::{ImageRef, Pull};
    use cloudpad_plugin_api::stage::push::Pushed;
    use cloudpad_plugin_api::{Failure, Reply, Request};

    use super::{bytes, did, memory, waiting};
    use crate::plan::{Action, Note, Plan};
    use crate::report::{Event, Phase, Subject, Tally, Waiting};

    #[test]
    fn what_takes_long_is_told_one_by_one_where_it_is_little() {
        let on = |host: &str, ms| {
            let (object, host) = ("web-1".to_owned(), (!host.is_empty()).then(|| host.to_owned()));
            Waiting { action: Subject { id: 0, method: "deploy.start", host, object }, ms }
        };
        let lines = waiting(&[on("h1", 10_200), on("", 40_000)]);
        assert_eq!(lines, ["h1: still starting web-1 (10 s)", "still starting web-1 (40 s)"]);
        let many = ["h1", "h1", "h2", "h3", "h4"].map(|host| on(host, 10_000));
        assert_eq!(waiting(&many), ["still under way after 10 s: 5 actions on h1, h2, h3, h4"]);
    }

    #[test]
    fn memory_is_counted_in_binary_units() {
        let shown = [1023, 1024, 1536 * 1024, 64 << 20, 5 << 40].map(memory);
        assert_eq!(shown, ["1023 B", "1.0 KiB", "1.5 MiB", "64.0 MiB", "5.0 TiB"]);
    }

    #[test]
    fn only_what_is_known_of_a_push_is_told() {
        let method = "push.run";
        let subject = Subject { id: 1, method, object: "`shop.web:1` to h1".into(), host: None };
        let cases = [
            (None, "sent `shop.web:1` to h1"),
            (Some(0), "`shop.web:1` to h1 is there already"),
            (Some(70_000), "sent `shop.web:1` to h1, 70.0 kB"),
        ];
        for (sent, expected) in cases {
            assert_eq!(
                did(&subject, &Reply::Pushed(Pushed { reference: "shop.web:1".into(), sent })),
                expected
            );
        }
    }

    #[test]
    fn a_plan_and_the_report_of_its_run_say_the_same_of_nothing_to_do() {
        let note = Note { incomplete: false, message: "`web-1` on `h1` is paused".to_owned() };
        for notes in [vec![], vec![note]] {
            let plan = Plan { notes: notes.clone(), ..Plan::default() };
            let mut tally = Tally::default();
            let (release, changes, actions) = ("r1".to_owned(), Vec::new(), 0);
            tally.add(&Event::Plan { release, changes, actions, notes });
            let told = super::report(&tally.report(false, 100), true);
            assert_eq!(told, format!("{} (0.1 s)", super::plan::sum(&plan)));
        }
    }

    #[test]
    fn a_route_that_ends_leads_nobody() {
        let (object, host) = ("web".to_owned(), Some("h1".to_owned()));
        let subject = Subject { id: 1, method: "deploy.route", object, host };
        assert_eq!(did(&subject, &Reply::Done), "set the route of web");
        assert_eq!(super::doing(&subject), "setting the route of web");
    }

    #[test]
    fn a_cluster_is_told_the_same_forth_and_back() {
        let subject = Subject { id: 1, method: "cluster.apply", object: "web".to_owned(), host: None };
        assert_eq!(did(&subject, &Reply::Done), "told the cluster what web is to be");
        assert_eq!(super::doing(&subject), "telling the cluster what web is to be");
    }

    #[test]
    fn what_was_taken_back_need_not_have_been_there_before() {
        let action = Subject { id: 0, method: "deploy.ready", host: None, object: "web-1".to_owned() };
        let mut tally = Tally::default();
        let phase = |phase, actions| Event::Phase { phase, actions, notes: Vec::new() };
        tally.add(&phase(Phase::Apply, 1));
        tally.add(&Event::Failed { phase: Phase::Apply, action, ms: 1, error: Failure::failed("no") });
        tally.add(&phase(Phase::Undo, 0));
        let told = super::report(&tally.report(false, 100), true);
        assert!(told.contains("what it had changed has been taken back: 0 done, 1 failed"), "{told}");
    }

    #[test]
    fn who_has_stopped_it_need_not_be_told_about_callers() {
        let failure = Failure::cancelled().cause("step 3 of 5");
        assert_eq!(super::failure(&failure), "interrupted\n    step 3 of 5");
        let own = Failure { message: "it went on, and was ended".to_owned(), ..failure };
        assert!(super::failure(&own).starts_with("it went on"), "what tells more is told");
    }

    #[test]
    fn the_hosts_of_a_preparation_are_sorted() {
        let pull = |(id, name): (u32, &str)| Action {
            id,
            needs: Vec::new(),
            host: Some(name.into()),
            service: None,
            continues: false,
            key: String::new(),
            request: Request::DeployPull(Pull {
                host: Host::new(name, Host::LOCAL).into(),
                image: ImageRef::Known("valkey:8".to_owned()),
                tag: None,
            }),
        };
        let actions = (0..).zip(["h3", "h1", "h2"]).map(pull).collect();
        let told = super::plan(&Plan { actions, ..Plan::default() });
        assert!(told.contains("pull valkey:8 on h1, h2, h3\n"), "{told}");
    }

    #[test]
    fn bytes_are_decimal() {
        let cases =
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_049_000, "1.0 MB"), (2_147_483_648, "2.1 GB")];
        for (count, expected) in cases {
            assert_eq!(bytes(count), expected);
        }
    }
}
