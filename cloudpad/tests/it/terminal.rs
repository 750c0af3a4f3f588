//! What a person sees and is asked on a terminal.

use crate::support::Project;

#[test]
fn a_person_is_shown_the_plan_and_asked() {
    let project = Project::new("asked");
    project.configure(&project.web());
    let refused = project.on_terminal(&["deploy"], "n\n").expect(2);
    let refused = refused.says("3 to create").says("go ahead?").says("nothing was done");
    assert!(!refused.stderr.contains("starting"), "{}", refused.text());
    assert_eq!(project.all_containers(), vec![vec![]; 3]);

    project.on_terminal(&["deploy", "--quiet"], "\n").expect(2).says("3 to create").says("nothing was done");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);

    project.on_terminal(&["deploy"], "y\n").expect(0);
    project.serves("one");
}

#[test]
fn an_interrupt_is_an_answer() {
    let project = Project::new("ctrlc");
    project.configure(&project.web());
    project
        .interrupted_on_terminal(&["deploy"], "[y/N] ")
        .expect(130)
        .says("stopped before anything was done");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
}

#[test]
fn each_host_has_a_line_while_something_is_done_there() {
    let project = Project::new("bars");
    project.configure(&project.web());
    let shown = project.on_terminal(&["deploy", "--yes"], "").expect(0);
    let shown = shown.says("building").says("h1: sending").says("h2: starting").says("h3: waiting");
    // A bar goes over its own line again and again; plain text never does.
    assert!(shown.stdout.contains("\u{1b}[2K"), "{}", shown.text());
    let plain = project.run(&["deploy", "--yes"]).expect(0);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.text());
    let quiet = project.on_terminal(&["deploy", "--yes", "--quiet"], "").expect(0);
    assert_eq!(quiet.stdout, "");
}
