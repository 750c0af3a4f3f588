//! What projects on one host share: its proxy, its ports, host names.

use super::Routed;

#[test]
fn two_projects_share_a_proxy_and_not_a_name() {
    let (one, two) = (Routed::new("routeone", &[1]), Routed::new("routetwo", &[1]));
    one.deploy();
    two.project.page("second");
    let proxy = format!("[proxy]\nimage = \"{}\"\n", two.project.lab.proxy_image);
    two.configure_as("deploy", &format!("[services.web.route]\nhosts = [\"{}\"]\n", two.name()), &proxy);
    two.deploy();
    assert_eq!(one.get(1, "/"), (200, "one".into()));
    assert_eq!(two.get(1, "/"), (200, "second".into()));
    two.configure_route(&format!("[services.web.route]\nhosts = [\"{}\"]\n", one.name()), "");
    let taken = format!("{} leads to service `web` of project `{}` already", one.name(), one.project.name);
    two.project.run(&["deploy", "--yes"]).expect(2).says(&taken);
    assert_eq!(two.get(1, "/"), (200, "second".into()));
    drop(two);
    assert_eq!(one.get(1, "/"), (200, "one".into()));
}

#[test]
fn a_container_that_has_the_port_is_named_before_anything_is_touched() {
    let routed = Routed::new("routeport", &[1]);
    let (host, port) = (routed.project.lab.host(1), routed.project.port);
    let name = format!("{}-holder", routed.project.name);
    let label = format!("--label cloudpad.project={}-x", routed.project.name);
    host.run(&format!(
        "docker run -d {label} --name {name} -p {port}:80 {} sleep 1000",
        routed.project.lab.base_image
    ));
    routed.configure("", &format!("http_port = {port}\n"));
    let said = format!("the proxy needs port {port} of `h1`, which container `{name}` holds");
    routed.project.run(&["deploy", "--yes"]).expect(2).says(&said);
    assert_eq!(routed.project.containers(1).len(), 0);
    host.run(&format!("docker rm -f {name}"));
}

#[test]
fn a_path_belongs_to_one_service_and_a_changed_route_touches_no_container() {
    let routed = Routed::new("routepath", &[1]);
    routed.configure("path = \"/shop\"\nheaders = { X-Shop = \"{env.HOME} {file./data/x}\" }\n", "");
    routed.deploy();
    assert_eq!(routed.get(1, "/shop/a"), (200, "one".into()));
    assert_eq!(routed.get(1, "/shopping").0, 404);
    let before = routed.project.running(1);
    routed.configure("max_body = \"1k\"\n", "");
    routed.deploy();
    assert_eq!(routed.get(1, "/shopping"), (200, "one".into()));
    let ids = |all: &[crate::support::Container]| all.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&routed.project.running(1)));
    routed.configure_route("", "");
    routed.deploy();
    assert_eq!(routed.get(1, "/"), (404, "404 Not Found".into()));
    assert_eq!(ids(&before), ids(&routed.project.running(1)));
}
