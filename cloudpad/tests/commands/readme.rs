//! The README's table of commands is that of the program.

use std::collections::BTreeSet;

use crate::room::Room;

#[test]
fn its_commands_are_those_of_the_program() {
    let text = include_str!("../../../README.md");
    let table = text.split("## Commands").nth(1).unwrap().split("\n\n").nth(1).unwrap();
    let cells = table.lines().skip(2).map(|line| line.split(" | ").next().unwrap());
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let told: BTreeSet<String> = words.map(without_arguments).collect();
    let room = Room::new();
    let names = |args: &[&str]| -> Vec<String> {
        let listed = room.run(&[args, &["--list", "--json"]].concat()).expect(0).json();
        listed.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut there: BTreeSet<String> = names(&[]).into_iter().collect();
    for group in GROUPS {
        assert!(there.remove(group), "`{group}` is a group, told by its commands");
        let help = room.run(&[group, "--help"]).expect(0).stdout;
        let commands =
            help.split("Commands:\n").nth(1).unwrap().lines().map_while(|line| line.strip_prefix("  "));
        let names =
            commands.filter(|line| !line.starts_with(' ')).map(|line| line.split(' ').next().unwrap());
        there.extend(names.filter(|name| *name != "help").map(|name| format!("{group} {name}")));
    }
    assert_eq!(told, there);
}

/// Commands that have commands.
const GROUPS: [&str; 4] = ["hosts", "plugin", "registry", "secrets"];

/// `plugin new` of `plugin new NAME --stage STAGE`.
fn without_arguments(command: &str) -> String {
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    command.split(' ').take_while(is_name).collect::<Vec<_>>().join(" ")
}

#[test]
fn its_config_of_a_plugin_is_fine() {
    let text = include_str!("../../../README.md");
    let block = text.split("```toml plugin\n").nth(1).unwrap().split("```").next().unwrap();
    let room = Room::new();
    room.greets("project/tools/office.py", "office", "1").config(block);
    room.run(&["check"]).expect(0);
    room.run(&["plugin", "list"]).expect(0).shows("inventory office executable inventory");
}
