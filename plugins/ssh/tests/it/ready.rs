//! Waiting until a container serves: every kind of check, passing and failing.

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::model::{Check, Restart};

use crate::world::{World, health};

const SERVER: &str = "echo serving; exec httpd -f -p 8080 -h /www";

fn http(path: &str) -> Check {
    Check::Http { port: 8080, path: path.into() }
}

fn command(script: &str) -> Check {
    Check::Command { command: ["sh", "-c", script].map(str::to_owned).to_vec() }
}

#[test]
fn an_answer_to_get_is_ready() {
    let world = World::new("http");
    // What answers the first try hangs up on it, whenever that comes.
    let name = world.run("web", world.script(&format!("nc -l -p 8080 </dev/null; {SERVER}")));
    let tries = world.ready(&name, health(http("/up"))).unwrap().tries;
    assert!(tries > 1, "the first try was not answered, yet {tries} was enough");
}

#[test]
fn a_wrong_answer_is_told_with_the_last_log_lines() {
    let world = World::new("http404");
    let name = world.run("web", world.script(SERVER));
    let failure = world.ready_within(&name, health(http("/down")), 3_000).unwrap_err();
    assert!(failure.message.contains("`GET /down` on port 8080 answered 404, and 3 s are over"), "{failure}");
    let hint = failure.hint.unwrap();
    assert!(hint.contains("`ready_timeout` in `[deploy]`") && hint.contains("`health`"), "{hint}");
    assert_eq!(failure.causes, ["serving"]);
}

#[test]
fn an_open_port_is_ready_and_a_closed_one_is_not() {
    let world = World::new("tcp");
    let name = world.run("web", world.script(SERVER));
    world.ready(&name, health(Check::Tcp { port: 8080 })).unwrap();
    let failure = world.ready_within(&name, health(Check::Tcp { port: 8081 }), 300).unwrap_err();
    assert!(failure.message.contains("nothing listens on port 8081 in the container"), "{failure}");
    assert!(failure.causes[0].contains("Connection refused"), "{failure}");
}

#[test]
fn the_hosts_network_is_reached_at_the_host() {
    let world = World::new("hostnet");
    let mut spec = world.script("exec httpd -f -p 127.0.0.1:18473 -h /www");
    spec.networks = vec!["host".into()];
    let name = world.run("web", spec);
    world.ready(&name, health(Check::Http { port: 18_473, path: "/up".into() })).unwrap();
}

#[test]
fn a_container_without_a_network_cannot_be_asked() {
    let world = World::new("nonet");
    let mut spec = world.script("exec sleep 600");
    spec.networks = vec!["none".into()];
    let name = world.run("web", spec);
    assert_eq!(world.ready(&name, health(http("/up"))).unwrap_err().kind, FailureKind::Invalid);
}

#[test]
fn a_command_that_passes_is_ready() {
    let world = World::new("cmd");
    let mut spec = world.script("sleep 0.3; echo x > /flag; exec sleep 600");
    spec.health = health(command("cat /flag"));
    let name = world.run("web", spec.clone());
    world.ready(&name, spec.health).unwrap();
}

#[test]
fn a_command_that_fails_is_unhealthy() {
    let world = World::new("cmdfail");
    let mut spec = world.script("echo trouble; exec sleep 600");
    spec.health = health(command("echo no database; exit 7"));
    let name = world.run("web", spec.clone());
    let failure = world.ready(&name, spec.health).unwrap_err();
    assert!(failure.message.contains("its health check fails"), "{failure}");
    let check = "health check `sh -c echo no database; exit 7`:";
    assert_eq!(failure.causes, [check, "exit code 7: no database", "trouble"]);
}

#[test]
fn a_check_without_a_verdict_in_time_is_a_failure() {
    let world = World::new("cmdslow");
    let mut spec = world.script("exec sleep 600");
    spec.health = health(command("sleep 30"));
    let name = world.run("web", spec.clone());
    let failure = world.ready_within(&name, spec.health, 400).unwrap_err();
    assert!(
        failure.message.contains("its health check has not passed yet, and 400 ms are over"),
        "{failure}"
    );
}

#[test]
fn the_images_own_check_counts() {
    let world = World::with_image("image", &["HEALTHCHECK --interval=200ms CMD [\"true\"]"]);
    let name = world.run("web", world.script("exec sleep 600"));
    world.ready(&name, health(Check::Image)).unwrap();
}

#[test]
fn an_image_without_a_check_is_named() {
    let world = World::new("nocheck");
    let name = world.run("web", world.script("exec sleep 600"));
    let failure = world.ready(&name, health(Check::Image)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("HEALTHCHECK"), "{failure}");
}

#[test]
fn an_end_is_told_at_once_with_its_code_and_words() {
    let world = World::new("ends");
    for (service, check) in
        [("settle", None), ("http", health(http("/up"))), ("image", health(command("true")))]
    {
        let mut spec = world.script("echo goodbye; sleep 0.2; exit 3");
        spec.restart = Restart::No;
        spec.health = check.clone().filter(|health| matches!(health.check, Check::Command { .. }));
        if let Some(health) = &mut spec.health {
            health.interval_ms = 60_000;
        }
        let name = world.run(service, spec);
        let failure = world.ready_within(&name, check, 60_000).unwrap_err();
        assert!(failure.message.contains("ended with exit code 3"), "{service}: {failure}");
        assert_eq!(failure.causes, ["goodbye"], "{service}");
    }
}

#[test]
fn a_crash_loop_does_not_settle() {
    let world = World::new("loop");
    let name = world.run("web", world.script("echo again; exit 4"));
    let failure = world.ready(&name, None).unwrap_err();
    assert!(failure.message.contains("ended"), "{failure}");
    assert!(failure.causes.contains(&"again".to_owned()));
}

#[test]
fn earlier_crashes_do_not_count_after_a_new_start() {
    let world = World::new("revive");
    let request =
        world.start_request("web", world.script("[ -e /flag ] && exec sleep 600; echo x > /flag; exit 1"));
    let name = &request.container;
    world.start(&request).unwrap();
    assert!(world.ready(name, None).is_err(), "it crashed once, and runs since");
    world.stop(name).unwrap();
    world.start(&request).unwrap();
    world.ready(name, None).unwrap();
}

#[test]
fn waiting_ends_when_the_caller_asks() {
    let world = World::new("cancel");
    let name = world.run("web", world.script("exec sleep 600"));
    let cancel = world.cancel.clone();
    let failure = std::thread::scope(|scope| {
        scope.spawn(move || cancel.cancel());
        world.ready_within(&name, health(http("/up")), 600_000).unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Cancelled);
}
