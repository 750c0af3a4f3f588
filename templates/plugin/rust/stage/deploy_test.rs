#[test]
fn a_host_is_empty_and_nothing_else_is_written_yet() {
    let on = |more: Value| {
        let mut params =
            json!({ "host": { "name": "h1", "address": "local" }, "project": { "name": "shop" } });
        params
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        params
    };
    let seen = call("deploy.observe", on(json!({})), Value::Null);
    assert_eq!(seen.unwrap()["containers"], json!([]));
    let start = json!({ "instance": { "service": "web", "number": 1 }, "release": "1", "container": "c",
                        "spec_id": "1", "spec": { "image": "app:1", "stop_timeout": 10 } });
    let route = json!({ "proxy": { "image": "proxy:1", "http_port": 80, "https_port": 443 }, "service": "web" });
    for (method, more) in [
        ("deploy.pull", json!({ "image": "app:1" })),
        ("deploy.start", start),
        (
            "deploy.ready",
            json!({ "container": "c", "settle_ms": 1, "timeout_ms": 1 }),
        ),
        (
            "deploy.stop",
            json!({ "container": { "name": "c" }, "timeout": 10 }),
        ),
        ("deploy.remove", json!({})),
        (
            "deploy.run",
            json!({ "release": "1", "container": "c", "spec": { "image": "app:1", "stop_timeout": 10 } }),
        ),
        (
            "deploy.exec",
            json!({ "container": { "name": "c" }, "command": ["true"] }),
        ),
        ("deploy.route", route),
        ("deploy.record", json!({})),
        ("deploy.logs", json!({})),
    ] {
        let failed = call(method, on(more), Value::Null).unwrap_err();
        assert!(failed.message.contains("not written yet"), "{failed}");
    }
}
