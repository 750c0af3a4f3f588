//! Images by way of a registry, and ready images.

use crate::support::Project;

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
