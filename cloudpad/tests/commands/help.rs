//! `cloudpad help`.

use crate::room::Room;

#[test]
fn help_is_that_of_the_command() {
    let room = Room::new();
    assert_eq!(
        room.run(&["help", "deploy"]).expect(0).stdout,
        room.run(&["deploy", "--help"]).expect(0).stdout
    );
    let nested = room.run(&["plugin", "list", "--help"]).expect(0).stdout;
    assert_eq!(room.run(&["help", "plugin", "list"]).expect(0).stdout, nested);
    let all = room.run(&["help"]).expect(0);
    assert_eq!(all.stdout, room.run(&["--help"]).expect(0).stdout);
    all.shows("deploy Bring what runs").shows("`cloudpad foo` runs `cloudpad-foo`");
}

#[test]
fn a_plugin_is_asked_for_its_own() {
    let room = Room::new();
    room.says("bin/cloudpad-foo", "foo");
    assert_eq!(room.run(&["help", "foo"]).expect(0).stdout, "foo\n<--help>\n");
    assert_eq!(room.run(&["help", "foo", "bar"]).expect(0).stdout, "foo\n<bar>\n<--help>\n");
    room.run(&["help", "deplyo"]).expect(2).says("did you mean `deploy`?");
    room.run(&["help", "plugin", "lsit"]).expect(2).says("lsit");
}

#[test]
fn no_command_is_a_mistake() {
    let room = Room::new();
    room.run(&[]).expect(2).says("Usage: cloudpad");
    room.run(&["--quiet"]).expect(2).says("no command is named");
    room.run(&["--list", "check"]).expect(2).says("`--list` goes without a command");
}
