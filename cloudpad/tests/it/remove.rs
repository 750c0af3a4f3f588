//! `cloudpad remove`: what hosts have decides, whatever the file says by now.

use crate::support::Project;

fn volumes(project: &Project, number: usize) -> String {
    let list = format!("docker volume ls -q --filter name=^{}[.] | grep -v '[.][.]' || :", project.name);
    project.lab.host(number).run(&list)
}

#[test]
fn a_volume_goes_where_it_is_and_is_told_nowhere_else() {
    let project = Project::new("volrm");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.h3]\naddress = \"h3\"\n";
    let service = |host: &str| project.web() + &format!("volumes = [\"data:/data\"]\nhosts = [\"{host}\"]\n");
    let (remove, data) = (["remove", "--yes", "--service", "web"], format!("{}.data", project.name));
    project.configure_hosts(hosts, &service("h3"));
    project.deploy();
    project.configure_hosts(hosts, &service("h1"));
    project.run(&remove).expect(0);
    assert!(project.containers(3).is_empty() && volumes(&project, 3) == data);
    let with_volumes = [&remove[..], &["--volumes"]].concat();
    project.run(&[&with_volumes[..], &["--host", "h1"]].concat()).expect(0).says("nothing to do");
    let outcome = project.run(&[&with_volumes[..], &["--host", "h3"]].concat()).expect(0);
    outcome.says(&format!("remove volumes with all that is in them: {data}"));
    assert_eq!(volumes(&project, 3), "");
    project.run(&with_volumes).expect(0).says("nothing to do");
}
