//! What becomes of which machine, in which order, and what the scripts and `openssl` make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Context, Failure, Request};

use super::authority::Authority;
use super::{Certificates, Cluster, Here, LOOK, judge, rest};
use crate::config::Problem;
use crate::plan::Plan;
use crate::provision::steps::Step;
use crate::provision::{Facts, Seen, plan};
use crate::refusal::Refusal;
use crate::report::script;

const DEBIAN: &str = "id debian\nname Debian 12\ninstaller apt-get\ninit systemd\nuser root\nroot self\n";
const UP: &str = "engine there\nengine runs\nstarts yes\nsum 1 2\nfile |{\"log-driver\": \"local\"}\n";
/// A member of ours that runs, and what it trusts.
const MEMBER: &str = "etcd there\netcd data\netcd runs\netcd starts\netcd ours\netcd authority |CA\n";
const PREPARED: &str = "etcd there\netcd ours\netcd authority |CA\n";
const STOPPED: &str = "etcd there\netcd data\netcd ours\netcd starts\netcd authority |CA\n";
const KNOWS_H2: &str = "etcd member https://192.0.2.2:2380 \n";
const KNOWS_H1: &str = "etcd member https://192.0.2.1:2380 h1\n";

/// What each of some machines prints.
type Machines<'a> = Vec<&'a [&'a str]>;

/// Hosts `h1` and up that print this, each at an address of its own.
fn seen(printed: &[&[&str]]) -> Vec<(Arc<Host>, Seen)> {
    let one = |(number, printed): (usize, &&[&str])| {
        let address = format!("etcd address 192.0.2.{number}\n");
        let lines: Vec<_> = [DEBIAN, UP, &address].into_iter().chain(printed.iter().copied()).collect();
        let facts = Facts::read(lines.iter().flat_map(|part| part.lines()));
        let engine = Ok(Default::default());
        (Arc::new(Host::new(format!("h{number}"), format!("h{number}"))), Seen { facts, engine, ahead: 0 })
    };
    (1..).zip(printed).map(one).collect()
}

fn here(authority: Option<&str>) -> Here {
    Here {
        token: "shop".into(),
        folder: "/home/me/etcd/shop".into(),
        authority: authority.map(str::to_owned),
    }
}

fn judged(printed: &[&[&str]]) -> Result<Cluster, Vec<Problem>> {
    judge(&seen(printed), &here(Some("CA")))
}

/// Each action of a plan: the host, the first words of what it does, and the numbers of those that it needs.
fn steps(plan: &Plan) -> Vec<String> {
    let step = |action: &crate::plan::Action| {
        let Request::DeployCommand(command) = &action.request else { panic!("{:?}", action.request) };
        let title = script(&command.command).unwrap_or_default();
        let words: Vec<_> = title.split(' ').take(2).collect();
        format!("{} {} {:?}", action.host.as_deref().unwrap_or_default(), words.join(" "), action.needs)
    };
    plan.actions.iter().map(step).collect()
}

fn both(cluster: &Cluster, printed: &[&[&str]]) -> (Vec<String>, Vec<String>) {
    let first = plan(&seen(printed), Some(cluster)).unwrap();
    let second = rest(cluster, &Certificates::default());
    assert!(first.is_in_order() && second.is_in_order());
    (steps(&first), steps(&second))
}

#[test]
fn machines_become_members_in_an_order_in_which_etcd_takes_them() {
    let cases: [(&str, Machines, &[&str], &[&str]); 8] = [
        (
            "one begins a cluster",
            vec![&[]],
            &["h1 install etcd-server, []", "h1 make a [0]"],
            &["h1 give etcd []", "h1 start etcd, [0]"],
        ),
        (
            "none starts before all are prepared",
            vec![&[], &["etcd there\n"]],
            &["h1 install etcd-server, []", "h1 make a [0]", "h2 make a []"],
            &["h1 give etcd []", "h2 give etcd []", "h1 start etcd, [0, 1]", "h2 start etcd, [0, 1]"],
        ),
        ("all is so", vec![&[MEMBER, KNOWS_H1]], &[], &[]),
        ("it is down", vec![&[STOPPED]], &[], &["h1 start etcd, []"]),
        (
            "it does not start with the host",
            vec![&["etcd there\netcd ours\netcd data\netcd runs\n", KNOWS_H1]],
            &[],
            &["h1 start etcd, []"],
        ),
        (
            "one after the other joins",
            vec![&[MEMBER, KNOWS_H1], &["etcd there\n"], &["etcd there\n"]],
            &["h2 make a []", "h3 make a []"],
            &[
                "h1 tell the []",
                "h2 give etcd [0]",
                "h2 start etcd, [1]",
                "h1 tell the [2]",
                "h3 give etcd [3]",
                "h3 start etcd, [4]",
            ],
        ),
        (
            "it was told of already",
            vec![&[MEMBER, KNOWS_H1, KNOWS_H2], &["etcd there\n"]],
            &["h2 make a []"],
            &["h2 give etcd []", "h2 start etcd, [0]"],
        ),
        (
            "one of those that begin has not started",
            vec![&[MEMBER, KNOWS_H1], &[PREPARED]],
            &[],
            &["h2 start etcd, []"],
        ),
    ];
    for (what, printed, first, second) in cases {
        let cluster = judged(&printed).unwrap_or_else(|problems| panic!("{what}: {problems:?}"));
        let (before, after) = both(&cluster, &printed);
        assert_eq!((before, after), (owned(first), owned(second)), "{what}");
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn what_cannot_become_a_member_keeps_all_from_being_touched() {
    let cases: [(&str, Machines, &str, &str); 9] = [
        ("another's", vec![&[], &["etcd there\netcd runs\n"]], "`h2` runs an etcd that", "`--host`"),
        ("another's data", vec![&["etcd data\n"]], "has data of an etcd", "purge it"),
        ("fedora", vec![&["name Fedora 41\ninstaller dnf\n"]], "`h1` is Fedora 41", "dnf install etcd"),
        ("coreos", vec![&["name Fedora CoreOS\nsealed yes\n"]], "is Fedora CoreOS", "in a container"),
        ("no systemd", vec![&["init service\n"]], "`h1` has no systemd", "--host"),
        ("no address", vec![&["etcd address \n"]], "by which others reach `h1`", "ip route"),
        ("nobody to ask", vec![&[MEMBER], &[]], "`h2` cannot join the cluster", "see to the members"),
        (
            "another authority",
            vec![&[MEMBER, KNOWS_H1, "etcd authority |more\n"], &[]],
            "`h1` trusts an authority",
            "copy that folder",
        ),
        ("both", vec![&["etcd runs\n"], &["init service\n"]], "`h1` runs an etcd", "--host"),
    ];
    for (what, printed, message, hint) in cases {
        let Err(problems) = judged(&printed) else { panic!("{what} is no problem") };
        assert!(problems[0].message.contains(message), "{what}: {}", problems[0].message);
        assert!(problems[0].hint.as_ref().is_some_and(|told| told.contains(hint)), "{what}: {problems:?}");
        assert_eq!(problems.len(), if what == "both" { 2 } else { 1 }, "{what}: {problems:?}");
    }
    // Who needs nothing signed needs no authority.
    assert!(judge(&seen(&[&[MEMBER, KNOWS_H1]]), &here(None)).is_ok());
    assert!(judge(&seen(&[&[MEMBER, KNOWS_H1], &[]]), &here(None)).is_err());
}

#[test]
fn how_many_there_are_and_where_the_authority_is_are_told() {
    let told = |printed: &[&[&str]], authority| {
        let cluster = judge(&seen(printed), &here(authority)).unwrap();
        cluster.notes.into_iter().map(|note| note.message).collect::<Vec<_>>().join("\n")
    };
    let one = told(&[&[]], None);
    assert!(one.contains("a new etcd cluster of: h1;") && one.contains("of one is gone"), "{one}");
    assert!(one.contains("will be in `/home/me/etcd/shop`") && one.contains("`ca.key`"), "{one}");
    let two = told(&[&[MEMBER, KNOWS_H1], &[]], Some("CA"));
    assert!(two.contains("joins the etcd cluster: h2") && two.contains("of 2 bears the loss of no"), "{two}");
    assert!(!told(&[&[], &[], &[]], None).contains("odd"));
    let known = told(&[&[MEMBER, KNOWS_H1, KNOWS_H2], &[]], Some("CA"));
    assert!(known.contains("an etcd cluster of 2 bears"), "who is known of already counts once: {known}");
    assert_eq!(told(&[&[MEMBER, KNOWS_H1]], None), "");
}

/// What is told to those that become members, by host, where all certificates are there.
fn configs(cluster: &Cluster) -> BTreeMap<String, [String; 3]> {
    let members = cluster.new_members().map(|machine| (machine.host.name.clone(), machine.names()));
    let certificates = Certificates { authority: "CA\n".into(), members: members.collect() };
    let mut told = BTreeMap::new();
    for action in rest(cluster, &certificates).actions {
        if let Request::DeployCommand(command) = action.request
            && let [.., authority, certificate, config] = &command.command[..]
            && config.starts_with("# cloudpad ")
        {
            let name = command.host.name.clone();
            told.insert(name, [authority.clone(), certificate.clone(), config.clone()]);
        }
    }
    told
}

#[test]
fn a_member_is_told_of_the_others_and_serves_nobody_without_a_certificate() {
    let founders = configs(&judged(&[&[], &[]]).unwrap());
    let [authority, names, config] = &founders["h2"];
    assert_eq!(authority, "CA");
    assert_eq!(names, "DNS:h2,DNS:localhost,IP:127.0.0.1,IP:192.0.2.2,IP:::1");
    for line in [
        "ETCD_NAME=h2",
        "ETCD_LISTEN_CLIENT_URLS=https://192.0.2.2:2379,https://127.0.0.1:2379",
        "ETCD_LISTEN_PEER_URLS=https://192.0.2.2:2380",
        "ETCD_CLIENT_CERT_AUTH=true",
        "ETCD_PEER_CLIENT_CERT_AUTH=true",
        "ETCD_INITIAL_CLUSTER=h1=https://192.0.2.1:2380,h2=https://192.0.2.2:2380",
        "ETCD_INITIAL_CLUSTER_STATE=new",
        "ETCD_INITIAL_CLUSTER_TOKEN=shop",
    ] {
        assert!(config.lines().any(|it| it == line), "no `{line}` in\n{config}");
    }
    assert!(!config.contains("http:"));
    let joined = configs(&judged(&[&[MEMBER, KNOWS_H1], &[], &[]]).unwrap());
    let line =
        |name: &str| joined[name][2].lines().find(|line| line.contains("_CLUSTER=")).map(str::to_owned);
    let two = "ETCD_INITIAL_CLUSTER=h1=https://192.0.2.1:2380,h2=https://192.0.2.2:2380";
    assert_eq!(line("h2").as_deref(), Some(two), "it is told of no one who comes later");
    assert_eq!(line("h3"), Some(format!("{two},h3=https://192.0.2.3:2380")));
    assert!(joined["h3"][2].contains("_STATE=existing"));
}

#[test]
fn clients_go_where_the_inventory_says_unless_only_ssh_knows_that_name() {
    let mut hosts = seen(&[&[], &[], &[], &["etcd address 2001:db8::4\n"]]);
    for (host, address) in hosts.iter_mut().zip(["root@198.51.100.1:2222", "me@h2.example.com", "h3", "h4"]) {
        host.0 = Arc::new(Host::new(host.0.name.clone(), address));
    }
    let cluster = judge(&hosts, &here(None)).unwrap();
    let expected = ["198.51.100.1", "h2.example.com", "192.0.2.3", "[2001:db8::4]"];
    assert_eq!(cluster.endpoints(), expected.map(|place| format!("https://{place}:2379")));
    let names: Vec<_> = cluster.machines.iter().map(|machine| machine.names()).collect();
    assert!(names[0].contains("IP:192.0.2.1,IP:198.51.100.1") && names[1].contains("DNS:h2.example.com"));
    assert!(configs(&cluster)["h4"][2].contains("https://[2001:db8::4]:2379,https://[::1]:2379"));
}

/// Runs a step's script with its folders below another.
fn run(step: &Step, below: &Path) -> (bool, String) {
    let (script, arguments) = step.script();
    let at = below.to_str().unwrap();
    // Its user is not there.
    let script = script.replace("chown etcd:", "true").replace("/etc/", &format!("{at}/etc/"));
    let script = script.replace("/var/", &format!("{at}/var/"));
    let output = Command::new("sh").args(["-c", &script, "step"]).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_stays_where_it_was_made_and_what_is_signed_for_it_is_for_that_member() {
    let (host, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path().join("etcd/shop");
    let cx = Context::new(serde_json::Value::Null, Arc::new(|_| {}), Cancel::new());
    let authority = Authority::of(folder.clone(), cx);
    assert_eq!(authority.certificate().unwrap(), None);
    authority.make().unwrap();
    let made = authority.certificate().unwrap().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let keys = [read("ca.key"), read("client.key")];
    authority.make().unwrap();
    assert_eq!(
        (authority.certificate().unwrap().unwrap(), [read("ca.key"), read("client.key")]),
        (made, keys)
    );
    assert_eq!(
        [mode(&folder), mode(&folder.join("ca.key")), mode(&folder.join("client.key"))],
        [0o700, 0o600, 0o600]
    );

    // Another key would be none of this authority's.
    std::fs::rename(folder.join("ca.key"), folder.join("away")).unwrap();
    let Err(Refusal::Message { message, .. }) = authority.make() else { panic!("it has made another") };
    assert!(message.contains("and not its key"), "{message}");
    std::fs::rename(folder.join("away"), folder.join("ca.key")).unwrap();

    let key = Step::Key("h1".into());
    let pki = host.path().join("etc/etcd/pki");
    assert_eq!(run(&key, host.path()), (true, String::new()));
    let first = std::fs::read_to_string(pki.join("member.key")).unwrap();
    assert_eq!(run(&key, host.path()), (true, String::new()));
    assert_eq!(std::fs::read_to_string(pki.join("member.key")).unwrap(), first, "it is kept");
    assert_eq!(mode(&pki.join("member.key")), 0o600);

    let request = std::fs::read_to_string(pki.join("member.csr")).unwrap();
    let certificate = authority.sign(&request, "DNS:h1,IP:192.0.2.1").unwrap();
    let signed: Result<String, Failure> = authority.sign("nonsense", "DNS:h1");
    assert!(signed.unwrap_err().message.contains("openssl"));
    let certify = Step::Certify { authority: read("ca.crt"), certificate, config: "# cloudpad 1".into() };
    std::fs::create_dir_all(host.path().join("etc/default")).unwrap();
    std::fs::write(host.path().join("etc/default/etcd"), "theirs\n").unwrap();
    assert_eq!(run(&certify, host.path()), (true, String::new()));
    assert_eq!(run(&certify, host.path()), (true, String::new()));
    let text = |name: &str| std::fs::read_to_string(host.path().join("etc/default").join(name)).unwrap();
    assert_eq!((text("etcd"), text("etcd.before-cloudpad")), ("# cloudpad 1\n".into(), "theirs\n".into()));

    let verify = |words: &[&str], file: &Path| {
        let mut openssl = Command::new("openssl");
        openssl
            .args(["verify", "-CAfile"])
            .arg(pki.join("ca.crt"))
            .args(words)
            .arg(file)
            .output()
            .unwrap()
            .status
            .success()
    };
    let member = pki.join("member.crt");
    assert!(verify(&["-purpose", "sslserver", "-verify_ip", "192.0.2.1"], &member));
    assert!(verify(&["-purpose", "sslclient", "-verify_hostname", "h1"], &member));
    assert!(!verify(&["-verify_ip", "192.0.2.2"], &member));
    assert!(verify(&["-purpose", "sslclient"], &folder.join("client.crt")));
    assert!(!verify(&["-purpose", "sslserver"], &folder.join("client.crt")), "a client is no member");

    std::fs::create_dir_all(host.path().join("var/lib/etcd/default/member")).unwrap();
    let (done, said) = run(&certify, host.path());
    assert!(!done && said.contains("left alone"), "{said}");
}

/// What the script prints here is read, and what it needs root for is left out without a word.
#[test]
fn the_script_prints_what_is_read() {
    let script = [include_str!("../look.sh"), LOOK].concat();
    let mut look = Command::new("sh");
    look.args(["-c", &script, "look"]).env("SSH_CONNECTION", "192.0.2.9 1 192.0.2.8 22");
    let printed = String::from_utf8(look.output().unwrap().stdout).unwrap();
    let facts = Facts::read(printed.lines());
    assert_eq!(facts.etcd.address, Some("192.0.2.8".parse().unwrap()), "{printed}");
    let printed = "etcd member https://192.0.2.1:2380 h1\netcd member https://192.0.2.2:2380 \netcd request |A\netcd request |B\n";
    let facts = Facts::read(printed.lines()).etcd;
    let names: BTreeSet<_> = facts.members.values().map(String::as_str).collect();
    assert_eq!((names, facts.request.as_str()), (BTreeSet::from(["", "h1"]), "A\nB\n"));
}
