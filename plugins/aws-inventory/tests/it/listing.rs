//! Which instances become hosts, and what is told of them.

use std::process::Command;

use serde_json::json;

use crate::moto::tools;
use crate::support::{call, ec2};

#[test]
fn tags_and_filters_choose_what_runs() {
    let region = "eu-north-1";
    ec2().run(region, 1, &[("Name", "web"), ("env", "prod"), ("tier", "web")]);
    ec2().run(region, 1, &[("Name", "api"), ("env", "prod"), ("tier", "api")]);
    ec2().run(region, 1, &[("Name", "other"), ("env", "dev"), ("tier", "web")]);
    let stopped = ec2().run(region, 1, &[("Name", "old"), ("env", "prod")]);
    let gone = ec2().run(region, 1, &[("Name", "gone"), ("env", "prod")]);
    ec2().aws(region, &["ec2", "stop-instances", "--instance-ids", &stopped[0]]);
    ec2().aws(region, &["ec2", "terminate-instances", "--instance-ids", &gone[0]]);
    for (config, expected) in [
        (json!({}), &["api", "other", "web"][..]),
        (json!({ "tags": { "env": "prod" } }), &["api", "web"]),
        (json!({ "tags": { "env": "prod", "tier": ["web", "db"] } }), &["web"]),
        (json!({ "tags": { "env": "*" } , "filters": { "tag:tier": "web" } }), &["other", "web"]),
        (json!({ "filters": { "instance-state-name": ["stopped", "terminated"] } }), &["old"]),
        (json!({ "filters": { "instance-type": "t3.small", "tag-key": "tier" } }), &["api", "other", "web"]),
    ] {
        assert_eq!(call(ec2(), &[region]).config(config.clone()).names(), expected, "{config}");
    }
}

#[test]
fn a_host_has_the_roles_address_and_labels_of_its_instance() {
    let region = "eu-south-1";
    ec2().run(region, 1, &[("Name", "größer"), ("roles", "web db"), ("ssh", "h1"), ("owner", "a,b=[c]")]);
    let config = json!({ "roles_tag": "roles", "address": "tag:ssh", "user": "deploy", "tags": { "owner": "a,b=[c]" } });
    // Nobody's locale spoils what is not ASCII.
    let odd = [("LC_ALL", "C"), ("PYTHONCOERCECLOCALE", "0"), ("PYTHONUTF8", "0")];
    let call = odd
        .into_iter()
        .fold(call(ec2(), &[region]).config(config), |call, (name, value)| call.set(name, value));
    let hosts = call.list().unwrap();
    assert_eq!(hosts.len(), 1);
    assert_eq!((hosts[0].name.as_str(), hosts[0].address.as_str()), ("gr--er", "deploy@h1"));
    assert_eq!(hosts[0].roles, ["web", "db"]);
    assert_eq!(hosts[0].labels["Name"], "größer");
    assert_eq!(hosts[0].labels["ec2.instance-type"], "t3.small");
    assert_eq!(hosts[0].labels["ec2.availability-zone"], "eu-south-1a");
}

#[test]
fn several_regions_are_asked_and_else_the_tools_own() {
    let (here, there) = ("eu-west-1", "eu-west-2");
    ec2().run(here, 1, &[("Name", "a"), ("test", "regions")]);
    let ids = ec2().run(there, 2, &[("Name", "b"), ("test", "regions")]);
    let config = || json!({ "tags": { "test": "regions" } });
    let mut all = vec!["a".to_owned(), format!("b-{}", ids[0]), format!("b-{}", ids[1])];
    all.sort();
    assert_eq!(call(ec2(), &[here, there]).config(config()).names(), all);
    assert_eq!(call(ec2(), &[]).config(config()).set("AWS_DEFAULT_REGION", here).names(), ["a"]);
}

#[test]
fn all_pages_are_asked_for() {
    // Each instance has a reservation of its own here, of which the server tells a hundred at once.
    let (region, count) = ("eu-west-3", 150);
    let script = "import sys, botocore.session as session\n\
                  ec2 = session.get_session().create_client('ec2', region_name=sys.argv[1], endpoint_url=sys.argv[2])\n\
                  for _ in range(int(sys.argv[3])): ec2.run_instances(ImageId='ami-12345678', MinCount=1, MaxCount=1)";
    let mut python = Command::new(tools().join("python"));
    python.args(["-c", script, region, &ec2().url, &count.to_string()]).envs(crate::moto::environment());
    assert!(python.status().unwrap().success());
    let page = ec2().aws(region, &["ec2", "describe-instances", "--no-paginate"]);
    assert_eq!(page["Reservations"].as_array().unwrap().len(), 100);
    assert!(page["NextToken"].is_string());
    assert_eq!(call(ec2(), &[region]).names().len(), count);
}
