//! What `cloudpad init` begins, built and deployed.

use std::fs;

use crate::support::Project;

#[test]
fn a_monorepo_is_built_on_a_base_of_its_own_and_serves() {
    let project = Project::new("begun");
    project.run(&["init", "--template", "monorepo"]).expect(0).says("wrote base/Dockerfile");
    let read = |name: &str| fs::read_to_string(project.path(name)).expect("it was written");
    // No image can be had from elsewhere here, and the lab's host takes the place of this machine.
    let base = read("base/Dockerfile");
    assert!(base.contains("FROM busybox:1.37\n"), "{base}");
    project.write("base/Dockerfile", base.replace("busybox:1.37", &project.lab.base_image));
    let config = read("Cloudpad.toml").replace("\"8080:8080\"", &format!("\"{}:8080\"", project.port));
    let begun = config.find("[images.base]").expect("the images");
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &config[begun..]);
    // Secrets beside the code are no part of the image.
    project.write("web/.env", "TOKEN=hush\n");
    project.write("web/Dockerfile", read("web/Dockerfile").replace("EXPOSE", "COPY . /app\nEXPOSE"));
    project.deploy();
    assert_eq!(project.get(1), Ok((200, "The web runs.".to_owned())));
    let asked = project.run(&["exec", "web", "--", "sh", "-c", "wget -q -O - $API"]).expect(0);
    assert!(asked.stdout.contains("The api runs."), "{}", asked.text());
    let files = project.run(&["exec", "web", "--", "ls", "-A", "/app"]).expect(0);
    assert_eq!(files.stdout, ".dockerignore\nDockerfile\n");
    project.run(&["init"]).expect(2).says("`Cloudpad.toml` is there already");
}
