//! `cloudpad plugin check` and `describe`, as users type them.

use serde_json::json;

use crate::room::{Room, shown};

const GOOD: &str = include_str!("good.py");

#[test]
fn a_plugin_by_path_and_by_name() {
    let room = Room::new();
    room.program("bin/cloudpad-x", GOOD);
    let by_name = room.run(&["plugin", "check", "x"]).expect(0);
    by_name
        .shows("ok hello it says hello in time")
        .shows("skipped push.run of `x` no `[[call]]`")
        .shows("0 failed, 1 skipped");
    room.write(
        "project/case.toml",
        "[[call]]\nmethod = \"push.run\"\nparams = { reference = \"a\" }\nmutating = true\n",
    );
    let all = ["plugin", "check", "../bin/cloudpad-x", "--config", "case.toml", "--allow-mutating"];
    room.run(&all).expect(0).shows("ok push.run of `x`").shows("0 failed, 0 skipped");
    room.program("bin/cloudpad-x", &GOOD.replace("\"sent\": ", "\"sent\": \"\" if True else "));
    let failed = room.run(&all).expect(1).shows("FAILED push.run of `x`").shows("1 failed, 0 skipped");
    assert_eq!(failed.stderr, "");
    let told = room.run(&[&all[..], &["--json"]].concat()).expect(1).json();
    assert_eq!((&told["failed"], &told["skipped"]), (&json!(1), &json!(0)), "{told}");
}

#[test]
fn a_library() {
    let room = Room::new();
    room.write("x.c", include_str!("library.c"));
    let built = std::process::Command::new("cc")
        .args([
            "-shared",
            "-fPIC",
            "-Wall",
            "-Werror",
            "-I",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-api/include"),
            "-o",
        ])
        .args([room.at("bin/libcloudpad_x.so"), room.at("x.c")])
        .status();
    assert!(built.unwrap().success());
    let checked = room.run(&["plugin", "check", "x"]).expect(0);
    checked.shows("ok hello").shows("ok end").shows("skipped parallel").shows("0 failed");
}

#[test]
fn what_cannot_be_checked() {
    let room = Room::new();
    room.trap("project/.cloudpad/plugins/cloudpad-own").program("bin/cloudpad-x", GOOD);
    let check = |args: &[&str]| room.run(&[&["plugin", "check"], args].concat()).expect(2);
    check(&["own"]).says("you have not trusted it");
    check(&["y"]).says("there is no plugin `y`").says("did you mean `x`?");
    check(&["./nothing"]).says("nothing").says("it is not there");
    check(&["x", "--config", "nothing"]).says("there is no file `nothing`");
    check(&["x", "--allow-mutating"]).says("--config");
    room.write("project/case.toml", "[confgi]\n");
    check(&["x", "--config", "case.toml"]).says("unknown field `confgi`").says("plugin check --help");
    room.nothing_has_run();
}

#[test]
fn the_file_of_the_help_is_right() {
    let room = Room::new();
    let help = room.run(&["plugin", "check", "--help"]).expect(0).stdout;
    let example = help.split("FILE is TOML:").nth(1).unwrap();
    let case = cloudpad::conformance::case::Case::parse(example).unwrap();
    let calls: Vec<_> = case.calls.iter().map(|call| (call.request.method(), call.mutating)).collect();
    assert_eq!(calls, [("source.resolve", false), ("source.fetch", true)]);
}

#[test]
fn what_a_plugin_says_of_itself() {
    let room = Room::new();
    room.program("bin/cloudpad-x", GOOD);
    let said = room.run(&["plugin", "describe", "x"]).expect(0);
    let expected = [
        "cloudpad-x 1.0: speaks protocol 1, takes several calls at a time",
        "",
        "STAGE PROVIDER METHODS ABOUT",
        "inventory x config.check inventory.list",
        "push x config.check push.run",
    ];
    assert_eq!(said.lines(), expected);
    let told = room.run(&["plugin", "describe", "x", "--json"]).expect(0).json();
    assert_eq!((&told["version"], &told["provides"][1]["stage"]), (&json!("1.0"), &json!("push")));
    room.run(&["plugin", "describe", "ssh"]).expect(0).shows("deploy ssh config.check deploy.observe");
    room.trap("project/.cloudpad/plugins/cloudpad-own");
    room.run(&["plugin", "describe", "own"]).expect(2).says("you have not trusted it");
    room.program("bin/cloudpad-bad", "#!/bin/sh\necho oops >&2\nexit 3\n");
    let path = shown(&room.at("bin/cloudpad-bad"));
    room.run(&["plugin", "describe", "bad"])
        .expect(2)
        .says(&path)
        .says("ended with exit status 3")
        .says("oops");
    room.nothing_has_run();
}

#[test]
fn a_providers_name_is_enough_where_one_plugin_has_it() {
    let room = Room::new();
    room.program("bin/cloudpad-x-inventory", &GOOD.replace("cloudpad-x", "cloudpad-x-inventory"));
    room.run(&["plugin", "describe", "x"]).expect(0).shows("cloudpad-x-inventory 1.0:");
    room.program("bin/cloudpad-x-push", GOOD);
    let unclear = room.run(&["plugin", "describe", "x"]).expect(2);
    unclear.says("there is no plugin `x`").says("did you mean `x-inventory` or `x-push`?");
    room.program("bin/cloudpad-ssh-inventory", GOOD);
    room.run(&["plugin", "describe", "ssh"]).expect(0).shows("deploy ssh config.check deploy.observe");
}

#[test]
fn the_file_of_the_book_is_right() {
    let book = include_str!("../../../docs/plugins.md");
    let example = book.split("```toml case\n").nth(1).unwrap().split("```").next().unwrap();
    let case = cloudpad::conformance::case::Case::parse(example).unwrap();
    assert_eq!((case.calls.len(), case.calls[0].mutating), (1, true));
}
