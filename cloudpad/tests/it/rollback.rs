//! Containers of the last releases stay on the hosts, and no more than were asked for.

use crate::support::Project;

#[test]
fn as_many_old_containers_and_images_stay_as_were_asked_for() {
    let project = Project::new("keep");
    project.configure(&(project.web() + "[deploy]\nkeep = 1\n"));
    for page in ["one", "two", "three", "four"] {
        project.page(page);
        project.deploy();
    }
    project.serves("four");
    for number in 1..=3 {
        assert_eq!(project.containers(number).len(), 2, "one that runs and one that is kept");
        let images = project.lab.host(number).run("docker images --format '{{.Repository}}'");
        let ours = images.lines().filter(|image| *image == format!("{}.web", project.name)).count();
        assert_eq!(ours, 4, "two images, each by its content and by its release: {images}");
    }
}

#[test]
fn going_back_to_an_earlier_version_starts_what_was_kept() {
    let project = Project::new("back");
    project.configure(&project.web());
    project.deploy();
    let first = project.running(1);
    project.page("two");
    project.deploy();
    project.page("one");
    let outcome = project.deploy();
    project.serves("one");
    assert_eq!(
        (outcome.count("build.run"), outcome.report()["sent"].clone()),
        (0, 0.into()),
        "{}",
        outcome.text()
    );
    assert_eq!(project.running(1)[0].id, first[0].id);
}
