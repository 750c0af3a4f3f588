//! Images by way of a registry, and ready images.

use crate::support::{Project, noise};

#[test]
fn a_ready_image_is_pulled_by_the_hosts() {
    let project = Project::new("ready");
    let image = &project.lab.base_image;
    project.configure(&format!(
        "[images.page]\nreference = \"{image}\"\n[services.page]\nports = [\"{}:8080\"]\n\
         command = [\"sh\", \"-c\", \"mkdir /www; printf ready > /www/index.html; exec httpd -f -p 8080 -h /www\"]\n\
         stop_signal = \"SIGKILL\"\nhealth = {{ tcp = 8080, interval = \"200ms\" }}\n",
        project.port
    ));
    let outcome = project.deploy();
    project.serves("ready");
    assert_eq!(outcome.report()["sent"], 0);
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
}

fn pushed_to(project: &Project, registry: &str) -> String {
    format!(
        "[stages.push]\nprovider = \"registry\"\n[stages.push.config]\nregistry = \"{registry}\"\nnamespace = \"{}\"\n{}",
        project.name,
        project.web()
    )
}

#[test]
fn images_go_to_a_registry_and_are_pulled_by_digest() {
    let project = Project::new("registry");
    project.configure(&pushed_to(&project, &project.lab.registry));
    let outcome = project.deploy();
    project.serves("one");
    assert_eq!((outcome.count("push.run"), outcome.count("deploy.pull")), (1, 3));
    let pull = outcome
        .events()
        .into_iter()
        .find(|e| e["event"] == "done" && e["method"] == "push.run")
        .expect("a push");
    assert!(pull.to_string().contains("@sha256:"), "{pull}");
    let digests = project.lab.host(2).run("docker images --digests --format '{{.Repository}} {{.Digest}}'");
    assert!(
        digests.lines().any(|line| line.contains(&project.name) && line.contains("sha256:")),
        "{digests}"
    );

    let again = project.deploy();
    assert_eq!(again.report()["ending"], "nothing_to_do");
    project.page("two");
    project.deploy();
    project.serves("two");
}

#[test]
fn an_image_that_the_engine_does_not_list_is_known_and_removed_in_time() {
    let project = Project::new("unlisted");
    // A layer that no other test has, straight to the host. What is pulled on top of it later lacks a blob there.
    project.write("base", noise(100_000));
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("Dockerfile", dockerfile.replace("COPY www", "COPY base /base\nCOPY www"));
    let on_h3 = "[hosts.h3]\naddress = \"h3\"\n";
    let service = "[images.web]\n[services.web]\n";
    let keep = "[deploy]\nkeep = 1\nsettle = \"100ms\"\n";
    project.configure_hosts(on_h3, &format!("{service}{keep}"));
    project.deploy();
    let registry = pushed_to(&project, &project.lab.registry).replace(&project.web(), "");
    let configure =
        |count| project.configure_hosts(on_h3, &format!("{registry}{service}per_host = {count}\n{keep}"));
    configure(1);
    project.page("two");
    project.deploy();
    let image = project.running(3).remove(0).image;
    let host = project.lab.host(3);
    let listed = host.run("docker images --format '{{.Repository}}:{{.Tag}}'");
    assert!(!listed.contains(&image), "the engine lists it, so this tests nothing: {listed}");

    configure(2);
    let more = project.deploy();
    assert_eq!((more.count("push.run"), more.count("deploy.pull")), (0, 0), "{}", more.text());
    for page in ["three", "four"] {
        project.page(page);
        project.deploy();
    }
    let left = host.run(&format!("docker image inspect {image} 2>&1 || :"));
    assert!(left.contains("No such image"), "{left}");
    let digests = host.run("docker images --digests --format '{{.Repository}}@{{.Digest}}'");
    assert!(!digests.contains(&format!("{}/", project.name)), "a name by digest is left: {digests}");
}

#[test]
fn a_private_registry_gets_the_users_credentials() {
    let project = Project::new("private");
    let registry = project.lab.registry_tls.clone();
    project.configure(&pushed_to(&project, &registry));
    let refused = project.run(&["deploy", "--yes"]).expect(1);
    assert!(refused.stderr.contains(&registry), "{}", refused.text());
    assert_eq!(project.all_containers(), vec![vec![]; 3]);

    let login = base64(&format!("{}:{}", project.lab.registry_user, project.lab.registry_password));
    project.write_home(
        ".docker/config.json",
        &format!("{{\"auths\":{{\"{registry}\":{{\"auth\":\"{login}\"}}}}}}"),
    );
    let outcome = project.deploy();
    project.serves("one");
    assert!(!outcome.stdout.contains(&project.lab.registry_password), "a password in the events");
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let number =
            bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        let digit = |place: usize| char::from(DIGITS[(number >> (18 - 6 * place)) as usize & 63]);
        (0..4).map(|place| if place <= bytes.len() { digit(place) } else { '=' }).collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}
