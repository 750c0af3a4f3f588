//! `cloudpad start`: what was stopped runs again, and what is not there is told.

use crate::stop::{project, running};
use crate::support::Project;

const ALL: [&str; 4] = ["db.1 on h1", "web.1 on h1", "web.1 on h2", "web.1 on h3"];

#[test]
fn what_was_stopped_runs_again_as_it_was() {
    let project = project("start");
    let ids = |project: &Project| project.containers(1).into_iter().map(|c| c.id).collect::<Vec<_>>();
    let before = ids(&project);
    project.run(&["start", "--all", "--yes"]).expect(0).says("nothing to do: everything is as it should be");
    project.run(&["stop", "web", "db", "--yes"]).expect(0);
    // The file is ahead of the hosts, which matters to nobody.
    project.page("two");
    let outcome = project.run(&["start", "web.1", "--host", "h1", "--yes", "--json"]).expect(0);
    assert_eq!(outcome.done(), ["deploy.ready", "deploy.start"]);
    assert_eq!(running(&project), ["web.1 on h1"]);
    project
        .run(&["start", "web"])
        .expect(2)
        .says("> web.1 start again")
        .says("there is no terminal to ask on");
    project.run(&["start", "--all", "--yes"]).expect(0);
    project.serves("one");
    assert_eq!((running(&project), ids(&project)), (ALL.map(str::to_owned).to_vec(), before));
}

#[test]
fn what_is_gone_or_does_not_come_up_is_told() {
    let project = project("startbad");
    project.run(&["stop", "web", "--yes"]).expect(0);
    project
        .run(&["start", "web.2", "--yes"])
        .expect(2)
        .says("there is no container of `web.2`")
        .says("there is `web.1`");
    project.run(&["start", "wbe", "--yes"]).expect(2).says("did you mean `web`?");
    let name = &project.containers(2)[0].name;
    project.lab.host(2).run(&format!("docker rm {name}"));
    let told = project.run(&["start", "web", "--yes"]).expect(1);
    told.says("`web.1` is not on `h2` any more; `cloudpad deploy` makes it again");
    assert_eq!(running(&project), ["db.1 on h1", "web.1 on h1", "web.1 on h3"]);
    project.deploy();
    project.serves("one");
    // Somebody else has its port meanwhile.
    project.run(&["stop", "web", "--yes"]).expect(0);
    let (image, port) = (&project.lab.base_image, project.port);
    let thief = format!("{}-thief", project.name);
    project.lab.host(3).run(&format!("docker run -d --name {thief} -p {port}:80 {image} sleep 1000"));
    let refused = project.run(&["start", "web", "--yes"]);
    project.lab.host(3).run(&format!("docker rm -f {thief}"));
    refused.expect(2).says(&format!("port {port} of `h3` is held by the container `{thief}`"));
    assert_eq!(running(&project), ["db.1 on h1"]);
}
