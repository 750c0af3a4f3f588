//! One-off containers that are like those of a service.

use crate::support::{Project, signal};

#[test]
fn it_is_like_the_service_and_is_gone_afterwards() {
    let project = Project::new("run");
    let service = format!(
        "{}env = {{ COLOUR = \"blue\" }}\nsecrets = [\"TOKEN\"]\nvolumes = [\"data:/data:shared\"]\n\
         [stages.secrets]\nprovider = \"env\"\n",
        project.web()
    );
    project.configure(&service);
    let secret = [("TOKEN", "s3cr3t-value")];
    project.run_with(&["deploy", "--yes"], &secret).expect(0);
    project.run_with(&["exec", "web", "touch", "/data/there"], &secret).expect(0);
    let script = "echo $COLOUR ${#TOKEN} $(cat /www/index.html); ls /data; hostname; exit 6";
    let outcome = project.run_with(&["run", "web", "--", "sh", "-c", script], &secret).expect(6);
    let outcome = outcome.says("in a new container like web.1 on h1");
    let mut lines = outcome.stdout.lines();
    assert_eq!((lines.next(), lines.next()), (Some("blue 12 one"), Some("there")));
    let all = project.all_containers();
    assert!(all.iter().all(|on_host| on_host.len() == 1), "{all:?}");
    assert!(!all[0][0].id.starts_with(lines.next().unwrap_or("?")), "a container of its own");

    let other = [("TOKEN", "another")];
    let outcome = project.run_with(&["run", "web", "--", "sh", "-c", "echo $TOKEN"], &other).expect(0);
    assert_eq!(outcome.says("secret `TOKEN` has another value").stdout, "another\n");
    project.run(&["run", "web", "true"]).expect(2).says("TOKEN");
}

#[test]
fn it_has_a_terminal_and_is_cleared_away_when_it_is_broken_off() {
    let project = Project::new("run-tty");
    project.configure(&project.web());
    project.run(&["run", "web", "true"]).expect(2).says("there is no container of `web`");
    project.deploy();
    let script = "test -t 0 && echo terminal; read line; echo \"<$line>\"; exit 4";
    let answers = [("terminal\r\n", "hello\r"), ("<hello>\r\n", "")];
    project.talks_on_terminal(&["run", "web", "--", "sh", "-c", script], &answers).expect(4);
    let command = project.command(&["run", "web", "--", "sh", "-c", "echo ready; exec sleep 600"]);
    signal(command, "ready", "kill -TERM").expect(130);
    let all = project.all_containers();
    assert!(all.iter().all(|on_host| on_host.len() == 1), "{all:?}");
    project.run(&["run", "wbe", "true"]).expect(2).says("did you mean `web`?");
}

#[test]
fn what_a_killed_one_leaves_is_listed_and_pruned() {
    let project = Project::new("run-killed");
    project.configure(&project.web());
    project.deploy();
    let begin = |script: &str| {
        let command = project.command(&["run", "web", "--", "sh", "-c", script]);
        signal(command, "ready", "kill -KILL");
    };
    begin("echo ready; exec sleep 5555");
    let listed = project.run(&["ps", "web"]).expect(0).stdout;
    let row = listed.lines().find(|line| line.starts_with("web (run)")).unwrap_or_else(|| panic!("{listed}"));
    let name = row.split_whitespace().last().unwrap_or_default();
    assert!(row.contains("running") && name.starts_with(&format!("{}-run-web-", project.name)), "{row}");
    assert!(!project.run(&["ps", "web.1"]).expect(0).stdout.contains("(run)"), "that is no instance");
    project.run(&["prune", "--yes"]).expect(0).says(&format!("`cloudpad prune {name}` ends it"));
    project.run(&["prune", "--yes", "nothing"]).expect(2).says("there is no one-off container `nothing`");
    project.run(&["prune", "--yes", name]).expect(0);
    begin("echo ready; exec sleep 1");
    let ids = project.lab.host(1).run(&format!("docker ps -aq --filter name={}-run-", project.name));
    project.lab.host(1).run(&format!("docker wait {ids}"));
    let all = || project.run(&["ps", "--all"]).expect(0).stdout;
    assert!(all().contains("web (run)"), "{}", all());
    project.run(&["prune", "--yes"]).expect(0);
    assert!(!all().contains("web (run)"), "{}", all());
}
