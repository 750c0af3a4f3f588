//! Secrets in a file of the project that is encrypted with age, and the commands that keep them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Outcome, Project};

const VALUE: &str = "age-s3cret \"value\"";

/// A project on h1 whose secrets are in `secrets.age`, with a key of its own.
fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    let identity = keygen(&project.path("key.txt"));
    project.write_home(".config/cloudpad/age.txt", &identity.0);
    let stage = format!(
        "secrets = {{ TOKEN = \"token\" }}\n[stages.secrets]\nprovider = \"age\"\n\
         config = {{ recipients = [\"{}\"] }}\n",
        identity.1
    );
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &(project.web() + &stage));
    project
}

/// A new key: the secret and the public one.
fn keygen(path: &std::path::Path) -> (String, String) {
    let made = Command::new("age-keygen").arg("-o").arg(path).output().expect("age-keygen (package age)");
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(path).expect("a key");
    fs::remove_file(path).expect("a key");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key");
    (text.clone(), public.to_owned())
}

#[track_caller]
fn set(project: &Project, name: &str, value: &str) -> Outcome {
    project.run_reading(&["secrets", "set", name], &format!("{value}\n")).expect(0)
}

fn file(project: &Project) -> String {
    fs::read_to_string(project.path("secrets.age")).expect("secrets.age")
}

/// An editor that runs this script on the file `$1`.
fn editor(project: &Project, script: &str) -> String {
    project.write("editor", format!("#!/bin/sh\n{script}\n"));
    let path = project.path("editor");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("permissions");
    path.display().to_string()
}

fn edit(project: &Project, script: &str) -> Outcome {
    let editor = editor(project, script);
    project.run_with(&["secrets", "edit"], &[("EDITOR", &editor)])
}

#[test]
fn a_value_that_is_set_reaches_its_containers() {
    let project = project("age");
    let missing = project.run(&["secrets", "ls"]).expect(0);
    assert_eq!(missing.stdout, "SECRET  VALUE    NEEDED BY\ntoken   missing  web (TOKEN)\n");
    let refused = project.run(&["deploy", "--yes"]).expect(2);
    refused
        .says("the secrets provider `age` knows no secret `token`")
        .says("`cloudpad secrets set token` gives it a value");
    set(&project, "token", VALUE).says("`token` is set");
    set(&project, "prod/other", "2").says("no service names it yet");
    let listed = project.run(&["secrets", "ls"]).expect(0);
    assert_eq!(
        listed.stdout,
        "SECRET      VALUE  NEEDED BY\nprod/other  there\ntoken       there  web (TOKEN)\n"
    );
    let json = project.run(&["secrets", "ls", "--json"]).expect(0).stdout;
    assert!(
        json.contains(
            r#"{"name":"token","has_value":true,"needed_by":[{"service":"web","target":"TOKEN"}]}"#
        )
    );
    assert!(file(&project).starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    project.write(".dockerignore", "secrets.age\n");
    project.deploy();
    assert!(project.running(1).remove(0).env.contains(&format!("TOKEN={VALUE}")));
    // What has several lines has all of them.
    project.run_reading(&["secrets", "set", "token"], "line 1\nline 2\n").expect(0);
    project.deploy();
    assert!(project.running(1).remove(0).env.contains(&"TOKEN=line 1\nline 2\n".to_owned()));
}

#[test]
fn a_value_is_typed_unseen() {
    let project = project("agetty");
    let outcome =
        project.answering(&["secrets", "set", "token"], "value of `token`: ", "hunter22\n").expect(0);
    assert!(!outcome.text().contains("hunter22"), "{}", outcome.text());
    let shown = edit(&project, "cp \"$1\" shown");
    shown.expect(0).says("nothing has changed");
    let kept = fs::read_to_string(project.path("shown")).expect("what the editor was shown");
    assert_eq!(kept, "token = \"hunter22\"\n");
    project.interrupted_on_terminal(&["secrets", "set", "token"], "value of `token`: ").expect(130);
}

#[test]
fn an_editor_has_a_private_file_in_memory_that_is_gone_afterwards() {
    let project = project("ageedit");
    set(&project, "token", "1");
    let before = file(&project);
    let look = "stat -c '%a' \"$1\" > seen; stat -f -c %T \"$1\" >> seen; dirname \"$1\" >> seen; echo '# new' >> \"$1\"";
    edit(&project, look).expect(0).says("the secrets are changed");
    let seen = fs::read_to_string(project.path("seen")).expect("what the editor saw");
    let seen: Vec<_> = seen.lines().collect();
    assert_eq!(seen[..2], ["600", "tmpfs"]);
    assert!(!std::path::Path::new(seen[2]).exists(), "{}", seen[2]);
    assert_ne!(file(&project), before);
    let before = file(&project);
    edit(&project, "dirname \"$1\" > seen; echo 'a = hunter22' >> \"$1\"")
        .expect(2)
        .says("line 3 is not `NAME = \"value\"`");
    edit(&project, "echo 'a = \"2\"' >> \"$1\"; exit 1").expect(2).says("has failed");
    edit(&project, "true").expect(0).says("nothing has changed");
    assert_eq!(file(&project), before, "not even encrypted again");
    let gone = fs::read_to_string(project.path("seen")).expect("what the editor saw");
    assert!(!std::path::Path::new(gone.trim()).exists(), "{gone}");
}

#[test]
fn what_somebody_else_has_kept_meanwhile_stays() {
    let project = project("agestale");
    set(&project, "token", "1");
    let kept = project.path("kept").display().to_string();
    project.write("kept", "");
    // Another copy of the file comes while the editor is open.
    fs::copy(project.path("secrets.age"), &kept).expect("a copy");
    set(&project, "token", "2");
    let script = format!("cp {kept} secrets.age; echo '# mine' >> \"$1\"");
    edit(&project, &script).expect(2).says("somebody else has changed it meanwhile");
    assert_eq!(file(&project), fs::read_to_string(&kept).expect("the copy"));
}

#[test]
fn who_cannot_read_it_is_told_and_changes_nothing() {
    let project = project("agekeys");
    set(&project, "token", "1");
    let before = file(&project);
    let other = keygen(&project.path("other.txt"));
    let with_key = |args: &[&str]| project.run_with(args, &[("CLOUDPAD_AGE_IDENTITY", &other.0)]);
    with_key(&["secrets", "ls"])
        .expect(2)
        .says("`secrets.age` cannot be decrypted")
        .says("it was tried with the key in `CLOUDPAD_AGE_IDENTITY`");
    let nobody = project.path("nowhere").display().to_string();
    project
        .run_with(&["secrets", "ls"], &[("HOME", &nobody)])
        .expect(2)
        .says("you have no key that could open it")
        .says("age-keygen");
    // For somebody else only: whoever sets it could not read it again.
    let config = fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let mine =
        config.split("recipients = [\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key");
    project.write("Cloudpad.toml", config.replace(mine, &other.1));
    project
        .run_reading(&["secrets", "set", "token"], "2")
        .expect(2)
        .says("add your own public key to `recipients`");
    assert_eq!(file(&project), before);
    project.write("Cloudpad.toml", config.replace(mine, "keys.txt"));
    project.write("keys.txt", format!("{mine}\n{}\n", other.1));
    set(&project, "token", "3");
    with_key(&["secrets", "ls"]).expect(0);
    let beside: Vec<_> = fs::read_dir(project.path(".")).expect("a folder").flatten().collect();
    assert!(!beside.iter().any(|entry| entry.file_name().to_string_lossy().starts_with("secrets.age.")));
}

#[test]
fn providers_that_only_read_say_what_to_do_instead() {
    let project = Project::new("ageenv");
    project.configure_hosts("", &(project.web() + "secrets = [\"TOKEN\"]\n"));
    project.write(".env", "TOKEN=1\n");
    let listed = project.run(&["secrets", "ls"]).expect(0);
    assert_eq!(listed.stdout, "SECRET  VALUE  NEEDED BY\nTOKEN   there  web (TOKEN)\n");
    for args in [&["secrets", "set", "TOKEN"][..], &["secrets", "edit"]] {
        let refused = project.run_reading(args, "2\n").expect(2);
        refused.says("the secrets provider `env` only reads secrets").says("write it into `.env`");
    }
    project.run_reading(&["secrets", "set", "TOKEN"], "\n").expect(2).says("the value is empty");
}
