//! Releases: what hosts remember of them, and going back to them.

use serde_json::Value;

use crate::support::{Outcome, Project};

/// The releases that hosts remember, newest first.
#[track_caller]
fn releases(project: &Project) -> Vec<Value> {
    let listed = project.run(&["releases", "--json"]).expect(0).stdout;
    serde_json::from_str(&listed).expect("a list")
}

#[track_caller]
fn ids(project: &Project) -> Vec<String> {
    let id = |row: &Value| row["release"].as_str().expect("an id").to_owned();
    releases(project).iter().map(id).collect()
}

/// Deploys the pages one after the other, and returns the ids of their releases.
fn deployed(project: &Project, pages: &[&str]) -> Vec<String> {
    for page in pages {
        project.page(page);
        project.deploy();
    }
    let mut ids = ids(project);
    ids.reverse();
    assert_eq!(ids.len(), pages.len());
    ids
}

fn rollback(project: &Project, args: &[&str]) -> Outcome {
    project.run(&[&["rollback", "--yes", "--json"], args].concat())
}

#[test]
fn one_can_go_back_to_each_release_and_then_to_the_one_before() {
    let project = Project::new("releases");
    project.configure(&project.web());
    let releases = deployed(&project, &["one", "two", "three"]);
    let third = project.all_containers();
    for (release, page) in releases.iter().zip(["one", "two", "three"]) {
        let back = rollback(&project, &[release]).expect(0);
        project.serves(page);
        assert!(back.done().iter().all(|method| !matches!(&**method, "build.run" | "push.run")));
        assert_eq!(rollback(&project, &[release]).expect(0).report()["ending"], "nothing_to_do");
    }
    let ids = |containers: &[Vec<crate::support::Container>]| {
        let all = containers.iter().flatten();
        all.map(|container| container.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&project.all_containers()), ids(&third), "all were kept, and none was made");
    rollback(&project, &[]).expect(0);
    project.serves("two");
    rollback(&project, &[]).expect(0);
    project.serves("one");
    let last = rollback(&project, &[]).expect(2);
    assert!(last.stdout.contains("no host remembers a release before"), "{}", last.text());
    project.serves("one");
    // And on from there as ever.
    project.page("four");
    project.deploy();
    project.serves("four");
}

#[test]
fn releases_are_listed_with_who_made_them_and_what_runs_where() {
    let project = Project::new("listed");
    project.configure(&project.web());
    let first = deployed(&project, &["one"]).remove(0);
    project.page("two");
    project.run_with(&["deploy", "--yes", "--host", "h1"], &[("USER", "anna")]).expect(0);
    let rows = releases(&project);
    let [second, old] = &rows[..] else { panic!("{rows:#?}") };
    assert_eq!((&old["release"], &old["hosts"]), (&first.into(), &serde_json::json!(["h2", "h3"])));
    assert_eq!((&second["hosts"], &second["in_effect"]), (&serde_json::json!(["h1"]), &true.into()));
    assert!(second["by"].as_str().is_some_and(|by| by.starts_with("anna@")), "{second}");
    assert_eq!((&second["command"], &second["services"]), (&"deploy".into(), &serde_json::json!(["web"])));
    let from = second["from"].as_str().unwrap_or_default();
    assert_eq!(from, project.path("").display().to_string().trim_end_matches('/'));
    let table = project.run(&["releases"]).expect(0).stdout;
    assert!(
        table.starts_with("RELEASE") && table.contains("anna@") && table.contains("in effect"),
        "{table}"
    );
    rollback(&project, &[]).expect(0);
    project.serves("one");
    let last = releases(&project).remove(0);
    assert_eq!((&last["command"], &last["restores"]), (&"rollback".into(), &old["release"]));
}

#[test]
fn people_find_an_image_by_the_release_that_it_was_built_for() {
    let project = Project::new("readable");
    project.configure(&format!("{}[deploy]\nkeep = 0\n", project.web()));
    let first = deployed(&project, &["one"]).remove(0);
    // Engines with either image store.
    let names = |number: usize| {
        let list = format!("docker images --format '{{{{.Tag}}}}' {}.web", project.name);
        project.lab.host(number).run(&list).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for number in [1, 3] {
        assert!(names(number).len() == 2 && names(number).contains(&first), "{:?}", names(number));
    }
    project.page("two");
    project.deploy();
    let second = ids(&project).remove(0);
    project.run(&["prune", "--yes"]).expect(0);
    for number in [1, 3] {
        assert!(names(number).len() == 2 && names(number).contains(&second), "{:?}", names(number));
    }
}

#[test]
fn what_was_pruned_on_a_host_is_made_again_while_its_image_is_there() {
    let project = Project::new("pruned");
    project.configure(&project.web());
    let releases = deployed(&project, &["one", "two"]);
    let prune = format!("docker container prune --force --filter label=cloudpad.project={}", project.name);
    (1..=3).for_each(|number| _ = project.lab.host(number).run(&prune));
    rollback(&project, &[&releases[0]]).expect(0);
    project.serves("one");
    (1..=3).for_each(|number| _ = project.lab.host(number).run(&prune));
    let keep = project.running(2)[0].image.clone();
    project.lab.host(2).run(&format!(
        "docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' {}.web | grep -v '^{keep}$' | xargs docker rmi",
        project.name
    ));
    let before = project.all_containers();
    let refused = rollback(&project, &[&releases[1]]).expect(2);
    for word in ["is not available any more", "is not on `h2`", &format!("{}.web:", project.name)] {
        assert!(refused.stdout.contains(word), "no `{word}`: {}", refused.text());
    }
    assert_eq!(project.all_containers(), before, "nothing was touched");
    let rows = self::releases(&project);
    let gone = rows.iter().find(|row| row["release"] == *releases[1]).expect("it is listed");
    assert!(gone["obstacles"][0].as_str().is_some_and(|why| why.contains("not on `h2`")), "{gone}");
}

#[test]
fn a_release_that_is_not_there_is_refused_with_those_that_are() {
    let project = Project::new("missing");
    project.configure(&project.web());
    let none = project.run(&["rollback", "--yes"]).expect(2);
    none.says("no host remembers a release").says("`cloudpad deploy`");
    let releases = deployed(&project, &["one"]);
    let before = project.all_containers();
    let refused = project.run(&["rollback", "--yes", "20200101T000000Z"]).expect(2);
    refused.says("no host remembers a release `20200101T000000Z`").says(&releases[0]);
    project.run(&["rollback", &releases[0], "--host", "h9", "--yes"]).expect(2).says("h9");
    assert_eq!(project.all_containers(), before);
    let asks = project.run(&["rollback", &releases[0]]).expect(0);
    asks.says("nothing to do");
}

#[test]
fn a_release_that_does_not_serve_any_more_is_taken_back() {
    let project = Project::new("worse");
    let flag = format!("/tmp/{}", project.name);
    let version = |version: &str, check: &str| {
        let command = format!("{check} exec httpd -f -p 8080 -h /www");
        project.configure(
            &(project.web()
                + &format!(
                    "command = [\"sh\", \"-c\", \"{command}\"]\nenv = {{ V = \"{version}\" }}\n\
                     volumes = [\"{flag}:/flag:ro\"]\n[deploy]\nready_timeout = \"5s\"\n"
                )),
        );
        project.deploy();
    };
    version("1", "test ! -e /flag/bad || exit 1;");
    version("2", "");
    project.lab.host(2).run(&format!("touch {flag}/bad"));
    let before: Vec<_> = (1..=3).map(|number| project.running(number)[0].id.clone()).collect();
    let noted = ids(&project);
    let failed = rollback(&project, &[]).expect(1);
    assert_eq!(failed.report()["ending"], "undone", "{}", failed.text());
    let now: Vec<_> = (1..=3).map(|number| project.running(number)[0].id.clone()).collect();
    assert_eq!(now, before, "the release in effect goes on");
    project.serves("one");
    assert_eq!(ids(&project), noted, "what was undone is no release");
    (1..=3).for_each(|number| _ = project.lab.host(number).run(&format!("rm -rf {flag}")));
}

#[test]
fn a_part_of_the_project_goes_back_alone() {
    let project = Project::new("part");
    let api = project.port + 1;
    let both = |version: u32| {
        format!(
            "{}env = {{ V = \"{version}\" }}\n[services.api]\nimage = \"web\"\nports = [\"{api}:8080\"]\nenv = {{ V = \"{version}\" }}\n",
            project.web()
        )
    };
    for version in 1..=3 {
        project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &both(version));
        project.deploy();
    }
    let runs = || {
        let value = |container: &crate::support::Container| {
            let v = container.env.iter().find(|variable| variable.starts_with("V=")).cloned();
            format!("{} {}", container.instance, v.unwrap_or_default())
        };
        let mut all: Vec<_> = project.running(1).iter().map(value).collect();
        all.sort();
        all
    };
    rollback(&project, &["--service", "web"]).expect(0);
    assert_eq!(runs(), ["api.1 V=3", "web.1 V=2"]);
    rollback(&project, &["--service", "web"]).expect(0);
    assert_eq!(runs(), ["api.1 V=3", "web.1 V=1"]);
    // A service that has come since goes.
    project
        .configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &(both(3) + "[services.new]\nimage = \"web\"\n"));
    project.deploy();
    assert_eq!(runs(), ["api.1 V=3", "new.1 ", "web.1 V=3"]);
    let back = project.run(&["rollback", "--yes"]).expect(0).says("`new` was not there at release");
    assert_eq!(runs(), ["api.1 V=3", "web.1 V=1"], "{}", back.text());
}

#[test]
fn what_is_made_again_has_the_secrets_of_now() {
    let project = Project::new("since");
    let secret = |value: &str| project.write(".env", format!("token={value}\n"));
    project.write(".dockerignore", ".env\n");
    let web = project.web() + "secrets = { TOKEN = \"token\" }\n";
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &web);
    secret("first-value");
    let first = deployed(&project, &["one"]).remove(0);
    secret("second-value");
    project.page("two");
    project.deploy();
    let token = || {
        let running = project.running(1).remove(0);
        running.env.into_iter().find(|variable| variable.starts_with("TOKEN=")).unwrap_or_default()
    };
    rollback(&project, &[&first]).expect(0);
    assert_eq!(token(), "TOKEN=first-value", "its container was kept");
    project.page("three");
    project.deploy();
    let prune = format!("docker container prune --force --filter label=cloudpad.project={}", project.name);
    project.lab.host(1).run(&prune);
    let back = project.run(&["rollback", "--yes", &first]).expect(0);
    back.says("comes back with the value that the secret `token` has now");
    assert_eq!(token(), "TOKEN=second-value");
    assert_eq!(project.get(1), Ok((200, "one".into())));
    project.lab.host(1).run(&prune);
    project.write(".env", "");
    let refused = rollback(&project, &[]).expect(2);
    assert!(refused.stdout.contains("token"), "{}", refused.text());
}

#[test]
fn what_nothing_needs_is_removed_and_nothing_else() {
    let project = Project::new("prune");
    let one_host = "[hosts.h1]\naddress = \"h1\"\n";
    project.configure_hosts(one_host, &(project.web() + "[deploy]\nkeep = 9\n"));
    deployed(&project, &["one", "two", "three"]);
    let (host, name) = (project.lab.host(1), &project.name);
    let left = format!("docker tag {} {name}-other.web:1", project.running(1)[0].image);
    host.run(&format!("{left} && docker volume create {name}.data"));
    project.configure_hosts(one_host, &(project.web() + "[deploy]\nkeep = 1\n"));
    let before = project.containers(1);
    project.run(&["prune"]).expect(2).says("- clean up").says("- forget release");
    assert_eq!(project.containers(1), before, "nobody has agreed");
    project.run(&["prune", "--yes"]).expect(0);
    assert_eq!((project.containers(1).len(), ids(&project).len()), (2, 2));
    let images = host.run("docker images --format '{{.Repository}}'");
    assert_eq!(images.lines().filter(|image| **image == format!("{name}.web")).count(), 4, "{images}");
    assert!(images.lines().any(|image| *image == format!("{name}-other.web")), "{images}");
    assert!(host.run("docker volume ls -q").lines().any(|volume| *volume == format!("{name}.data")));
    project.run(&["prune", "--yes"]).expect(0).says("nothing to do");
    rollback(&project, &[]).expect(0);
    assert_eq!(project.get(1), Ok((200, "two".into())));
}
