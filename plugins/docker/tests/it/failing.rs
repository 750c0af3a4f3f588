//! Builds that do not work, and what is said of them.

use std::collections::BTreeMap;

use cloudpad_plugin_api::FailureKind;

use crate::support::{Project, run};

#[test]
fn a_failing_step_is_named_with_its_last_lines_and_its_exit_code() {
    let project = Project::new("failing", "FROM BASE\nRUN seq 1 50; echo last words; exit 7\n");
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(
        failure.message.contains("RUN seq 1 50") && failure.message.ends_with("exit code 7"),
        "{failure:#?}"
    );
    assert_eq!(failure.causes.len(), 30);
    assert_eq!(failure.causes.last().unwrap(), "last words");
    assert_eq!(failure.causes[0], "22");
    assert!(!project.observe().built);
}

#[test]
fn what_the_dockerfile_gets_wrong_is_said() {
    for (name, dockerfile, want) in [
        ("syntax", "FROM BASE\nRUM echo\n", "RUM"),
        ("nofile", "FROM BASE\nCOPY missing /x\n", "missing"),
        ("nostage", "FROM BASE\nCOPY --from=nowhere:1 /x /x\n", "nowhere"),
    ] {
        let failure = Project::new(name, dockerfile).try_build().unwrap_err();
        let text = format!("{failure:?}");
        assert!(text.contains(want), "{name}: {failure:#?}");
        assert!(failure.message.contains(&format!("`{name}`")), "{failure:#?}");
    }
}

#[test]
fn a_target_that_is_not_there_is_said_before_anything_is_built() {
    let mut project = Project::new("notarget", "FROM BASE AS one\n");
    project.recipe.target = Some("two".into());
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.contains("no stage `two`"), "{failure:#?}");
    // What a pinned source has is known only when it is built.
    project.recipe.source.pinned = true;
    project.recipe.source.revision = Some("0123456789".into());
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("no stage `two`"), "{failure:#?}");
}

#[test]
fn files_that_are_not_there_or_make_no_sense_are_named() {
    let mut project = Project::new("nodockerfile", "FROM BASE\n");
    project.recipe.dockerfile = "Elsewhere".into();
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.contains("/Elsewhere`") && failure.hint.is_some(), "{failure:#?}");
    project.recipe.dockerfile = "Dockerfile".into();
    project.write(".dockerignore", "ok\n[\n");
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.contains(".dockerignore`, line 2"), "{failure:#?}");
    project.recipe.context = "nowhere".into();
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.contains("/nowhere`"), "{failure:#?}");
}

#[test]
fn images_in_a_circle_are_refused() {
    use cloudpad_plugin_api::stage::build::Arg;
    let mut one = Project::new("one", "FROM BASE\n");
    let mut two = Project::new("two", "FROM BASE\n");
    one.arg("B", Arg::Image("two".into()));
    two.arg("B", Arg::Image("one".into()));
    let failure = one.observe_all(&[&one.recipe, &two.recipe]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.ends_with("`one` → `two` → `one`"), "{failure}");
}

#[test]
fn more_than_one_platform_is_refused_before_anything_is_done() {
    let mut project = Project::new("platforms", "FROM BASE\n");
    project.recipe.platforms = vec!["linux/amd64".into(), "linux/arm64".into()];
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("linux/arm64"), "{failure}");
}

#[test]
fn a_cache_that_the_engine_cannot_export_is_said_in_a_clear_word() {
    let mut project = Project::new("cacheto", "FROM BASE\nRUN echo y > /y\n");
    project.recipe.cache_to = Some("127.0.0.1:9/cache:1".into());
    let failure = project.try_build().unwrap_err();
    assert!(failure.message.contains("cannot export the build cache"), "{failure:#?}");
    assert!(failure.hint.unwrap().contains("inline"));
}

#[test]
fn a_cancelled_build_ends_in_the_engine_too() {
    let mark = format!("cloudpad-cancel-{}", std::process::id());
    let project = Project::new("cancelled", &format!("FROM BASE\nRUN echo begun; sleep 1000; echo {mark}\n"));
    let reference = project.observe().reference;
    let failure = std::thread::scope(|scope| {
        let building = scope.spawn(|| project.run(&reference, BTreeMap::new()));
        while !project.output().iter().any(|(_, line)| line == "begun") {
            assert!(!building.is_finished(), "{:?}", building.join());
            std::thread::yield_now();
        }
        assert!(is_running(&mark));
        project.cancel.cancel();
        building.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Cancelled);
    while is_running(&mark) {
        std::thread::yield_now();
    }
}

/// Whether the step that mentions `mark` has a process.
fn is_running(mark: &str) -> bool {
    let processes = run("ps", &["-eo", "args"]).stdout;
    String::from_utf8_lossy(&processes).lines().any(|line| line.starts_with("/bin/sh") && line.contains(mark))
}

#[test]
fn an_engine_that_is_not_there_is_unreachable() {
    let mut project = Project::new("noengine", "FROM BASE\n");
    let nowhere = project.path().join("no.sock").to_str().unwrap().to_owned();
    project.docker = cloudpad_docker::Docker::at(cloudpad_engine::Endpoint::Unix(nowhere.clone()));
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.to_string().contains(&nowhere), "{failure:#?}");
}
