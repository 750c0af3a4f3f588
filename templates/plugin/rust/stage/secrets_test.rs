#[test]
fn to_get_secrets_is_not_written_yet() {
    let failed = call("secrets.get", json!({ "names": ["token"] }), Value::Null).unwrap_err();
    assert!(failed.message.contains("not written yet"), "{failed}");
}
