//! What hosts become of a list that the aws tool has printed. Pure.
//!
//! `recorded.json` was printed by aws 1.45 for instances of moto 5.2, made with it: two with one name in one
//! reservation, one with IPv6 and no public address, one that is terminated, one without tags. Left out are fields that
//! nobody reads; its public addresses are those of documentation.

use cloudpad_plugin_api::model::Host;
use serde_json::{Value, json};

use super::*;
use crate::instance;

const RECORDED: &str = include_str!("../../tests/recorded.json");

fn config(config: Value) -> Config {
    serde_json::from_value(config).unwrap()
}

fn recorded() -> Vec<Instance> {
    instance::read(RECORDED.as_bytes()).unwrap()
}

/// Those of them with the tag `env`, and what the config makes of them.
fn tagged(value: Value) -> Result<Vec<Host>, Failure> {
    let instances: Vec<_> = recorded().into_iter().filter(|instance| instance.tag("env").is_some()).collect();
    of(&config(value), &instances)
}

/// One instance with these fields more.
fn instance(fields: Value) -> Instance {
    let mut all = json!({ "InstanceId": "i-1", "PrivateIpAddress": "10.0.0.1" });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn tags(tags: &[(&str, &str)]) -> Value {
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({ "Tags": tags })
}

#[test]
fn what_is_terminated_is_no_host_and_all_others_are() {
    let hosts = of(&config(json!({})), &recorded()).unwrap();
    let seen: Vec<_> = hosts.iter().map(|host| (host.name.as_str(), host.address.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("web-i-0a1", "10.224.124.237"),
            ("web-i-0a2", "10.55.68.23"),
            ("Datenbank-f-r-J-rgen", "10.9.1.123"),
            ("i-0d1", "10.135.91.182"),
        ]
    );
}

#[test]
fn tags_and_what_else_tells_instances_apart_are_labels() {
    let hosts = of(&config(json!({})), &recorded()).unwrap();
    let labels: Vec<_> = hosts[0].labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        labels,
        [
            "Name=web",
            "Roles=web, api",
            "ec2.availability-zone=eu-central-1a",
            "ec2.image-id=ami-12345678",
            "ec2.instance-id=i-0a1",
            "ec2.instance-type=t3.small",
            "ec2.vpc-id=vpc-982fbb1edca8a2327",
            "env=prod",
            "note=",
        ]
    );
}

#[test]
fn the_address_is_the_one_that_is_chosen() {
    for (from, expected) in [
        ("private-ip", "10.0.0.1"),
        ("public-ip", "203.0.113.9"),
        ("ipv6", "2001:db8::9"),
        ("private-dns", "a.internal"),
        ("public-dns", "a.example"),
        ("tag:ssh", "bastion-9"),
    ] {
        let one = instance(json!({
            "PublicIpAddress": "203.0.113.9", "PrivateDnsName": "a.internal", "PublicDnsName": "a.example",
            "NetworkInterfaces": [{}, { "Ipv6Addresses": [{ "Ipv6Address": "2001:db8::9" }] }],
            "Tags": [{ "Key": "ssh", "Value": " bastion-9 " }],
        }));
        let hosts = of(&config(json!({ "address": from })), &[one]).unwrap();
        assert_eq!(hosts[0].address, expected);
    }
}

#[test]
fn user_and_port_are_what_the_address_leaves_open() {
    for (address, written, expected) in [
        ("private-ip", "", "admin@10.0.0.1:2222"),
        ("tag:ssh", "h1", "admin@h1:2222"),
        ("tag:ssh", "root@h1", "root@h1:2222"),
        ("tag:ssh", "root@h1:22", "root@h1:22"),
        ("tag:ssh", "2001:db8::1", "admin@[2001:db8::1]:2222"),
    ] {
        let one = instance(tags(&[("ssh", written)]));
        let config = config(json!({ "address": address, "user": "admin", "port": 2222 }));
        assert_eq!(of(&config, &[one]).unwrap()[0].address, expected);
    }
}

#[test]
fn every_instance_without_the_address_is_named() {
    let failure = tagged(json!({ "address": "public-ip" })).unwrap_err();
    assert_eq!(failure.message, "EC2 instance `i-0b1` (`Datenbank für Jürgen`) has no `public-ip`");
    let failure = tagged(json!({ "address": "tag:ssh" })).unwrap_err();
    assert_eq!(
        failure.message,
        "EC2 instances `i-0a1` (`web`), `i-0a2` (`web`), `i-0b1` (`Datenbank für Jürgen`) have no tag `ssh`, which is to say its address"
    );
    // What EC2 leaves empty is not there either.
    let many: Vec<_> =
        (0..12).map(|n| instance(json!({ "InstanceId": format!("i-{n}"), "PublicDnsName": "" }))).collect();
    let failure = of(&config(json!({ "address": "public-dns" })), &many).unwrap_err();
    assert!(failure.message.ends_with("`i-9`, 2 more have no `public-dns`"), "{failure}");
}

#[test]
fn a_tag_that_is_no_address_is_told_with_its_instance() {
    for (written, why) in
        [("local", "`local` is this machine, and no instance"), ("-oX=y", "`-oX=y` begins with `-`")]
    {
        let one = instance(tags(&[("Name", "web"), ("ssh", written)]));
        let failure = of(&config(json!({ "address": "tag:ssh" })), &[one]).unwrap_err();
        let said =
            format!("`tag:ssh` of EC2 instance `i-1` (`web`) is `{written}`, which is no address: {why}");
        assert_eq!(failure.message, said);
    }
}

#[test]
fn names_are_such_as_selectors_can_say() {
    for (tag, expected) in [
        ("web1.example", "web1.example"),
        ("web 1 (old)", "web-1--old"),
        ("-_web", "web"),
        ("日本", "i-1"),
        ("", "i-1"),
    ] {
        let one = instance(tags(&[("Name", tag)]));
        assert_eq!(of(&config(json!({})), &[one]).unwrap()[0].name, expected, "{tag}");
    }
    let one = instance(tags(&[("Name", "web"), ("host", "db")]));
    assert_eq!(of(&config(json!({ "name_tag": "host" })), &[one]).unwrap()[0].name, "db");
}

#[test]
fn names_do_not_depend_on_the_order() {
    let mut instances = recorded();
    let names = |instances: &[Instance]| {
        let mut names: Vec<_> =
            of(&config(json!({})), instances).unwrap().into_iter().map(|host| host.name).collect();
        names.sort();
        names
    };
    let before = names(&instances);
    instances.reverse();
    assert_eq!(names(&instances), before);
}

#[test]
fn roles_are_those_of_the_config_and_those_of_the_tag() {
    let fixed = json!({ "roles": ["all"], "roles_tag": "Roles" });
    let hosts = tagged(fixed.clone()).unwrap();
    let roles: Vec<_> = hosts.iter().map(|host| host.roles.join("+")).collect();
    assert_eq!(roles, ["all+web+api", "all+web+api", "all"]);
    let roles = |text: &str| {
        of(&config(fixed.clone()), &[instance(tags(&[("Roles", text)]))])
            .map(|hosts| hosts[0].roles.join("+"))
    };
    assert_eq!(roles("a,b,,a all  c").unwrap(), "all+a+b+c");
    assert_eq!(
        roles("web*").unwrap_err().message,
        "tag `Roles` of EC2 instance `i-1` has `web*`, which cannot be a role"
    );
}

#[test]
fn there_may_be_thousands() {
    let web = serde_json::from_str::<Value>(RECORDED).unwrap()["Reservations"][0]["Instances"][0].clone();
    let numbered = |n: usize| {
        let mut one = web.clone();
        one["InstanceId"] = json!(format!("i-{n}"));
        json!({ "Instances": [one] })
    };
    let printed = json!({ "Reservations": (0..2500).map(numbered).collect::<Vec<_>>() }).to_string();
    let hosts = of(&config(json!({})), &instance::read(printed.as_bytes()).unwrap()).unwrap();
    let names: std::collections::BTreeSet<_> = hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names.len(), 2500);
    assert!(names.contains("web-i-2499"));
}
