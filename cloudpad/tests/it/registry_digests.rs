//! Ready images are what their registries have when a plan is made, and stay that.

use crate::real::{Place, Registry};
use crate::support::{Lab, Project, docker};

/// A service of the ready image `reference` that serves what the image has for `/page`.
fn configure(project: &Project, reference: &str) {
    project.configure(&format!(
        "[images.page]\nreference = \"{reference}\"\n[services.page]\nports = [\"{}:8080\"]\n\
         command = [\"sh\", \"-c\", \"mkdir /www; cp /page /www/index.html; exec httpd -f -p 8080 -h /www\"]\n\
         stop_signal = \"SIGKILL\"\nhealth = {{ tcp = 8080, interval = \"200ms\" }}\n",
        project.port
    ));
}

/// Makes an image whose `/page` says so, under that reference of this machine.
fn make(lab: &Lab, reference: &str, page: &str) {
    let container = docker(&["create", &lab.base_image, "none"]);
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("page"), page).expect("a file");
    docker(&["cp", &dir.path().join("page").display().to_string(), &format!("{container}:/page")]);
    docker(&["commit", &container, reference]);
    docker(&["rm", &container]);
}

fn publish(lab: &Lab, reference: &str, page: &str) {
    make(lab, reference, page);
    docker(&["push", "--quiet", reference]);
    docker(&["rmi", reference]);
}

#[test]
fn a_moved_tag_is_an_update_and_a_rollback_gives_what_was() {
    let project = Project::new("digests");
    let registry = Registry::tls();
    let _trusted = registry.trusted();
    let reference = format!("{}/{}/page:1", registry.address, project.name);
    publish(&project.lab, &reference, "one");
    configure(&project, &reference);
    let folder = format!("/etc/docker/certs.d/{}", registry.address);
    for host in &project.lab.hosts {
        host.run(&format!("mkdir -p {folder} && printf %s '{}' >{folder}/ca.crt", registry.ca()));
    }
    project.deploy();
    project.serves("one");
    let image = project.running(1).remove(0).image;
    assert!(image.starts_with(&format!("{reference}@sha256:")), "{image}");
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");

    publish(&project.lab, &reference, "two");
    let plan = project.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("page.1") && plan.stdout.contains("image"), "{}", plan.text());
    project.deploy();
    project.serves("two");

    drop(registry);
    let plan = project.run(&["plan"]).expect(0);
    assert!(plan.text().contains("stays what it was: could not look for"), "{}", plan.text());
    project.run(&["rollback", "--yes"]).expect(0);
    project.serves("one");
    for number in 1..=3 {
        assert_eq!(project.running(number).remove(0).image, image);
    }
    for host in &project.lab.hosts {
        host.run(&format!("rm -r {folder}"));
    }
}

#[test]
fn an_image_that_only_hosts_have_goes_on_working_and_one_that_nobody_has_is_refused() {
    let project = Project::new("nowhere");
    let registry = Registry::open(Place::Elsewhere);
    let reference = format!("{}/{}/page:1", registry.address, project.name);
    configure(&project, &reference);
    let refused = project.run(&["deploy", "--yes"]).expect(2);
    let words = format!("could not look for `{reference}`");
    assert!(refused.stderr.contains(&words), "{}", refused.text());
    assert!(refused.stderr.contains("`insecure-registries`"), "{}", refused.text());
    assert!(project.containers(1).is_empty());

    make(&project.lab, &reference, "one");
    for host in &project.lab.hosts {
        let sent = format!("docker save {reference} | docker exec -i {} docker load", host.container);
        let loaded = std::process::Command::new("sh").args(["-c", &sent]).status().expect("a shell");
        assert!(loaded.success());
    }
    docker(&["rmi", &reference]);
    project.deploy();
    project.serves("one");
    assert_eq!(project.running(1).remove(0).image, reference);
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
}
