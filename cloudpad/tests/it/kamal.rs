//! The scenarios of Kamal's integration tests, and some that it does not have, by their names there. Most are topics of other files; those that no
//! one test shows as a whole are here.
//!
//! | scenario | test |
//! | --- | --- |
//! | deploy | `it/deploy.rs::a_first_deploy_serves_on_every_host` |
//! | redeploy | `it/deploy.rs::a_change_of_code_replaces_every_container` |
//! | rollback | `it/releases.rs::one_can_go_back_to_each_release_and_then_to_the_one_before` |
//! | details | `it/ps.rs::what_runs_is_listed_and_what_is_kept_only_where_it_is_asked_for` |
//! | audit | `it/releases.rs::releases_are_listed_with_who_made_them_and_what_runs_where` |
//! | audit: what failed too | `it/history.rs::what_others_did_is_known_from_hosts_and_what_failed_from_journals` |
//! | hooks | `it/hooks.rs::hooks_run_before_and_after_with_the_plan_and_the_report` |
//! | env | `it/deploy.rs::a_change_of_config_builds_and_sends_nothing` |
//! | env: secrets | `it/secrets.rs::a_secret_reaches_its_containers_and_nothing_else` |
//! | logs | `it/logs.rs::lines_of_all_hosts_come_in_the_order_of_time` |
//! | roles | `it/shape.rs::two_images_three_services_and_two_roles` |
//! | config output | `config/good.rs::what_is_shown_reads_as_the_same` |
//! | destinations | `it/kamal/destinations.rs::two_environments_share_hosts_and_nothing_else` |
//! | setup and remove on virgin hosts | `it/kamal/remove.rs::a_virgin_host_is_as_it_was_once_the_project_is_removed` |
//! | two applications sharing a proxy | `it/routes/shared.rs::two_projects_share_a_proxy_and_not_a_name` |
//! | own certificate | `it/routes/life.rs::a_certificate_of_ones_own_serves_https` |
//! | app stop and start | `it/routes/stop.rs::what_was_asked_is_answered_before_it_stops_and_requests_come_back_with_it` |
//! | app restart | `it/routes/restart.rs::two_on_a_host_are_restarted_and_lose_no_request` |
//! | app exec | `it/exec.rs::all_at_once_is_told_with_names` |
//! | app maintenance | `it/routes/maintenance.rs::a_page_is_shown_until_it_is_switched_off_whatever_is_deployed` |
//! | parallel roles | `it/many.rs::five_hosts_are_updated_two_at_a_time` |
//! | error pages | `it/routes/maintenance.rs::a_page_is_shown_until_it_is_switched_off_whatever_is_deployed` |
//! | a bad image: the old version goes on | `it/failure.rs::a_failing_health_check_on_one_host_brings_the_old_version_back_everywhere` |
//! | a bad image: its logs | `it/failure.rs::the_failing_containers_last_lines_are_shown_to_people` |
//! | lock acquire and release | `it/lock.rs::a_lock_can_be_taken_by_hand_until_it_is_interrupted` |
//! | lock refuse | `it/lock.rs::the_second_deploy_is_refused_and_told_who_is_at_work` |
//! | proxy reboot | `it/routes/life.rs::a_proxy_that_was_removed_is_mended_and_one_that_was_restarted_goes_on` |
//! | accessory lifecycle with file modes | `it/kamal/accessory.rs::an_accessory_is_booted_inspected_rebooted_and_removed_by_its_name` |
//! | proxied accessory | `it/kamal/accessory.rs::an_accessory_has_a_route_and_deploys_of_the_application_leave_it_alone` |
//! | no lost request | `it/routes/steady.rs::twenty_updates_five_steps_back_and_a_failing_update_lose_no_request` |
//! | host lost in a deploy | `it/boundaries.rs::cut_off_from_the_host` |
//! | host without power | `it/failure.rs::a_host_without_power_is_named_and_the_others_go_on` |
//! | one of several fails | `it/many.rs::one_of_five_that_fails_brings_the_old_version_back_everywhere` |
//! | Ctrl-C | `it/interrupt.rs::after_an_interrupt_nothing_new_is_begun_and_the_next_deploy_goes_on` |
//! | registry authentication | `it/registry.rs::a_private_registry_gets_the_users_credentials` |
//! | disk full | `it/halfway.rs::a_full_disk_is_told_and_leaves_what_was_there` |
//! | prune | `it/releases.rs::what_nothing_needs_is_removed_and_nothing_else` |
//! | rollback to a missing release | `it/releases.rs::a_release_that_is_not_there_is_refused_with_those_that_are` |
//! | non-root user, more than three hosts | `it/many.rs::five_hosts_are_updated_two_at_a_time` |

mod accessory;
mod destinations;
mod remove;

#[test]
fn each_test_of_the_table_is_there() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let row = |line: &'static str| line.strip_prefix("//! | ")?.strip_suffix("` |")?.split_once(" | `");
    let rows: Vec<_> = include_str!("kamal.rs").lines().filter_map(row).collect();
    assert!(rows.len() > 30, "{rows:?}");
    for (scenario, test) in rows {
        let (file, name) = test.split_once("::").expect("a file and a name");
        let text = std::fs::read_to_string(tests.join(file)).unwrap_or_default();
        assert!(text.contains(&format!("#[test]\nfn {name}()")), "{scenario}: there is no {test}");
    }
}
