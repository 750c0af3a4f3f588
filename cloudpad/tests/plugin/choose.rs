//! From a config to providers that can be called.

use std::fs;
use std::path::Path;

use cloudpad::config::{self, Input, Place, Problem};
use cloudpad::plugin::Providers;
use cloudpad::plugin::folders::Folders;
use cloudpad::plugin::lock::{self, Lock, Present};
use cloudpad::plugin::setup::Setup;
use cloudpad::plugin::sum::Sum;
use cloudpad::plugin::trust::Store;
use cloudpad_plugin_api::stage::push::{Pushed, Run};
use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::{Cancel, Placement, PushScope, Reply, Request};

use super::kit::{Bench, hello, list, ms, nobody, stop};

fn setup(bench: &Bench) -> Setup {
    Setup {
        project: bench.dir().to_owned(),
        folders: Folders { user: Some(bench.dir().join("user")), ..Folders::default() },
        trust: Some(Store::new(bench.dir().join("trust.json"))),
        heeds_lock: true,
        limits: bench.limits,
        loader: env!("CARGO_BIN_EXE_cloudpad").into(),
        depth: 0,
        listener: Default::default(),
    }
}

fn choose(bench: &Bench, toml: &str) -> Result<Providers, Vec<Problem>> {
    let text =
        format!("[project]\nname = \"shop\"\n[images.web]\nreference = \"web:1\"\n[services.web]\n{toml}\n");
    let input = Input { text: &text, dir: bench.dir(), environment: None, var: &|_| None };
    let config = config::load(&input).unwrap_or_else(|problems| panic!("{problems:?}"));
    Providers::choose(&config, &setup(bench))
}

/// What is said of a config that names one provider too many: the place, the message and the hint.
fn problem(bench: &Bench, toml: &str) -> (String, String, String) {
    let problems = choose(bench, toml).err().expect("a problem");
    let [Problem { message, place: Some(Place::Key(key)), hint }] = &problems[..] else {
        panic!("{problems:?}")
    };
    (key.clone(), message.clone(), hint.clone().unwrap_or_default())
}

/// Puts the plugin that was written last into a folder.
fn put(bench: &Bench, folder: &str) -> std::path::PathBuf {
    let folder = bench.dir().join(folder);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("cloudpad-x");
    fs::rename(bench.dir().join("cloudpad-x"), &path).unwrap();
    path
}

#[test]
fn what_it_offers_says_who_decides_what_runs_where() {
    for (method, expected) in [("deploy.start", Placement::Hosts), ("cluster.apply", Placement::Cluster)] {
        let bench = Bench::new();
        bench.python(&format!(
            "hello(provides=[dict(stage='deploy', provider='x', methods=['{method}'])])\nnext()"
        ));
        put(&bench, "user");
        let providers = choose(&bench, "[stages]\ndeploy = \"x\"").ok().unwrap();
        assert_eq!(providers.placement(), expected, "{method}");
    }
}

const INVENTORY: &str = "[stages]\ninventory = \"x\"";

#[test]
fn a_plugin_serves_several_stages_from_one_process() {
    let bench = Bench::new();
    let provides = r#"provides=[
        dict(stage="inventory", provider="x", methods=["inventory.list"]),
        dict(stage="push", provider="x", methods=["config.check", "push.run"], scope="shared"),
        dict(stage="deploy", provider="x", methods=["config.check", "deploy.stop"])]"#;
    let serve = "while True:\n    call = next()\n    say(t='result', id=call['id'], ok={'hosts': []} if call['method'] == 'inventory.list' else {})";
    bench.python(&format!("hello({provides})\n{serve}"));
    put(&bench, "user");
    let providers = choose(&bench, "[stages]\ninventory = \"x\"\npush = \"x\"\ndeploy = \"x\"").ok().unwrap();
    assert_eq!((providers.push_scope(), providers.has_inventory()), (PushScope::Shared, true));
    let reply = providers.call(&list(), "", nobody(), Cancel::new()).unwrap();
    assert!(matches!(reply, Reply::Hosts(_)));
    assert_eq!(providers.call(&stop(), "k", nobody(), Cancel::new()), Ok(Reply::Done));
    assert_eq!((providers.plugins().len(), bench.leaders().len()), (1, 1));
    drop(providers);
    bench.assert_gone();
}

#[test]
fn a_plugin_looks_at_its_configuration() {
    let bench = Bench::new();
    let script = r#"
hello(provides=[dict(stage="push", provider="x", methods=["config.check"])])
call = next()
say(t="error", id=call["id"], error={"kind": "invalid", "message": "no bucket %s in stage %s" % (call["config"]["bucket"], call["params"]["stage"]), "hint": "make it"})
next()
"#;
    bench.python(script);
    put(&bench, "user");
    let found = problem(&bench, "[stages.push]\nprovider = \"x\"\nconfig = { bucket = \"b1\" }");
    let expected = ("stages.push.config", "push provider `x`: no bucket b1 in stage push", "make it");
    assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), expected);
    bench.assert_gone();
}

#[test]
fn a_plugin_that_does_not_work_is_told_at_its_stage() {
    let bench = Bench::new();
    bench.sh("echo one >&2; echo two >&2; exit 4");
    put(&bench, "user");
    let (place, message, _) = problem(&bench, INVENTORY);
    assert_eq!(place, "stages.inventory");
    assert!(message.ends_with("ended with exit status 4: stderr: two"), "{message}");
    bench.sh("hello; next");
    put(&bench, "user");
    let (place, message, _) = problem(&bench, "[stages]\npush = \"x\"");
    assert_eq!(place, "stages.push");
    assert!(
        message.contains(
            "does not provide `x` for stage `push`: it says that it provides `x` for stage `inventory`"
        ),
        "{message}"
    );
    bench.assert_gone();
}

#[test]
fn the_secrets_of_images_are_masked() {
    let bench = Bench::new();
    fs::write(bench.dir().join("npm"), "hunter2hunter2\n").unwrap();
    bench.sh("echo \"npm: $(cat BENCH/npm), $PATH\" >&2; exit 4"
        .replace("BENCH", bench.dir().to_str().unwrap())
        .as_str());
    put(&bench, "user");
    let secrets = "{ npm = { file = \"npm\" }, path = { env = \"PATH\" }, gone = { file = \"gone\" } }";
    let (_, message, _) = problem(&bench, &format!("{INVENTORY}\n[images.app]\nsecrets = {secrets}"));
    assert!(message.ends_with("stderr: npm: ***, ***"), "{message}");
}

#[test]
fn nobody_is_run_but_those_that_are_chosen() {
    let bench = Bench::new();
    bench.sh("hello; next");
    put(&bench, "user");
    choose(&bench, "").ok().unwrap();
    assert!(bench.leaders().is_empty());
}

#[test]
fn what_there_is_instead_of_a_provider_that_is_not_there() {
    let bench = Bench::new();
    bench.file("user/cloudpad-registri-push", b"");
    bench.file("user/cloudpad-zoo", b"");
    bench.file("user/cloudpad-hg-source", b"");
    let (place, message, hint) = problem(&bench, "[stages]\npush = \"registrx\"");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("stages.push", "stage `push` has no provider `registrx`")
    );
    let expected = "there is `registri`, `registry`, `ssh` and `zoo`; did you mean `registri`?; a plugin is a file \
                    `cloudpad-registrx`, and `[plugins.registrx]` says where";
    assert_eq!(hint, expected);
}

#[test]
fn a_file_that_was_passed_over_is_told_with_the_reason() {
    let bench = Bench::new();
    fs::create_dir(bench.dir().join("user")).unwrap();
    fs::write(bench.dir().join("user/cloudpad-x"), "").unwrap();
    let (_, message, _) = problem(&bench, INVENTORY);
    assert!(
        message.contains("user/cloudpad-x` was passed over: it is not executable; `chmod +x "),
        "{message}"
    );
}

#[test]
fn nothing_takes_the_place_of_what_may_be_in_the_projects_folder() {
    let bench = Bench::new();
    bench.sh("hello; next");
    put(&bench, "user");
    // No folder; one that may not be looked into would be no obstacle to root.
    bench.file(".cloudpad/plugins", b"");
    let (place, message, _) = problem(&bench, INVENTORY);
    let folder = bench.dir().join(".cloudpad/plugins");
    let expected = format!("provider `x` may be in `{}`, and it cannot be read: ", folder.display());
    assert!(place == "stages.inventory" && message.starts_with(&expected), "{message}");
    fs::remove_file(folder).unwrap();
    choose(&bench, INVENTORY).ok().unwrap();
}

#[test]
fn the_config_says_where_a_plugin_is_and_has_to_be_right() {
    let bench = Bench::new();
    bench.sh("hello; next");
    put(&bench, "tools");
    let at = |path: &str| format!("[plugins.x]\npath = \"{path}\"\n{INVENTORY}");
    choose(&bench, &at("tools/cloudpad-x")).ok().unwrap();
    fs::create_dir(bench.dir().join("user")).unwrap();
    fs::copy(bench.dir().join("tools/cloudpad-x"), bench.dir().join("user/cloudpad-x")).unwrap();
    let (_, message, _) = problem(&bench, &at("tools/none"));
    assert!(message.ends_with("tools/none`) cannot be used: it is not there"), "{message}");
}

#[test]
fn the_projects_own_plugins_run_once_they_are_trusted() {
    let bench = Bench::new();
    bench.sh("hello; next");
    let path = put(&bench, ".cloudpad/plugins");
    let (_, message, _) = problem(&bench, INVENTORY);
    assert!(
        message.ends_with("you have not trusted it; look at it, then type `cloudpad trust`"),
        "{message}"
    );
    assert!(bench.leaders().is_empty());
    let store = setup(&bench).trust.unwrap();
    store.trust(bench.dir(), &store.survey(bench.dir()).unwrap()).unwrap();
    choose(&bench, INVENTORY).ok().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    bench.file(".cloudpad/plugins/cloudpad-x", (text + "\n# more").as_bytes());
    let (_, message, hint) = problem(&bench, INVENTORY);
    assert!(message.contains("is not the file that you have trusted: expected "), "{message}");
    assert!(hint.contains("`cloudpad trust`"), "{hint}");
    assert_eq!(bench.leaders().len(), 1, "it has run once, while it was trusted");
}

fn present(path: &Path, name: &str) -> Present {
    let sum = Sum::of(&mut fs::File::open(path).unwrap()).unwrap();
    Present { name: name.into(), file: "cloudpad-x".into(), version: None, platform: lock::ANY.into(), sum }
}

#[test]
fn a_project_with_a_lock_uses_what_is_in_it() {
    let bench = Bench::new();
    bench.sh("hello; next");
    let path = put(&bench, "user");
    let write = |used: &[Present]| lock::write(bench.dir(), &Lock::default().with(used)).unwrap();
    write(&[present(&path, "x")]);
    choose(&bench, INVENTORY).ok().unwrap();

    write(&[present(&path, "y")]);
    let (_, message, hint) = problem(&bench, INVENTORY);
    assert!(message.ends_with("may not be used: plugin `x` is not listed in `Cloudpad.lock`"), "{message}");
    assert!(hint.contains("`cloudpad plugin lock`"), "{hint}");

    let locked = present(&path, "x");
    write(std::slice::from_ref(&locked));
    let text = fs::read_to_string(&path).unwrap();
    bench.file("user/cloudpad-x", (text + "\n# more").as_bytes());
    let (_, message, hint) = problem(&bench, INVENTORY);
    let found = present(&path, "x").sum;
    let expected =
        format!("is not the one that `Cloudpad.lock` lists: expected {}: found {found}", locked.sum);
    assert!(message.contains("plugin `x`") && message.ends_with(&expected), "{message}");
    assert!(hint.contains("`cloudpad plugin lock`"), "{hint}");

    fs::write(bench.dir().join(lock::FILE), "version = 9").unwrap();
    let (_, message, _) = problem(&bench, INVENTORY);
    assert!(message.contains("Cloudpad.lock` is not a list of plugins: it has version 9"), "{message}");
}

#[test]
fn a_plugin_that_looks_at_its_configuration_for_ever_is_ended() {
    let mut bench = Bench::new();
    (bench.limits.check, bench.limits.cancel) = (ms(2000), ms(200));
    let hello = hello().replace("inventory.list", "config.check");
    bench.sh(&format!("say '{hello}'; read -r host; next; while :; do sleep 300; done"));
    put(&bench, "user");
    let (_, message, _) = problem(&bench, INVENTORY);
    assert!(message.contains("went on for 0.2 s after it was asked to stop, and was ended"), "{message}");
    bench.assert_gone();
}

#[test]
fn what_is_locked_is_what_is_used() {
    let bench = Bench::new();
    let plugin = setup(&bench).plugin_at(&bench.sh("hello; next")).unwrap();
    let sum = present(&bench.dir().join("cloudpad-x"), "x").sum;
    let expected = Present {
        name: "x".into(),
        file: "cloudpad-x".into(),
        version: Some("1".into()),
        platform: lock::ANY.into(),
        sum,
    };
    assert_eq!(plugin.present(&Cancel::new()), Ok(expected));
}

#[test]
fn a_plugin_may_be_looked_at_without_being_chosen() {
    let bench = Bench::new();
    let plugin = setup(&bench).plugin_at(&bench.sh("hello; next")).unwrap();
    assert_eq!(plugin.hello(&Cancel::new()).unwrap().name, "x");
    let failure = setup(&bench).plugin_at(&bench.dir().join("none")).err().unwrap();
    assert!(failure.message.ends_with("cannot be used: it is not there"), "{failure}");
}

#[test]
fn what_cannot_be_is_no_reply() {
    let bench = Bench::new();
    let command = r#"command = ["printf", "a\\0b%s", "{name}"]"#;
    let providers =
        choose(&bench, &format!("[stages.secrets]\nprovider = \"command\"\nconfig = {{ {command} }}"));
    let request = Request::SecretsGet(Get { names: vec!["token".to_owned()] });
    let failure = providers.ok().unwrap().call(&request, "", nobody(), Cancel::new()).unwrap_err();
    assert_eq!(
        failure.message,
        "secrets provider `command` has answered what cannot be: secret \"token\" has a zero byte, which the value of no secret can have: keep it encoded, such as in base64"
    );
}

#[test]
fn a_reply_is_shown_without_secrets() {
    let bench = Bench::new();
    fs::write(bench.dir().join("npm"), "hunter2hunter2").unwrap();
    let secret = "[images.app]\nsecrets = { npm = { file = \"npm\" } }";
    let providers = choose(&bench, secret).ok().unwrap();
    let request = Request::PushRun(Run { reference: "a:1".to_owned(), host: None, similar: Vec::new() });
    let pushed = |reference: &str| Reply::Pushed(Pushed { reference: reference.to_owned(), sent: Some(1) });
    assert_eq!(providers.shown(&request, &pushed("r/hunter2hunter2:1")), pushed("r/***:1"));
}
