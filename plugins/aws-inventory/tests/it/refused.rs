//! Why there is no list, in words about AWS, with what the aws tool has said as the cause.

use std::fs;
use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::{Failure, FailureKind, Outcome};
use serde_json::json;

use crate::moto::{Moto, tools};
use crate::support::{Call, call, ec2};

const REGION: &str = "ap-south-1";
const BEGIN: &str = "could not list EC2 instances in region `ap-south-1`: ";

fn without_credentials() -> Call {
    call(ec2(), &[REGION])
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .set("HOME", "/nonexistent")
}

/// A home with this `~/.aws/config`.
fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
    fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

fn with_home(home: &Path) -> Call {
    without_credentials().set("HOME", home.to_str().unwrap())
}

/// A folder with a program `aws` that is this line of shell.
fn aws(line: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Another process writes it: what is open for writing does not run, and each child of ours holds it for a moment.
    let script = "printf '#!/bin/sh\\n%s\\n' \"$1\" >aws && chmod 755 aws";
    let made = Command::new("sh").args(["-c", script, "sh", line]).current_dir(folder.path()).status();
    assert!(made.unwrap().success());
    folder
}

#[track_caller]
fn expect(failure: &Failure, kind: FailureKind, why: &str, cause: &str, hint: &str) {
    assert_eq!((failure.kind, failure.outcome), (kind, Outcome::None), "{failure:?}");
    assert_eq!(failure.message, format!("{BEGIN}{why}"), "{failure:?}");
    assert!(failure.causes.join("\n").contains(cause), "{failure:?}");
    assert!(failure.hint.as_ref().is_some_and(|text| text.contains(hint)), "{failure:?}");
}

#[test]
fn no_aws_tool() {
    let empty = tempfile::tempdir().unwrap();
    let failure = call(ec2(), &[REGION]).set("PATH", empty.path().to_str().unwrap()).refused();
    assert_eq!(failure.message, "could not run `aws ec2 describe-instances`: there is no program `aws`");
    assert!(failure.hint.unwrap().starts_with("install the AWS command line interface"));
}

#[test]
fn something_else_is_called_aws() {
    let folder = aws("echo hello");
    let failure = call(ec2(), &[REGION]).set("PATH", folder.path().to_str().unwrap()).refused();
    assert!(failure.message.contains("printed what is no list of instances: expected value"), "{failure}");
    assert_eq!(failure.causes, ["it begins with `hello`"]);
}

#[test]
fn no_credentials_and_no_such_profile() {
    let failure = without_credentials().refused();
    expect(
        &failure,
        FailureKind::Unreachable,
        "the aws tool has no credentials",
        "Unable to locate",
        "aws sso login",
    );
    let failure = call(ec2(), &[REGION]).config(json!({ "profile": "shop" })).refused();
    expect(
        &failure,
        FailureKind::Invalid,
        "the aws tool has no such profile",
        "(shop)",
        "aws configure list-profiles",
    );
}

#[test]
fn no_region() {
    let failure = call(ec2(), &[]).set("HOME", "/nonexistent").refused();
    assert_eq!(failure.message, "could not list EC2 instances: no region is named anywhere");
    assert!(failure.hint.unwrap().contains("regions = [\"eu-central-1\"]"));
}

#[test]
fn a_session_that_has_ended() {
    let home = home(
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.invalid/start\n",
    );
    let ended = "your AWS session has ended";
    let failure = with_home(home.path()).refused();
    expect(&failure, FailureKind::Unreachable, ended, "Token for s does not exist", "aws sso login");
    // The tool keeps the session `s` in a file that is called by the SHA-1 of its name.
    let file = ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json";
    fs::write(home.path().join(file), r#"{"accessToken":"x","expiresAt":"2020-01-01T00:00:00Z"}"#).unwrap();
    let failure = with_home(home.path()).refused();
    expect(&failure, FailureKind::Unreachable, ended, "Token has expired", "aws sso login");
}

#[test]
fn a_code_that_nobody_can_type() {
    let home = home(
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n\
         mfa_serial = arn:aws:iam::123456789012:mfa/u\n\
         [profile base]\naws_access_key_id = test\naws_secret_access_key = test\n",
    );
    let failure = with_home(home.path()).refused();
    let why = "the aws tool wants to ask for an MFA code, and cannot do that here";
    expect(&failure, FailureKind::Unreachable, why, "Enter MFA code", "type the code");
}

#[test]
fn credentials_that_are_wrong_or_may_not() {
    // So many calls need no permission: those that make a user with a key.
    let moto = Moto::start(&[("INITIAL_NO_AUTH_ACTION_COUNT", "2")]);
    moto.aws(REGION, &["iam", "create-user", "--user-name=u"]);
    let key = moto.aws(REGION, &["iam", "create-access-key", "--user-name=u"])["AccessKey"].clone();
    let failure = call(&moto, &[REGION]).refused();
    let unknown = "AWS does not know these credentials";
    expect(&failure, FailureKind::Unreachable, unknown, "AuthFailure", "still valid");
    let with_key = |secret: &str| {
        let id = key["AccessKeyId"].as_str().unwrap();
        call(&moto, &[REGION]).set("AWS_ACCESS_KEY_ID", id).set("AWS_SECRET_ACCESS_KEY", secret)
    };
    let failure = with_key("wrong").refused();
    assert!(failure.message.ends_with(unknown), "{failure:?}");
    let failure = with_key(key["SecretAccessKey"].as_str().unwrap()).refused();
    expect(&failure, FailureKind::Unreachable, "access is denied", "AccessDenied", "`ec2:DescribeInstances`");
}

#[test]
fn an_endpoint_that_nobody_listens_at_or_that_is_not_secure() {
    let failure = call(ec2(), &[REGION]).config(json!({ "endpoint_url": "http://127.0.0.1:9" })).refused();
    let why = "the endpoint cannot be reached";
    expect(&failure, FailureKind::Unreachable, why, "Could not connect to the endpoint URL", "endpoint_url");
    assert!(failure.retryable);
    let secure = ec2().url.replace("http:", "https:");
    let failure = call(ec2(), &[REGION]).config(json!({ "endpoint_url": secure })).refused();
    let why = "no secure connection to the endpoint came about";
    expect(&failure, FailureKind::Unreachable, why, "SSL validation failed", "AWS_CA_BUNDLE");
}

#[test]
fn one_region_of_several_that_fails() {
    ec2().run("us-west-1", 1, &[("Name", "a")]);
    let path = tools().display().to_string();
    let aws =
        aws(&format!("case \"$*\" in *us-west-2*) echo odd >&2; exit 9;; esac; exec {path}/aws \"$@\""));
    let call = |regions| call(ec2(), regions).set("PATH", &format!("{}:{path}:/bin", aws.path().display()));
    assert_eq!(call(&["us-west-1"]).names().len(), 1);
    // The list of the other region would be half a list.
    let failure = call(&["us-west-1", "us-west-2"]).refused();
    assert_eq!(failure.message, "`aws ec2 describe-instances` failed in region `us-west-2`: exit status: 9");
    assert_eq!(failure.causes, ["odd"]);
}

#[test]
fn no_instance_that_matches() {
    let failure =
        call(ec2(), &[REGION, "ap-south-2"]).config(json!({ "tags": { "env": ["a", "b"] } })).refused();
    assert_eq!(
        failure.message,
        "no EC2 instance in regions `ap-south-1`, `ap-south-2` has `tag:env` = `a` or `b`, \
         `instance-state-name` = `running`"
    );
    assert!(failure.hint.unwrap().contains("`tags`"));
}
