//! `cloudpad check` looks for the files that the config names.

use crate::room::{Room, shown};

#[test]
fn a_dockerfile_that_is_not_there_is_a_problem_in_its_place() {
    let room = Room::new();
    room.config("[images.app]\ndockerfile = \"docker/Dockerfile\"\n[images.api]\ncontext = \"api\"\n");
    let app = shown(&room.at("project/docker/Dockerfile"));
    let refused = room.run(&["check"]).expect(2);
    let refused = refused
        .says(&format!("image `app` has no Dockerfile at `{app}`"))
        .says("Cloudpad.toml:8:14")
        .says(&format!("image `api` is not a directory: `{}`", shown(&room.at("project/api"))));
    assert!(refused.stderr.contains("Cloudpad.toml:10:11"), "{refused:#?}");
    room.write("project/docker/Dockerfile", "FROM web:1\n");
    room.write("project/api/Dockerfile", "FROM web:1\n");
    room.run(&["check"]).expect(0).says("is fine");
}

#[test]
fn where_it_cannot_be_known_nothing_is_missed() {
    let room = Room::new();
    room.config(
        "[sources.far]\ngit = \"file:///nowhere\"\n[sources.made]\npath = \".\"\nprepare = [\"make Dockerfile\"]\n\
         [images.far]\nsource = \"far\"\n[images.made]\nsource = \"made\"\n",
    );
    room.run(&["check"]).expect(0);
}
