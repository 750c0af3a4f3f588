fn source(location: Value) -> Value {
    json!({ "name": "app", "location": location, "cache": "/none" })
}

#[test]
fn a_directory_is_used_as_it_is_and_prepared() {
    let dir = std::env::temp_dir();
    let app = source(json!({ "type": "directory", "path": dir }));
    let resolved = call("source.resolve", app.clone(), Value::Null).unwrap();
    assert_eq!(
        (&resolved["path"], &resolved["pinned"]),
        (&json!(dir), &json!(false))
    );
    let fetch = |command: Value| {
        call(
            "source.fetch",
            json!({ "source": app, "prepare": [command] }),
            Value::Null,
        )
    };
    assert_eq!(
        fetch(json!(["true"])),
        Ok(json!({ "path": dir, "changed": false }))
    );
    assert_eq!(
        fetch(json!(["sh", "-c", "echo why; exit 3"]))
            .unwrap_err()
            .causes,
        ["why"]
    );
}

#[test]
fn other_sources_are_not_written_yet() {
    let git = source(json!({ "type": "git", "url": "x", "reference": { "type": "default" } }));
    let failed = call("source.resolve", git, Value::Null).unwrap_err();
    assert!(failed.message.contains("not written yet"), "{failed}");
}
