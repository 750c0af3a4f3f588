//! Plans: shown, counted, saved, out of date. And what is refused before anything is touched.

use serde_json::Value;

use crate::support::Project;

#[test]
fn a_plan_changes_nothing_and_says_whether_there_is_something_to_do() {
    let project = Project::new("plan");
    project.configure(&project.web());
    let shown = project.run(&["plan"]).expect(0);
    assert!(shown.stdout.contains("3 to create"), "{}", shown.text());
    project.run(&["plan", "--exit-code"]).expect(3);
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    project.deploy();
    let shown = project.run(&["plan", "--exit-code"]).expect(0);
    assert!(shown.stdout.contains("nothing to do"), "{}", shown.text());
}

#[test]
fn the_same_plan_is_the_same_text() {
    let project = Project::new("same");
    project.configure(&project.web());
    let changes = || {
        let plan: Value =
            serde_json::from_str(&project.run(&["plan", "--json"]).expect(0).stdout).expect("JSON");
        plan["changes"].clone()
    };
    assert_eq!(changes(), changes());
}

#[test]
fn a_saved_plan_is_carried_out_while_it_is_true_and_refused_after() {
    let project = Project::new("saved");
    project.configure(&project.web());
    project.run(&["plan", "--out", ".cloudpad/plan.json"]).expect(0);
    project.run(&["deploy", "--yes", "--plan", ".cloudpad/plan.json"]).expect(0);
    project.serves("one");
    let before = project.all_containers();
    project.run(&["deploy", "--yes", "--plan", ".cloudpad/plan.json"]).expect(2);
    assert_eq!(project.all_containers(), before);
}

#[test]
fn a_plan_is_not_saved_where_it_would_change_what_it_is_about() {
    let project = Project::new("savedin");
    project.configure(&project.web());
    project.run(&["plan", "--out", "plan.json"]).expect(2).says("`web`").says(".dockerignore");
    assert!(!project.path("plan.json").exists());
    project.write(".dockerignore", "plan.json\n");
    project.run(&["plan", "--out", "plan.json"]).expect(0);
    project.run(&["deploy", "--yes", "--plan", "plan.json"]).expect(0);
    project.serves("one");
}

#[test]
fn a_mistyped_service_is_told_before_any_host_is_asked() {
    let project = Project::new("mistyped");
    project.configure_hosts("[hosts.gone]\naddress = \"nobody.invalid\"\n", &project.web());
    let outcome = project.run(&["ps", "--service", "wbe"]).expect(2).says("did you mean `web`?");
    assert!(!outcome.stderr.contains("nobody.invalid"), "{}", outcome.text());
}

#[test]
fn without_a_terminal_nothing_is_done_unless_yes_is_said() {
    let project = Project::new("yes");
    project.configure(&project.web());
    project.run(&["deploy"]).expect(2).says("--yes");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
}

#[test]
fn a_broken_config_is_refused_with_all_its_problems_and_their_places() {
    let project = Project::new("broken");
    project.configure(&(project.web() + "replicsa = 2\nrestart = \"sometimes\"\n"));
    let outcome =
        project.run(&["deploy", "--yes"]).expect(2).says("replicsa").says("replicas").says("sometimes");
    assert!(outcome.stderr.contains("Cloudpad.toml:"), "{}", outcome.text());
    project.run(&["check"]).expect(2).says("replicsa");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
}

#[test]
fn what_a_provider_cannot_work_with_is_refused_before_anything_is_touched() {
    let project = Project::new("providers");
    project.configure(&project.web());
    let text = std::fs::read_to_string(project.path("Cloudpad.toml")).expect("a config");
    let misspelt = text.replace("ssh_config", "ssh_confg");
    assert_ne!(text, misspelt);
    project.write("Cloudpad.toml", misspelt);
    project.run(&["check"]).expect(2).says("ssh_confg").says("did you mean `ssh_config`?");
    project.configure(&(project.web() + "[stages.push]\nprovider = \"registry\"\n"));
    for command in [&["check"][..], &["deploy", "--yes"]] {
        project.run(command).expect(2).says("registry");
    }
}

#[test]
fn a_good_config_is_said_to_be_fine() {
    let project = Project::new("fine");
    project.configure(&project.web());
    project.run(&["check"]).expect(0);
}

#[test]
fn programs_are_told_why_nothing_was_done() {
    let project = Project::new("refused");
    project.configure(&(project.web() + "replicsa = 2\n"));
    for command in [&["check", "--json"][..], &["plan", "--json"], &["deploy", "--yes", "--json"]] {
        let outcome = project.run(command).expect(2).says("replicsa");
        let refused = outcome.events().pop().expect("a line");
        let problem = &refused["problems"][0];
        let text = std::fs::read_to_string(project.path("Cloudpad.toml")).expect("a config");
        let line = text.lines().position(|line| line.starts_with("replicsa")).map(|at| at + 1);
        assert_eq!(refused["event"], "refused", "{}", outcome.text());
        assert_eq!(problem["file"], "Cloudpad.toml");
        assert_eq!(
            (problem["line"].as_u64().map(|n| n as usize), problem["column"].as_u64()),
            (line, Some(1))
        );
    }
    let outcome = project.run(&["deploy", "--nosuch", "--json"]).expect(2).says("Usage:");
    let refused = outcome.events().pop().expect("a line");
    assert_eq!(refused["problems"][0]["message"], "unexpected argument '--nosuch' found");
    project.configure(&project.web());
    let outcome = project.run(&["deploy", "--yes", "--json", "--host", "nobody"]).expect(2);
    let refused = outcome.events().pop().expect("a line");
    assert!(refused["problems"][0]["message"].as_str().is_some_and(|m| m.contains("nobody")), "{refused}");
    assert_eq!(project.run(&["check", "--json"]).expect(0).stdout, "{\"problems\":[]}\n");
}

#[test]
fn where_nothing_can_be_written_one_can_look_and_not_change() {
    let project = Project::new("readonly");
    project.configure(&project.web());
    project.deploy();
    // Whoever runs the tests may write to any directory, but not below a file.
    std::fs::remove_dir_all(project.path(".cloudpad")).expect("it is there");
    project.write(".cloudpad", "");
    for command in ["plan", "ps", "releases", "history", "logs", "config"] {
        project.run(&[command]).expect(0);
    }
    project.run(&["-v", "ps"]).expect(0).says("nothing is kept of this run");
    project.run(&["deploy", "--yes"]).expect(2).says("cannot make the directory");
}
