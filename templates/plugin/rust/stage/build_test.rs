fn recipe(dockerfile: &str) -> Value {
    let source = json!({ "name": "app", "path": env!("CARGO_MANIFEST_DIR").to_owned() + "/src" });
    json!({ "name": "web", "repository": "shop.web", "source": source, "context": ".", "dockerfile": dockerfile })
}

#[test]
fn a_tag_is_made_from_what_goes_into_the_build() {
    let reference = |dockerfile| {
        let seen = call(
            "build.observe",
            json!({ "recipes": [recipe(dockerfile)], "cache": "/none" }),
            Value::Null,
        );
        let image = seen.unwrap()["images"][0].take();
        assert_eq!(
            (&image["name"], &image["built"]),
            (&json!("web"), &json!(false))
        );
        image["reference"].as_str().unwrap().to_owned()
    };
    assert!(reference("Dockerfile").starts_with("shop.web:"));
    assert_eq!(reference("Dockerfile"), reference("Dockerfile"));
    assert_ne!(reference("Dockerfile"), reference("other"));
}

#[test]
fn to_build_is_not_written_yet() {
    let asked = json!({ "recipe": recipe("Dockerfile"), "reference": "shop.web:1" });
    let failed = call("build.run", asked, Value::Null).unwrap_err();
    assert!(failed.message.contains("not written yet"), "{failed}");
}
