//! Which part of a project a selection means.

use cloudpad_plugin_api::Stage;

use super::kit::*;
use crate::config::{Amount, Count, StageChoice, Update};
use crate::inventory::Selection;
use crate::plan::{ChangeKind, Scope, scope};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `web` on the hosts of that name's role, `db` on another, `tool` in the group `extra`.
fn project() -> Case {
    let mut case = case();
    case.config.hosts[0].roles = words(&["web"]);
    case.config.hosts[1].roles = words(&["web", "db"]);
    case.service("web", |web| web.roles = words(&["web"]));
    for name in ["db", "tool"] {
        case.image(name, "v1");
        case.service(name, |_| {});
    }
    case.service("db", |db| db.roles = words(&["db"]));
    case.service("tool", |tool| tool.groups = words(&["extra"]));
    case
}

fn found(case: &Case, selection: &Selection) -> Result<Scope, Vec<String>> {
    let scope = scope(&case.config, &case.inventory(), selection);
    scope.map_err(|problems| {
        problems.into_iter().map(|p| format!("{}: {}", p.message, p.hint.unwrap_or_default())).collect()
    })
}

fn services(scope: &Scope) -> Vec<&str> {
    scope.services.keys().map(String::as_str).collect()
}

#[test]
fn nothing_selected_is_everything() {
    let scope = found(&project(), &Selection::default()).unwrap();
    assert_eq!(services(&scope), ["db", "tool", "web"]);
    assert_eq!((scope.hosts, scope.look), (vec![0, 1, 2], vec![0, 1, 2]));
}

#[test]
fn services_and_groups_narrow_services() {
    let selection = Selection { services: words(&["w*", "d?"]), ..Selection::default() };
    let scope = found(&project(), &selection).unwrap();
    assert_eq!(services(&scope), ["db", "web"]);
    assert_eq!(scope.images.iter().collect::<Vec<_>>(), ["db", "web"]);
    let selection = Selection { groups: words(&["extra"]), ..Selection::default() };
    assert_eq!(services(&found(&project(), &selection).unwrap()), ["tool"]);
}

#[test]
fn roles_and_hosts_narrow_hosts_and_with_them_services() {
    let selection = Selection { roles: words(&["db"]), ..Selection::default() };
    let scope = found(&project(), &selection).unwrap();
    assert_eq!(scope.hosts, [1]);
    assert_eq!(services(&scope), ["db", "tool", "web"]);
    let selection = Selection { hosts: words(&["h1"]), ..Selection::default() };
    assert_eq!(services(&found(&project(), &selection).unwrap()), ["tool", "web"]);
}

#[test]
fn where_other_hosts_matter_they_are_looked_at_too() {
    let mut case = project();
    let selection = Selection { hosts: words(&["h1"]), ..Selection::default() };
    assert_eq!(found(&case, &selection).unwrap().look, [0]);
    case.service("web", |web| web.count = Count::Replicas(2));
    let scope = found(&case, &selection).unwrap();
    assert_eq!((scope.hosts, scope.look), (vec![0], vec![0, 1]));

    case.service("web", |web| (web.count, web.update) = (Count::PerHost(1), Update::StopFirst));
    assert_eq!(found(&case, &selection).unwrap().look, [0], "all of them may be stopped");
    case.config.deploy.min_healthy = Amount::Count(1);
    assert_eq!(found(&case, &selection).unwrap().look, [0, 1]);
}

#[test]
fn on_hosts_where_no_service_may_run_there_is_only_something_to_clear_away() {
    let mut case = project();
    case.config.services.remove("tool");
    let scope = found(&case, &Selection::default()).unwrap();
    let depends: Vec<_> = scope.look.iter().map(|&host| scope.depends_on(host)).collect();
    assert_eq!(depends, [true, true, false]);
}

#[test]
fn a_selected_host_changes_alone() {
    let mut case = project();
    case.service("web", |web| web.count = Count::Replicas(2));
    case.goal.select.hosts = words(&["h1"]);
    let plan = case.deploy();
    assert!(plan.changes.iter().all(|change| change.host == "h1"), "{}", text(&plan));
    case.goal.select.hosts.clear();
    assert!(text(&case.plan()).contains("create web.2 on h2"));
}

#[test]
fn what_matches_nothing_lists_what_exists() {
    let selection = Selection {
        services: words(&["wb"]),
        groups: words(&["x"]),
        roles: words(&["q*"]),
        hosts: words(&["h9"]),
    };
    assert_eq!(
        found(&project(), &selection).unwrap_err(),
        [
            "no service matches `wb`: there is `db`, `tool`, `web`",
            "no group matches `x`: there is `extra`",
            "no host matches `h9`: there is `h1`, `h2`, `h3`; did you mean `h1`?",
            "no role matches `q*`: there is `db`, `web`",
        ]
    );
}

#[test]
fn what_is_gone_from_the_config_is_selected_by_its_name() {
    let mut case = project();
    case.deploy();
    for gone in ["db", "tool"] {
        case.config.services.remove(gone);
    }
    case.image("web", "v2");
    case.goal.select.services = words(&["d*"]);
    let scope = scope(&case.config, &case.inventory(), &case.goal.select).unwrap();
    assert_eq!((services(&scope), &*scope.look), (vec![], &[0, 1, 2][..]));
    assert_eq!(scope.unknown(&case.config, &case.observed.hosts), []);
    let plan = case.plan();
    let changes: Vec<_> = plan.changes.iter().map(|c| (c.instance.to_string(), c.kind)).collect();
    assert_eq!(changes, [("db.1".to_owned(), ChangeKind::Remove)], "{}", text(&plan));
    case.goal.select.services = words(&["web", "db"]);
    let plan = case.plan();
    assert!(plan.changes.iter().all(|c| c.instance.service != "tool"), "{}", text(&plan));
    assert!(plan.changes.iter().any(|c| c.instance.service == "db"), "{}", text(&plan));
}

#[test]
fn what_is_nowhere_is_told_once_hosts_were_looked_at() {
    let mut case = project();
    case.deploy();
    case.config.services.remove("tool");
    let selection = Selection { services: words(&["web", "wb"]), ..Selection::default() };
    let scope = scope(&case.config, &case.inventory(), &selection).unwrap();
    assert_eq!(services(&scope), ["web"]);
    let unknown = scope.unknown(&case.config, &case.observed.hosts);
    assert_eq!(unknown[0].message, "no service matches `wb`");
    assert_eq!(unknown[0].hint.as_deref(), Some("there is `db`, `tool`, `web`"));
    let in_group = Selection { groups: words(&["none"]), services: words(&["tool"]), ..Selection::default() };
    assert!(found(&case, &in_group).unwrap_err()[0].contains("no service matches `tool`"));
}

#[test]
fn selections_that_exclude_each_other_are_problems() {
    let both = Selection { services: words(&["web"]), groups: words(&["extra"]), ..Selection::default() };
    assert_eq!(found(&project(), &both).unwrap_err(), ["no selected service is in a selected group: "]);
    let both = Selection { roles: words(&["db"]), hosts: words(&["h1"]), ..Selection::default() };
    assert_eq!(found(&project(), &both).unwrap_err(), ["no selected host has a selected role: "]);
    let both = Selection { services: words(&["db"]), hosts: words(&["h1"]), ..Selection::default() };
    let problem = "none of the selected hosts is one of `db`: select other hosts, or other services";
    assert_eq!(found(&project(), &both).unwrap_err(), [problem]);
}

#[test]
fn roles_and_hosts_that_are_not_there_are_problems() {
    let mut case = project();
    case.service("web", |web| {
        web.roles = words(&["edge"]);
        web.hosts = words(&["h7"]);
    });
    assert_eq!(
        found(&case, &Selection::default()).unwrap_err(),
        [
            "no host has the role `edge` that service `web` asks for: there is `db`, `web`",
            "there is no host `h7`, which service `web` asks for: there is `h1`, `h2`, `h3`",
        ]
    );
}

#[test]
fn an_inventory_without_a_host_is_told_as_such() {
    let mut case = project();
    case.config.hosts.clear();
    let choice = StageChoice { provider: Some("etcd".into()), config: serde_json::Value::Null };
    case.config.stages.insert(Stage::Inventory, choice);
    let problems = found(&case, &Selection::default()).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("inventory `etcd` lists no host: "), "{problems:?}");
    // Where nobody asks for roles, it can be looked at, and nothing be done.
    case.config.services.values_mut().for_each(|service| service.roles.clear());
    assert!(found(&case, &Selection::default()).is_ok());
    let told = "inventory `etcd` lists no host";
    assert_eq!(case.problems(), [told]);
    let remove = crate::plan::remove(&case.config, &case.inventory(), &case.observed, &case.goal, false);
    assert_eq!(remove.unwrap_err()[0].message, told);
}
