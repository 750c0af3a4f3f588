//! Hellos, good and bad.

use serde_json::json;

use super::*;

fn hello(change: impl FnOnce(&mut Value)) -> Value {
    let mut hello = json!({
        "t": "hello", "name": "cloudpad-aws", "version": "1", "protocols": [1], "new": true,
        "provides": [{ "stage": "inventory", "provider": "aws", "methods": ["config.check", "inventory.list"] }],
    });
    change(&mut hello);
    hello
}

fn words(verdict: Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Warning { why, mend } => format!("warning: {why}; {mend}"),
        Verdict::Failed { why, mend } => format!("failed: {why}; {mend}"),
        Verdict::Skipped { why } => format!("skipped: {why}"),
    }
}

#[test]
fn hellos() {
    let set = |at: &'static str, value: Value| hello(|hello| *hello.pointer_mut(at).unwrap() = value);
    let offer = "/provides/0";
    let cases = [
        (hello(|_| {}), "passed"),
        (set("/protocols", json!([9])), "failed: its `protocols` are [9], and this Cloudpad speaks 1"),
        (set("/protocols", json!([2, 1])), "passed"),
        (set("/protocols", json!("1")), "failed: its hello is not understood: invalid type"),
        (set("/name", json!("")), "failed: its `name` is empty"),
        (set("/version", json!("")), "warning: it says no `version`"),
        (set("/provides", json!([])), "failed: it provides nothing for any stage"),
        (set("/provides/0/stage", json!("dns")), "failed: it provides nothing for any stage"),
        (set("/provides/0/provider", json!("A")), "failed: `A` cannot be a provider's name"),
        (
            set("/provides/0/methods", json!(["config.check"])),
            "failed: provider `aws` of stage `inventory` does not offer `inventory.list`",
        ),
        (set("/provides/0/methods", json!(["inventory.list"])), "passed"),
        (
            set(
                "/provides/0",
                json!({ "stage": "deploy", "provider": "x", "methods": [
                "deploy.observe", "deploy.start", "deploy.ready", "deploy.stop", "deploy.remove"] }),
            ),
            "warning: provider `x` of stage `deploy` does not offer `deploy.pull`",
        ),
        (
            set(
                "/provides/0",
                json!({ "stage": "deploy", "provider": "x", "methods": ["deploy.observe", "deploy.pull"] }),
            ),
            "failed: provider `x` of stage `deploy` does not offer `deploy.start`",
        ),
        (
            set(
                "/provides/0",
                json!({ "stage": "deploy", "provider": "x", "methods": [
                "cluster.observe", "cluster.apply", "cluster.ready", "cluster.remove", "cluster.record", "cluster.logs"] }),
            ),
            "passed",
        ),
        (
            set(
                "/provides/0",
                json!({ "stage": "deploy", "provider": "x", "methods": ["cluster.apply", "cluster.observe", "cluster.remove"] }),
            ),
            "failed: provider `x` of stage `deploy` does not offer `cluster.ready`",
        ),
        (
            set("/provides/0/methods", json!(["inventory.list", "push.run"])),
            "failed: provider `aws` of stage `inventory` offers `push.run`, which is no method of that stage; offer it in",
        ),
        (
            set("/provides/0/methods", json!(["inventory.list", "inventory.dream"])),
            "warning: provider `aws` of stage `inventory` offers `inventory.dream`",
        ),
        (
            hello(|hello| {
                let again = hello.pointer(offer).cloned().unwrap();
                hello["provides"].as_array_mut().unwrap().push(again);
            }),
            "failed: it provides `aws` for stage `inventory` twice",
        ),
        (
            hello(|hello| hello["provides"].as_array_mut().unwrap().push(json!({ "stage": "dns" }))),
            "warning: some of what it provides is for a stage",
        ),
    ];
    for (hello, expected) in cases {
        let told = words(read(&hello).0);
        assert!(told.starts_with(expected), "{expected}: {told}");
    }
}

#[test]
fn names_of_files() {
    let offers = |names: &[&str]| -> Vec<Provides> {
        let offer = |name: &&str| {
            serde_json::from_value(json!({ "stage": "push", "provider": name, "methods": [] })).unwrap()
        };
        names.iter().map(offer).collect()
    };
    let cases: [(&str, &[&str], &str); 6] = [
        ("cloudpad-aws", &["aws"], "passed"),
        ("libcloudpad_aws_push.so", &["aws"], "passed"),
        ("plugin.py", &["aws"], "skipped: its file is not called `cloudpad-NAME`"),
        (
            "cloudpad-aws-deploy",
            &["aws"],
            "failed: provider `aws` of stage `push` is not found by the name `cloudpad-aws-deploy`",
        ),
        ("cloudpad-gcp", &["aws"], "failed: provider `aws`"),
        ("cloudpad-gcp", &["gcp", "aws"], "warning: provider `aws`"),
    ];
    for (file, names, expected) in cases {
        let told = words(file_name(OsStr::new(file), &offers(names)));
        assert!(told.starts_with(expected), "{expected}: {told}");
    }
}
