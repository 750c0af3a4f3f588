//! What `docs/plugins.md` lets one type, from nothing to a deploy.

use std::process::Command;

use crate::support::Project;

const PLUGIN: &str = "cloudpad-office-inventory/cloudpad-office-inventory";
const TEST: &str = "cloudpad-office-inventory/test_plugin.py";

#[test]
fn its_example_ends_with_a_deploy() {
    let project = Project::new("book");
    let (_, example) = include_str!("../../../docs/plugins.md")
        .split_once("\n## From nothing to a deploy\n")
        .expect("the example");
    let (example, _) = example.split_once("\n## ").expect("what follows it");
    let mut ran = Vec::new();
    for block in example.split("\n```").skip(1).step_by(2) {
        let (info, text) = block.split_once('\n').expect("a block");
        match info {
            "sh" => ran.extend(text.lines().map(|line| type_in(&project, line))),
            "python plugin" => replace(&project, PLUGIN, "OFFER = ", "METHODS = ", text),
            "python test" => replace(&project, TEST, "    def test_the_hosts_of_the_config", "\n\n\n", text),
            "text hosts.txt" => project.write("hosts.txt", text),
            "toml" => {
                let named = text.replace("name = \"shop\"", &format!("name = \"{}\"", project.name));
                project.write("Cloudpad.toml", named);
            }
            other => panic!("what is to be done with a block of `{other}`?"),
        }
    }
    assert_eq!(ran, ["plugin", "test", "check", "plan", "deploy", "ps"]);
    assert_eq!(project.local_containers().len(), 1);
}

/// Runs what the reader types, which has to end well.
fn type_in(project: &Project, line: &str) -> String {
    let mut words = line.split(' ');
    let program = words.next().unwrap_or_default();
    let args: Vec<&str> = words.collect();
    if program == "cloudpad" {
        project.run(&args).expect(0);
        return args[0].to_owned();
    }
    assert_eq!(program, TEST);
    let output = Command::new(project.path(program)).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    "test".to_owned()
}

/// Replaces what stands in a file from `first` to the end of the line in which `last` begins.
fn replace(project: &Project, file: &str, first: &str, last: &str, text: &str) {
    let old = std::fs::read_to_string(project.path(file)).expect("it was made");
    let from = old.find(first).expect("the beginning");
    let to = from + old[from..].find(last).expect("the end");
    let to = to + old[to..].find('\n').expect("a line's end") + 1;
    std::fs::write(project.path(file), format!("{}{text}{}", &old[..from], &old[to..]))
        .expect("it can be written");
}
