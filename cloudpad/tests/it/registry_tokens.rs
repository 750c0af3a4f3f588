//! A registry as most are: with TLS, an authority of its own, and tokens.

use crate::real::{Place, Registry};
use crate::support::Project;

/// `ann:right`.
const ANN: &str = "YW5uOnJpZ2h0";

#[test]
fn tokens_are_for_what_is_pushed_and_what_hosts_pull() {
    let project = Project::new("tokens");
    let registry = Registry::token(Place::Elsewhere);
    let _trusted = registry.trusted();
    let hosts: Vec<_> = project.lab.hosts.iter().take(2).collect();
    let folder = format!("/etc/docker/certs.d/{}", registry.address);
    let mut table = String::new();
    for host in &hosts {
        host.run(&format!("mkdir -p {folder} && printf %s '{}' >{folder}/ca.crt", registry.ca()));
        table += &format!("[hosts.{0}]\naddress = \"{0}\"\n", host.name);
    }
    let push = format!(
        "[stages.push]\nprovider = \"registry\"\nconfig = {{ registry = \"{}\", namespace = \"team/{}\" }}\n{}",
        registry.address,
        project.name,
        project.web()
    );
    project.configure_hosts(&table, &push);
    let refused = project.run(&["deploy", "--yes"]).expect(1);
    assert!(refused.stderr.contains("without credentials"), "{}", refused.text());
    assert!(refused.stderr.contains(&format!("docker login {}", registry.address)), "{}", refused.text());

    let login = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{ANN}\"}}}}}}", registry.address);
    project.write_home(".docker/config.json", &login);
    let outcome = project.deploy();
    assert_eq!((outcome.count("push.run"), outcome.count("deploy.pull")), (1, 2), "{}", outcome.text());
    for number in 1..=hosts.len() {
        assert_eq!(project.get(number), Ok((200, "one".to_owned())));
    }
    let given = registry.tokens();
    let repository = format!("team/{0}/{0}.web", project.name);
    for actions in ["pull", "pull,push"] {
        let token = format!("given ann {repository}:{actions}");
        assert!(given.contains(&token), "no `{token}` in {given:?}");
    }
    assert!(!outcome.stdout.contains("right") && !outcome.stdout.contains(ANN), "a password in the events");
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
    for host in hosts {
        host.run(&format!("rm -r {folder}"));
    }
}
