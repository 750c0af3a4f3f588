//! What the README says is so: its configs are fine, and its commands are there.

use crate::support::Project;

/// The README's blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = include_str!("../../../README.md");
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// What goes to a cluster.
const FOR_A_CLUSTER: &str = "[project]\nname = \"shop\"\n[stages.push]\nprovider = \"registry\"\n\
                             config = { registry = \"registry.example.com\" }\n\
                             [images.app]\nreference = \"shop/app:1\"\n[services.app]\n";

#[test]
fn its_configs_are_fine() {
    let project = Project::new("readme");
    let configs = blocks("toml");
    let (whole, parts) = configs.split_first().expect("a config by example");
    for part in std::iter::once("").chain(parts.iter().map(String::as_str)) {
        // The whole one has what no cluster can do, and is told so.
        let beside = if part.contains("\"fleet\"") { FOR_A_CLUSTER } else { whole };
        project.write("Cloudpad.toml", format!("{beside}\n{part}"));
        project.run(&["check"]).expect(0);
    }
    project.write("Cloudpad.toml", whole);
    project.run(&["check", "-e", "staging"]).expect(0);
}

#[test]
fn its_commands_are_there() {
    let project = Project::new("commands");
    let lines: Vec<String> = blocks("sh").iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    let commands: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("cloudpad ")?.split(' ').next()).collect();
    assert!(commands.contains(&"deploy"), "{commands:?}");
    for command in commands {
        project.run(&[command, "--help"]).expect(0);
    }
}
