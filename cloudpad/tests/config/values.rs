//! Values that are right, in all the ways they can be written, and as what they are read.

use super::{load, render};
use cloudpad::config::show;

const HEAD: &str = "[project]\nname = \"shop\"\n[images.web]\n";

/// Adds `typed` to a small file and finds `shown` in what is made of it.
fn check(typed: &str, shown: &str) {
    let text = match typed.starts_with('[') {
        true => format!("{HEAD}[services.web]\n{typed}"),
        false => format!("{HEAD}[services.web]\n{typed}\n"),
    };
    let config =
        load(&text, None, &|_| None).unwrap_or_else(|problems| panic!("{}", render(&problems, &text)));
    let all = show(&config);
    assert!(all.lines().any(|line| line == shown), "`{shown}` is not in\n{all}");
}

#[test]
fn addresses() {
    for address in [
        "local",
        "one",
        "deploy@one",
        "one:2222",
        "deploy@one.example.com:22",
        "192.0.2.1",
        "[2001:db8::1]",
        "root@[2001:db8::1]:2222",
        "[fe80::1%eth0]",
        "an_alias-1",
        "user.name+x@one",
    ] {
        check(&format!("[hosts.one]\naddress = \"{address}\""), &format!("address = \"{address}\""));
    }
}

#[test]
fn memory() {
    for (typed, shown) in [
        ("512MiB", "512MiB"),
        ("512m", "512MiB"),
        ("512MB", "512MiB"),
        ("1g", "1GiB"),
        ("1.5G", "1536MiB"),
        ("6291457", "6291457b"),
        ("8192 KiB", "8MiB"),
        ("2TiB", "2TiB"),
        ("7000k", "7000KiB"),
    ] {
        check(&format!("memory = \"{typed}\""), &format!("memory = \"{shown}\""));
    }
}

#[test]
fn durations() {
    for (typed, shown) in [
        ("500ms", "500ms"),
        ("2s", "2s"),
        ("1m30s", "90s"),
        ("1h", "3600s"),
        ("0s", "0s"),
        ("1s1ms", "1001ms"),
    ] {
        check(&format!("[deploy]\nsettle = \"{typed}\""), &format!("settle = \"{shown}\""));
    }
}

#[test]
fn processors() {
    for (typed, shown) in [("2", "2.0"), ("0.001", "0.001"), ("1.5", "1.5"), ("0.3333", "0.333")] {
        check(&format!("cpus = {typed}"), &format!("cpus = {shown}"));
    }
}

#[test]
fn ports() {
    for (typed, shown) in [
        ("8080:80", "8080:80"),
        ("8080:80/tcp", "8080:80"),
        ("53:53/udp", "53:53/udp"),
        ("8001-8010:80", "8001-8010:80"),
        ("8001-8001:80", "8001:80"),
        ("127.0.0.1:1:65535", "127.0.0.1:1:65535"),
        ("[::1]:8080:80", "[::1]:8080:80"),
        ("[0:0::1]:1-2:80/udp", "[::1]:1-2:80/udp"),
    ] {
        check(&format!("ports = [\"{typed}\"]"), &format!("ports = [\"{shown}\"]"));
    }
}

#[test]
fn volumes() {
    for (typed, shown) in [
        ("data:/data", "data:/data"),
        ("data:/data/../x//y/", "data:/x/y"),
        ("/etc/../srv:/srv:ro", "/srv:/srv:ro"),
        ("a.b-c_d:/d:shared", "a.b-c_d:/d:shared"),
        ("/:/host:ro", "/:/host:ro"),
    ] {
        check(&format!("volumes = [\"{typed}\"]"), &format!("volumes = [\"{shown}\"]"));
    }
}

#[test]
fn references() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    for reference in [
        "nginx",
        "nginx:1.27",
        "library/nginx",
        "localhost/app",
        "localhost:5000/app:v1_2.3-x",
        "registry.example.com/a/b/c",
        "127.0.0.1:5000/app",
        "[::1]:5000/app",
        "REGISTRY.example.com/app",
        "a__b/c.d/e--f",
        &format!("app@{digest}"),
        &format!("app:v1@{digest}"),
    ] {
        check(
            &format!("[images.ready]\nreference = \"{reference}\"\n[services.ready]"),
            &format!("reference = \"{reference}\""),
        );
    }
}

#[test]
fn signals() {
    for (typed, shown) in
        [("SIGQUIT", "SIGQUIT"), ("quit", "SIGQUIT"), ("RTMIN+3", "SIGRTMIN+3"), ("SIGRTMAX", "SIGRTMAX")]
    {
        check(&format!("stop_signal = \"{typed}\""), &format!("stop_signal = \"{shown}\""));
    }
}

#[test]
fn commands() {
    check("command = [\"a\", \"$B\"]", "command = [\"a\", \"$$B\"]");
    check("command = \"exec a $$1\"", "command = [\"sh\", \"-c\", \"exec a $$1\"]");
}

#[test]
fn counts_of_nothing() {
    // A service can be scaled down to nothing, its demands with it.
    check("replicas = 0\n[deploy]\nmin_healthy = 0", "replicas = 0");
    check("per_host = 0\nports = [\"8080:80\"]\n[deploy]\nmin_healthy = 1", "per_host = 0");
}

#[test]
fn a_range_that_other_services_do_not_reach_is_fine() {
    check(
        "per_host = 2\nports = [\"8001-8010:80\"]\n[services.api]\nimage = \"web\"\nports = [\"8003:80\"]",
        "per_host = 2",
    );
}

#[test]
fn what_may_not_meet_is_fine() {
    const TWO_HOSTS: &str = "[hosts.a]\naddress = \"a\"\n[hosts.b]\naddress = \"b\"\n";
    // One replica each on two hosts: whether they meet is for the planner to see to.
    let elsewhere = "replicas = 1\nports = [\"8080:80\"]\nvolumes = [\"data:/data\"]\n";
    check(&format!("{elsewhere}[services.api]\n{elsewhere}{TWO_HOSTS}"), "replicas = 1");
    // Other addresses, other protocols.
    check(
        "ports = [\"127.0.0.1:80:80\"]\n[services.api]\nports = [\"127.0.0.2:80:80\", \"80:80/udp\"]",
        "per_host = 1",
    );
    // One container sees one volume in two places.
    check("volumes = [\"data:/a\", \"data:/b\"]", "volumes = [\"data:/a\", \"data:/b\"]");
    // Two images on a third.
    let base = "args = { BASE = { image = \"base\" } }\n";
    check(&format!("[images.base]\n[images.x]\n{base}[images.y]\n{base}"), "[images.y.args.BASE]");
}

#[test]
fn the_port_to_ask_is_the_one_that_is_published() {
    check("ports = [\"8080:80\", \"8443:80\", \"53:53/udp\"]\nhealth = { http = \"/\" }", "port = 80");
}
