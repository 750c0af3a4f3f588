#[test]
fn to_push_is_not_written_yet() {
    let asked = json!({ "reference": "app:1", "host": { "name": "h1", "address": "local" } });
    let failed = call("push.run", asked, Value::Null).unwrap_err();
    assert!(failed.message.contains("not written yet"), "{failed}");
}
