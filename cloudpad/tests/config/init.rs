//! What `cloudpad init` writes, for directories of all kinds: it always loads.

use clap::ValueEnum;
use cloudpad::config::Config;
use cloudpad::config::{Image, show};
use cloudpad::init::{Found, Scaffold, Template, scaffold};

use super::{compare, load, render};

fn files(found: &Found<'_>) -> Scaffold {
    scaffold(found).expect("there is no `Cloudpad.toml`")
}

/// The config that was made, which loads.
fn config(scaffold: &Scaffold) -> String {
    let file = scaffold.files.iter().find(|file| file.name == "Cloudpad.toml").expect("it is always made");
    match load(&file.text, None, &|_| None) {
        Ok(config) => show(&config),
        Err(problems) => panic!("{}", render(&problems, &file.text)),
    }
}

fn names(scaffold: &Scaffold) -> Vec<&str> {
    scaffold.files.iter().map(|file| file.name).collect()
}

#[test]
fn an_empty_directory_gets_a_whole_project() {
    let made = files(&Found { dir_name: "Web Shop", ..Found::default() });
    assert_eq!(names(&made), ["Cloudpad.toml", "Dockerfile", ".dockerignore"]);
    assert!(made.advice.is_empty(), "{:?}", made.advice);
    compare("rendered", "init-empty", &made.files[0].text);
    let config = config(&made);
    assert!(
        config.contains("name = \"web-shop\"\n") && config.contains("ports = [\"8080:8080\"]"),
        "{config}"
    );
}

#[test]
fn a_dockerfile_is_kept_and_asked_for_its_port() {
    let text = "FROM node AS build\nEXPOSE 9999\nFROM node\n# EXPOSE 1\nEXPOSE 53/udp \\\n  80/tcp 443\nCMD [\"x\"]\n";
    let found = Found { dir_name: "api", dockerfile: Some(("Containerfile", text)), ..Found::default() };
    let made = files(&found);
    assert_eq!(names(&made), ["Cloudpad.toml", ".dockerignore"]);
    compare("rendered", "init-dockerfile", &made.files[0].text);
    let config = config(&made);
    for line in ["ports = [\"8080:80\"]", "tcp = 80", "dockerfile = \"Containerfile\""] {
        assert!(config.contains(line), "`{line}` is not in {config}");
    }
}

#[test]
fn without_a_port_none_is_published_and_the_user_is_told() {
    for text in
        ["FROM x\n", "FROM x\nEXPOSE 53/udp\n", "FROM x\nEXPOSE $PORT\n", "FROM x\nEXPOSE 80\nFROM y\n", ""]
    {
        let made =
            files(&Found { dir_name: "api", dockerfile: Some(("Dockerfile", text)), ..Found::default() });
        assert!(!config(&made).contains("ports"), "{text}");
        assert_eq!(made.advice.len(), 1, "{text}");
        assert!(made.advice[0].contains("`EXPOSE`"));
    }
}

#[test]
fn a_port_that_hosts_leave_alone_is_published_as_it_is() {
    let made =
        files(&Found { dockerfile: Some(("Dockerfile", "from x\nexpose 3000\n")), ..Found::default() });
    let config = config(&made);
    assert!(config.contains("ports = [\"3000:3000\"]") && config.contains("tcp = 3000"), "{config}");
}

#[test]
fn any_directory_name_becomes_a_project_name() {
    let long = "x".repeat(62) + "-y";
    for (dir, name) in [
        ("shop", "shop"),
        ("My Shop!", "my-shop"),
        ("--a__b--", "a-b"),
        ("été", "t"),
        ("日本", "app"),
        ("", "app"),
        ("/", "app"),
        ("v1.2", "v1-2"),
        (long.as_str(), &long[..62]),
        ("a\"\nb", "a-b"),
    ] {
        let made = files(&Found { dir_name: dir, ..Found::default() });
        assert!(config(&made).contains(&format!("name = \"{name}\"\n")), "{dir}");
    }
}

#[test]
fn an_ignore_file_is_kept_and_read() {
    let all = "`.git`, `.cloudpad`, `Cloudpad.toml`, `Cloudpad.lock`, `secrets.age`, `**/.env*`";
    let advice = "add to `.dockerignore` what is no part of the image: ";
    for (ignore, missing) in [
        ("node_modules\n*.pyc\n", all),
        ("", all),
        ("/.cloudpad/\nCloudpad.toml\n.git\n.env\n*.age", "`Cloudpad.lock`"),
        ("!.env\n.*/x\nCloudpad*\n.git/\n.cloudpad\nsecrets.age\n", "`**/.env*`"),
        (".*\nCloudpad.*\n", "`secrets.age`"),
        ("**/.*\nCloudpad.*\n**/*.age\n", ""),
        ("*\n!src\n", ""),
    ] {
        let made = files(&Found { dir_name: "a", ignore: Some(ignore), ..Found::default() });
        assert_eq!(names(&made), ["Cloudpad.toml", "Dockerfile"]);
        let expected: Vec<_> =
            [missing].iter().filter(|m| !m.is_empty()).map(|m| format!("{advice}{m}")).collect();
        assert_eq!(made.advice, expected, "{ignore:?}");
    }
}

#[test]
fn what_cloudpad_writes_is_no_part_of_the_image() {
    let made = files(&Found { dir_name: "a", ..Found::default() });
    let ignore = made.files.iter().find(|file| file.name == ".dockerignore").map(|file| file.text.as_str());
    assert!(files(&Found { dir_name: "a", ignore, ..Found::default() }).advice.is_empty(), "{ignore:?}");
    let lines: Vec<_> = ignore.into_iter().flat_map(str::lines).collect();
    for apart in [".git", ".cloudpad", "Cloudpad.toml", "Cloudpad.lock", "secrets.age", "**/.env*"] {
        assert!(lines.contains(&apart), "no {apart} in {lines:?}");
    }
}

#[test]
fn a_config_is_never_overwritten() {
    let problem =
        scaffold(&Found { dir_name: "a", config: true, ..Found::default() }).expect_err("it is there");
    assert_eq!(problem.message, "`Cloudpad.toml` is there already, and is not overwritten");
}

#[test]
fn what_is_commented_out_is_right_too() {
    let made = files(&Found { dir_name: "shop", ..Found::default() });
    let is_toml = |line: &str| {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let mut uncommented = 0;
    let lines =
        made.files[0].text.lines().map(|line| match line.strip_prefix("# ").filter(|rest| is_toml(rest)) {
            Some(rest) => {
                uncommented += 1;
                format!("{rest}\n")
            }
            None => format!("{line}\n"),
        });
    let text: String = lines.collect();
    assert!(uncommented >= 6, "only {uncommented} lines are commented out");
    let config = load(&text, Some("staging"), &|_| None)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, &text)));
    assert_eq!(config.hosts[0].address, "deploy@198.51.100.7");
    assert!(matches!(config.images["web"], Image::Built(_)));
}

#[test]
fn what_the_starter_has_as_comments_can_be_used() {
    let text = include_str!("../../../templates/app/Cloudpad.toml");
    let is_key = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let uncommented = |line| {
        let bare = str::strip_prefix(line, "# ").filter(|bare| bare.starts_with('[') || is_key(bare));
        bare.unwrap_or(line)
    };
    let text = text.lines().map(uncommented).collect::<Vec<_>>().join("\n");
    let config = load(&text, Some("staging"), &|_| None)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, &text)));
    assert!(config.services["db"].protected && config.jobs.contains_key("migrate"));
}

#[test]
fn git_passes_over_the_place_of_secrets_and_is_told_once() {
    let gitignore = |own: Option<&str>, above: &[&str]| {
        let above: Vec<String> = above.iter().map(|text| (*text).to_owned()).collect();
        files(&Found { dir_name: "shop", git: Some((own, &above)), ..Found::default() }).gitignore
    };
    assert_eq!(gitignore(None, &[]).as_deref(), Some(".env\n.env.*\n"));
    assert_eq!(gitignore(Some("/target"), &["*.log"]).as_deref(), Some("/target\n.env\n.env.*\n"));
    for there in [".env", "/.env\n", "a\n**/.env", ".env*", "!.env", "*"] {
        assert_eq!(gitignore(Some(there), &[]), None, "{there}");
        assert_eq!(gitignore(None, &[there]), None, "{there}");
    }
    assert_eq!(files(&Found::default()).gitignore, None, "no work tree, no file");
}

/// Each template with what it makes of an empty directory.
fn all() -> Vec<(Template, Scaffold)> {
    let make = |template: &Template| {
        (*template, files(&Found { template: *template, dir_name: "shop", ..Found::default() }))
    };
    Template::value_variants().iter().map(make).collect()
}

#[test]
fn every_template_loads_and_has_a_dockerfile_for_each_image_it_builds() {
    let made = all();
    assert_eq!(made.len(), 10);
    for (template, made) in made {
        let text = &made.files[0].text;
        let config: Config = match load(text, None, &|_| None) {
            Ok(config) => config,
            Err(problems) => panic!("{template:?}: {}", render(&problems, text)),
        };
        assert_eq!(config.project.name, "shop", "{template:?}");
        assert!(made.advice.is_empty(), "{template:?}: {made:?}");
        for image in config.images.values() {
            if let Image::Built(built) = image {
                let file = std::path::Path::new(&built.context).join(&built.dockerfile);
                let file = file.strip_prefix(".").unwrap_or(&file);
                assert!(names(&made).contains(&file.to_str().expect("text")), "{template:?} has no {file:?}");
                let ignore = std::path::Path::new(&built.context).join(".dockerignore");
                let ignore = ignore.strip_prefix(".").unwrap_or(&ignore).to_str().expect("text");
                assert!(names(&made).contains(&ignore), "{template:?} has no {ignore}");
            }
        }
    }
}

#[test]
fn what_is_there_is_left_and_told() {
    let found = Found {
        template: Template::Monorepo,
        dir_name: "shop",
        there: ["api/Dockerfile"].into(),
        ..Found::default()
    };
    let made = files(&found);
    let named = names(&made);
    assert!(named.contains(&"base/Dockerfile") && named.contains(&"api/.dockerignore"), "{named:?}");
    assert!(!named.contains(&"api/Dockerfile") && !named.contains(&".dockerignore"), "{named:?}");
    assert_eq!(
        made.advice,
        ["`api/Dockerfile` is there, and left as it is: see that `Cloudpad.toml` fits it"]
    );
    let dockerfile = Some(("Containerfile", "FROM x\n"));
    let made = files(&Found { template: Template::Rails, dir_name: "shop", dockerfile, ..Found::default() });
    assert_eq!(names(&made), ["Cloudpad.toml", ".dockerignore"]);
    assert!(config(&made).contains("dockerfile = \"Containerfile\""));
}
