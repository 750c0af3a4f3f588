#[test]
fn the_hosts_of_the_config_are_listed() {
    let hosts =
        json!({ "hosts": [{ "name": "h1", "address": "deploy@192.0.2.11", "roles": ["web"] }] });
    assert_eq!(call("inventory.list", json!({}), hosts.clone()), Ok(hosts));
    let refused = call(
        "config.check",
        json!({ "stage": "inventory" }),
        json!({ "hosts": [{ "name": "h1" }] }),
    );
    assert_eq!(refused.unwrap_err().kind, FailureKind::Invalid);
}
