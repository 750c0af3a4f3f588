//! Services that deploys leave alone unless they are named: a database with its volume and its secret.

use crate::support::{Container, Project};

/// What a database does here: it counts its starts in its volume, and serves them.
const COUNT: &str = "echo start >> /data/starts; exec httpd -f -p 8080 -h /data";

/// `web` and the database `db`, both on h1, with a port each.
fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    project.write(".env", "password=s3cret-of-db\n");
    project.write(".dockerignore", ".env\n");
    configure(&project, &database(&project, ""));
    project
}

fn configure(project: &Project, services: &str) {
    let web = format!("{}networks = [\"default\"]\n", project.web());
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &format!("{web}{services}"));
}

fn database(project: &Project, more: &str) -> String {
    format!(
        "[services.db]\nimage = \"web\"\ncommand = '{COUNT}'\nports = [\"{}:8080\"]\nvolumes = [\"data:/data\"]\n\
         secrets = {{ PASSWORD = \"password\" }}\nhealth = {{ tcp = 8080, interval = \"200ms\" }}\n\
         update = \"stop-first\"\nprotected = true\n{more}",
        project.port + 1
    )
}

fn of(project: &Project, instance: &str) -> Vec<Container> {
    project.containers(1).into_iter().filter(|c| c.instance == instance).collect()
}

/// How often the database has begun on its volume.
fn starts(project: &Project) -> usize {
    let name = format!("{}.data", project.name);
    let script = format!("wc -l < $(docker volume inspect --format '{{{{.Mountpoint}}}}' {name})/starts");
    project.lab.host(1).run(&script).trim().parse().expect("a number")
}

#[test]
fn a_database_is_left_alone_by_five_deploys_and_replaced_by_its_name() {
    let project = project("dbalone");
    project.deploy();
    let before = of(&project, "db.1");
    for page in ["two", "three", "four", "five", "six"] {
        // The image of both is another by this.
        project.page(page);
        let outcome = project.run(&["deploy", "--yes"]).expect(0);
        let told = format!("`{}` on `h1` is protected, and stays as it is", before[0].name);
        let outcome = outcome.says(&told).says("(image); `cloudpad deploy --service db` replaces it");
        assert_eq!(of(&project, "db.1"), before, "{}", outcome.text());
        assert_eq!(project.get(1), Ok((200, page.to_owned())));
    }
    assert_eq!(starts(&project), 1);
    let plan = project.run(&["plan", "--exit-code"]).expect(0);
    assert!(plan.stdout.contains("nothing to do: everything else is as it should be"), "{}", plan.text());
    project.run(&["plan", "--exit-code", "--service", "d*"]).expect(0);
    project.run(&["plan", "--exit-code", "--service", "db"]).expect(3);
    project.run(&["deploy", "--yes", "--service", "db"]).expect(0);
    let after = of(&project, "db.1");
    assert!(after.iter().any(|c| c.running && c.id != before[0].id), "{after:?}");
    assert_eq!(starts(&project), 2, "on the data of the one before");
}

#[test]
fn a_database_that_was_killed_is_started_again() {
    let project = project("dbkilled");
    project.deploy();
    let before = of(&project, "db.1").remove(0);
    project.lab.host(1).run(&format!("docker kill {}", before.id));
    project.page("two");
    project.run(&["deploy", "--yes"]).expect(0).says("is protected, and stays as it is");
    let after = of(&project, "db.1");
    assert_eq!((after.len(), &after[0].id, after[0].running), (1, &before.id, true), "{after:?}");
    assert_eq!(starts(&project), 2);
    assert_eq!(project.get(1), Ok((200, "two".into())));
}

#[test]
fn a_database_outlasts_its_lines_in_the_file_and_its_data_outlast_it() {
    let project = project("dbgone");
    project.deploy();
    let before = of(&project, "db.1");
    configure(&project, "");
    project
        .run(&["deploy", "--yes"])
        .expect(0)
        .says("is protected, and stays, though the config wants none there")
        .says("`cloudpad deploy --service db` removes it");
    assert_eq!(of(&project, "db.1"), before);
    project.run(&["deploy", "--yes", "--service", "*"]).expect(0);
    assert_eq!(of(&project, "db.1"), before);
    project.run(&["deploy", "--yes", "--service", "db"]).expect(0);
    assert_eq!(of(&project, "db.1"), []);
    assert_eq!(starts(&project), 1, "its volume is there");
    configure(&project, &database(&project, ""));
    project.deploy();
    assert_eq!(starts(&project), 2);
}

#[test]
fn a_failed_deploy_takes_nothing_from_a_database() {
    let project = project("dbundo");
    project.deploy();
    let before = project.containers(1);
    // Both differ, and the new `web` answers to nobody.
    project.page("two");
    let broken = project.web().replace("http = \"/\"", "http = \"/nowhere\"");
    let quick = "[deploy]\nready_timeout = \"2s\"\n";
    let services = broken + &database(&project, "env = { SIZE = \"2\" }\n") + quick;
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &services);
    project.run(&["deploy", "--yes"]).expect(1).says("has been taken back");
    let ids = |all: Vec<Container>| -> Vec<_> { all.into_iter().map(|c| (c.id, c.running)).collect() };
    assert_eq!(ids(project.containers(1)), ids(before));
    assert_eq!(starts(&project), 1);
}
