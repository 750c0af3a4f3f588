//! Documents of dynamic inventories, and what becomes of them.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::command::{json as strict, plain};

/// The hosts of a document that tells all variables.
fn hosts(document: &Value) -> Result<Vec<Host>, Vec<String>> {
    let document = document.as_object().expect("an object");
    assert!(is_meant(document), "{document:?}");
    let told = variables(document).map_err(|fault| vec![fault])?;
    Listed::read(document)?.with(&told.unwrap_or_default())
}

/// `NAME ADDRESS ROLES` of each.
fn told(document: Value) -> Vec<String> {
    let hosts = hosts(&document).unwrap_or_else(|faults| panic!("{document}: {faults:?}"));
    hosts.iter().map(|host| format!("{} {} {}", host.name, host.address, host.roles.join(","))).collect()
}

#[test]
fn what_ansible_inventory_prints_is_understood() {
    let printed = include_str!("printed.json");
    let document = strict::read(printed.as_bytes()).unwrap();
    assert_eq!(
        told(document.clone()),
        [
            "192.0.2.7 192.0.2.7 ",
            "h1 root@192.0.2.1:2222 prod,web",
            "h2 deploy@[2001:db8::1] db,prod,web",
            "here local db,prod",
            "plain plain "
        ]
    );
    assert!(!format!("{:?}", hosts(&document)).contains("hunter22"), "no variable is a label");
}

#[test]
fn every_form_of_a_group_is_understood() {
    let document = json!({
        "web": ["a", "b"],
        "db": { "hosts": ["b"], "vars": { "ansible_port": "2222" } },
        "site": { "children": ["web", "nowhere"] },
        "old": { "ansible_host": "192.0.2.9", "colour": "red" },
        "empty": {"hosts": []},
    });
    assert_eq!(told(document), ["a a site,web", "b b:2222 db,site,web", "old 192.0.2.9 old"]);
    assert_eq!(told(json!({ "_meta": { "hostvars": { "in-no-group": {} } } })), [""; 0]);
    assert_eq!(told(json!({ "hosts": ["a"], "web": ["a"] })), ["a a hosts,web"]);
    assert_eq!(told(json!({ "all": ["a"], "ungrouped": { "hosts": ["b"] } })), ["a a ", "b b "]);
}

#[test]
fn the_nearer_group_says_how_a_host_is_reached_and_the_host_itself_before_all() {
    let of = |more: Value| {
        let mut document = json!({
            "all": { "vars": { "ansible_user": "all" } },
            "top": { "children": ["left", "right"], "vars": { "ansible_user": "top" } },
            "left": ["h"],
            "right": { "hosts": ["h"] },
        });
        for (group, value) in more.as_object().unwrap() {
            document[group] = value.clone();
        }
        told(document).remove(0)
    };
    let user = |user: &str| json!({ "hosts": ["h"], "vars": { "ansible_user": user } });
    assert_eq!(of(json!({ "top": ["x"] })), "h all@h left,right");
    assert_eq!(of(json!({})), "h top@h left,right,top");
    assert_eq!(of(json!({ "left": user("left") })), "h left@h left,right,top");
    assert_eq!(of(json!({ "left": user("left"), "right": user("right") })), "h right@h left,right,top");
    let first = json!({ "hosts": ["h"], "vars": { "ansible_user": "left", "ansible_group_priority": 2 } });
    assert_eq!(of(json!({ "left": first, "right": user("right") })), "h left@h left,right,top");
    let own = json!({ "hostvars": { "h": { "ansible_user": "own" } } });
    assert_eq!(of(json!({ "left": user("left"), "_meta": own })), "h own@h left,right,top");
}

#[test]
fn variables_say_how_a_host_is_reached() {
    let of = |variables: Value| {
        let document = json!({ "g": ["h"], "_meta": { "hostvars": { "h": variables } } });
        hosts(&document).map(|hosts| hosts[0].address.clone()).map_err(|mut faults| faults.remove(0))
    };
    let good = [
        (json!({}), "h"),
        (json!({ "ansible_host": null, "ansible_connection": "ssh" }), "h"),
        (json!({ "ansible_host": "a", "ansible_port": 22, "ansible_user": "u" }), "u@a:22"),
        (
            json!({ "ansible_ssh_host": "b", "ansible_host": "a", "ansible_ssh_port": "23", "ansible_ssh_user": "v" }),
            "v@b:23",
        ),
        (json!({ "ansible_host": { "__ansible_unsafe": "a" } }), "a"),
        (json!({ "ansible_host": "2001:db8::1", "ansible_port": 22 }), "[2001:db8::1]:22"),
        (json!({ "ansible_host": "[fe80::1%eth0]" }), "[fe80::1%eth0]"),
        (json!({ "ansible_connection": "local", "ansible_host": "a", "ansible_user": "u" }), "local"),
        (json!({ "ansible_connection": "ansible.builtin.local" }), "local"),
        (json!({ "ansible_connection": "smart", "ansible_ssh_private_key_file": "k" }), "h"),
    ];
    for (variables, address) in good {
        assert_eq!(of(variables.clone()), Ok(address.to_owned()), "{variables}");
    }
    let bad = [
        (json!({ "ansible_host": "" }), "`ansible_host` of host `h` is empty"),
        (json!({ "ansible_host": ["hunter22"] }), "`ansible_host` of host `h` is a list, and no string"),
        (
            json!({ "ansible_host": "a:22" }),
            "`ansible_host` of host `h` is neither a host's name nor an IP address",
        ),
        (json!({ "ansible_host": "local" }), "`ansible_host` of host `h` is `local`, which is this machine"),
        (json!({ "ansible_host": "{{ hunter22 }}" }), "`ansible_host` of host `h` is a template"),
        (json!({ "ansible_port": 0 }), "`ansible_port` of host `h` is not between 1 and 65535"),
        (json!({ "ansible_port": "hunter22" }), "`ansible_port` of host `h` is not between"),
        (
            json!({ "ansible_user": { "__ansible_vault": "hunter22" } }),
            "`ansible_user` of host `h` is encrypted",
        ),
        (json!({ "ansible_user": true }), "`ansible_user` of host `h` is true or false, and no string"),
        (json!({ "ansible_connection": "winrm" }), "`ansible_connection` of host `h` is `winrm`"),
    ];
    for (variables, why) in bad {
        let told = of(variables.clone()).unwrap_err();
        assert!(told.starts_with(why) && !told.contains("hunter22"), "{variables}: {told}");
    }
    let document = json!({ "g": ["local"] });
    assert!(hosts(&document).unwrap_err()[0].starts_with("the name of host `local` is `local`"));
}

#[test]
fn groups_that_cannot_be_roles_are_a_label() {
    let document =
        json!({ "web": ["a"], "_tag": ["a"], "two words": { "children": ["web"] }, "ungrouped": ["b"] });
    let hosts = hosts(&document).unwrap();
    assert_eq!(
        (hosts[0].roles.join(","), &*hosts[0].labels["ansible.groups"]),
        ("web".into(), "_tag, two words")
    );
    assert!(hosts[1].labels.is_empty() && hosts[1].roles.is_empty());
}

#[test]
fn what_is_broken_is_named() {
    let cases = [
        (json!({ "_meta": 1 }), "`_meta` is a number, and no object"),
        (json!({ "_meta": { "hostvars": [] } }), "`_meta.hostvars` is a list, and no object"),
        (
            json!({ "_meta": { "hostvars": { "h": 1 } } }),
            "`_meta.hostvars` of host `h` is a number, and no object",
        ),
        (json!({ "_meta": {}, "g": null }), "group `g` is null, and neither a list nor an object"),
        (json!({ "_meta": {}, "g": "h" }), "group `g` is a string, and neither a list nor an object"),
        (json!({ "g": [1] }), "entry 1 of group `g` is a number, and no name"),
        (json!({ "g": { "hosts": "h" } }), "`hosts` of group `g` is a string, and no list"),
        (json!({ "g": { "hosts": { "h": {} } } }), "`hosts` of group `g` is an object, and no list"),
        (json!({ "g": { "hosts": ["h", {}] } }), "entry 2 of `hosts` of group `g` is an object, and no name"),
        (json!({ "g": { "vars": [] } }), "`vars` of group `g` is a list, and no object"),
        (json!({ "g": { "children": {} } }), "`children` of group `g` is an object, and no list"),
        (json!({ "g": { "children": ["g"] } }), "group `g` is a child of itself"),
        (
            json!({ "a": { "children": ["b", "x"] }, "b": { "children": ["c"] }, "c": { "children": ["a"] } }),
            "groups are children of each other: `b` has `c` has `a` has `b`",
        ),
        (
            json!({ "a": { "children": ["all"] } }),
            "groups are children of each other: `all` has `a` has `all`",
        ),
    ];
    for (document, why) in cases {
        assert_eq!(hosts(&document), Err(vec![why.to_owned()]), "{document}");
    }
    let both = json!({ "g": { "hosts": 1 }, "h": { "hosts": 2 } });
    assert_eq!(hosts(&both).unwrap_err().len(), 2);
}

#[test]
fn the_two_forms_are_told_apart() {
    let plain = [
        json!({}),
        json!({ "hosts": [] }),
        json!({ "hosts": ["192.0.2.1"] }),
        json!({ "hosts": [{ "name": "a" }] }),
        json!({ "hosts": { "a": "192.0.2.1" } }),
        json!({ "a": "192.0.2.1", "b": { "address": "c" } }),
    ];
    let groups = [
        json!({ "_meta": {} }),
        json!({ "_meta": { "hostvars": {} }, "a": "b" }),
        json!({ "a": [] }),
        json!({ "hosts": ["a"], "b": [] }),
        json!({ "hosts": { "hosts": ["a"] } }),
        json!({ "a": { "children": ["b"] } }),
        json!({ "a": { "vars": {} } }),
        json!({ "a": { "ansible_host": "b" } }),
    ];
    for document in plain {
        assert!(!is_meant(document.as_object().unwrap()), "{document}");
    }
    for document in groups {
        assert!(is_meant(document.as_object().unwrap()), "{document}");
    }
}

/// Any JSON, with the words that mean something.
fn documents() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "a",
        "b",
        "hosts",
        "children",
        "vars",
        "_meta",
        "hostvars",
        "all",
        "address",
        "name",
        "roles",
        "ansible_host",
        "ansible_port",
        "192.0.2.1",
        "local",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..5)
                .prop_map(|object| object.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_printed_is_hosts_or_a_fault_in_words(document in documents()) {
        let read = match &document {
            Value::Object(groups) if is_meant(groups) => hosts(&document),
            _ => plain::hosts(&document),
        };
        match read {
            Ok(_) => {}
            Err(faults) => prop_assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.is_empty())),
        }
    }

    /// Groups are in those of a smaller number, so there is no circle.
    #[test]
    fn a_host_has_the_roles_of_all_groups_that_its_own_are_in(
        edges in prop::collection::vec((0_usize..8, 0_usize..8), 0..20),
        members in prop::collection::vec((0_usize..4, 0_usize..8), 1..10),
    ) {
        let edges: Vec<_> = edges.into_iter().filter(|(above, below)| above < below).collect();
        let mut document = Map::new();
        for group in 0..8 {
            let children: Vec<_> =
                edges.iter().filter(|edge| edge.0 == group).map(|edge| format!("g{}", edge.1)).collect();
            let inside: Vec<_> =
                members.iter().filter(|member| member.1 == group).map(|member| format!("h{}", member.0)).collect();
            document.insert(format!("g{group}"), json!({ "children": children, "hosts": inside }));
        }
        for host in hosts(&document.into()).unwrap() {
            let mut expected: BTreeSet<usize> =
                members.iter().filter(|member| format!("h{}", member.0) == host.name).map(|member| member.1).collect();
            for _ in 0..8 {
                let above: Vec<_> = edges.iter().filter(|edge| expected.contains(&edge.1)).map(|edge| edge.0).collect();
                expected.extend(above);
            }
            let expected: Vec<_> = expected.iter().map(|group| format!("g{group}")).collect();
            prop_assert_eq!(host.roles, expected);
        }
    }

    #[test]
    fn a_circle_is_found_wherever_it_is(length in 1_usize..9, spokes in prop::collection::vec((0_usize..9, 0_usize..9), 0..9)) {
        let mut document = Map::new();
        for group in 0..length {
            document.insert(format!("c{group}"), json!({ "children": [format!("c{}", (group + 1) % length)] }));
        }
        for (index, (from, to)) in spokes.into_iter().enumerate() {
            let (from, to) = (from % length, to % length);
            document.insert(format!("in{index}"), json!({ "children": [format!("c{from}")], "hosts": [format!("h{to}")] }));
        }
        let fault = hosts(&document.into()).unwrap_err().remove(0);
        prop_assert_eq!(fault.matches(" has ").count(), if length == 1 { 0 } else { length });
        prop_assert!(fault.contains("`c0`"), "{}", fault);
    }
}
