//! What is found on hosts, and what a config needs.

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{
    Disk, Engine, HostKey, Known, Machine, Observation, OneOff, Proxy, ProxySeen, State as Up,
};
use cloudpad_plugin_api::{Failure, FailureKind};

use super::{Finding, HERE, Needs, Report, Shown, State, host};
use crate::config::{Input, load};
use crate::provision::{Facts, Seen};

const WELL: &str = "user deploy\ngroups deploy docker\nname Debian 12\ninit systemd\nstarts yes\nengine there\nengine runs\n\
                    sum 1 2\nfile |{\"log-driver\": \"local\"}\n";

fn machine(api: &str, free: u64) -> Machine {
    let disk = Disk { path: "/var/lib/docker".into(), size: 50_000_000_000, free };
    let engine = Engine { version: "26.1.5".into(), api: api.into(), platform: String::new() };
    Machine { engine, disk: Some(disk), ..Machine::default() }
}

fn seen(printed: &str) -> Seen {
    Seen { facts: Facts::read(printed.lines()), engine: Ok(machine("1.45", 30_000_000_000)), ahead: 0 }
}

fn key(known: Known) -> Result<HostKey, Failure> {
    let (server, key_type, place) = (String::new(), String::new(), "known_hosts:1".to_owned());
    Ok(HostKey { server, key_type, fingerprint: "SHA256:abc".to_owned(), known, place })
}

/// What is found to be other than it should.
fn odd(
    needs: &Needs,
    key: &Result<HostKey, Failure>,
    seen: Result<Seen, Failure>,
    there: Observation,
) -> Vec<Finding> {
    let observed = Ok(there);
    let shown = Shown { name: "h1", key: Some(key), seen: &seen, observed: &observed };
    host(needs, &shown).into_iter().filter(|finding| finding.state != State::Ok).collect()
}

#[test]
fn a_host_that_is_well_has_nothing_to_mend() {
    let needs = Needs { ports: vec![80, 443], connects: true, ..Needs::default() };
    assert_eq!(odd(&needs, &key(Known::Known), Ok(seen(WELL)), Observation::default()), []);
    // A clock is nowhere as here to the second; who has no init has an engine all the same, and so has who has another one.
    let a_little = Seen { ahead: 5, ..seen(WELL) };
    assert_eq!(odd(&needs, &key(Known::Known), Ok(a_little), Observation::default()), []);
    for gone in [&["init systemd\n", "starts yes\n"][..], &["engine there\n", "starts yes\n", "sum 1 2\n"]] {
        let printed = gone.iter().fold(WELL.to_owned(), |text, line| text.replace(line, ""));
        assert_eq!(
            odd(&needs, &key(Known::Known), Ok(seen(&printed)), Observation::default()),
            [],
            "{gone:?}"
        );
    }
    let other = Err(Failure::unsupported("deploy.keys"));
    assert_eq!(odd(&needs, &other, Ok(seen(WELL)), Observation::default()), [], "it has no key");
}

/// What was seen, and of what is found the check, the state, and parts of the message and the hint.
type Case<'a> = (Result<Seen, Failure>, &'a str, State, &'a str, &'a str);

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let with = |line: &str| Ok(seen(&format!("{WELL}{line}\n")));
    let but = |line: &str| Ok(seen(&WELL.replace(line, "")));
    let change = |change: fn(&mut Seen)| {
        let mut seen = seen(WELL);
        change(&mut seen);
        Ok(seen)
    };
    let away = || Failure::new(FailureKind::Unreachable, "could not connect").hint("is the host up?");
    let (note, mend) = (State::Note, State::Mend);
    let cases: [Case<'_>; 11] = [
        (Err(away()), "login", mend, "could not connect", "is the host up?"),
        (change(|seen| seen.ahead = -90), "clock", mend, "90 s behind", "timedatectl"),
        (
            change(|seen| seen.engine = Err(Failure::failed("no socket").hint("start it"))),
            "engine",
            mend,
            "no socket",
            "start it",
        ),
        (
            Ok(Seen { engine: Err(away()), ..seen("user root\ninit systemd\n") }),
            "engine",
            mend,
            "there is none",
            "hosts provision --host h1",
        ),
        (
            change(|seen| seen.engine = Ok(machine("1.40", 30_000_000_000))),
            "engine",
            mend,
            "older than 20.10",
            "upgrade",
        ),
        (
            change(|seen| seen.engine = Ok(machine("1.45", 500_000_000))),
            "disk",
            mend,
            "500.0 MB of 50.0 GB",
            "prune",
        ),
        (change(|seen| seen.engine = Ok(machine("1.45", 4_000_000_000))), "disk", note, "4.0 GB of", "prune"),
        (but("starts yes\n"), "start", mend, "does not start with the host", "hosts provision"),
        (but("file |{\"log-driver\": \"local\"}\n"), "logs", note, "are not rotated", "hosts provision"),
        (with("file |nonsense"), "logs", mend, "is not understood", "does not start again"),
        (with("listens 80 nginx"), "ports", mend, "taken by `nginx`", "[proxy]"),
    ];
    let needs = Needs { ports: vec![80], ..Needs::default() };
    for (seen, check, state, message, hint) in cases {
        let found = odd(&needs, &key(Known::Known), seen, Observation::default());
        let [found] = &found[..] else { panic!("{check}: {found:?}") };
        assert_eq!((found.check, found.state), (check, state));
        assert!(found.message.contains(message), "{}", found.message);
        assert!(found.hint.as_deref().unwrap_or_default().contains(hint), "{:?}", found.hint);
    }
}

#[test]
fn a_key_that_is_not_known_is_told_once() {
    let refused = || Err(Failure::new(FailureKind::Unreachable, "the host key is not known"));
    for (known, hint) in [(Known::Unknown, "hosts trust h1"), (Known::Changed, "trust --replace h1")] {
        let found = odd(&Needs::default(), &key(known), refused(), Observation::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].hint.as_deref().unwrap_or_default().contains(hint), "{found:?}");
    }
}

#[test]
fn what_is_left_of_runs_and_a_revoked_key_are_told() {
    let one_off = |state| OneOff {
        id: String::new(),
        name: String::new(),
        release: String::new(),
        labels: Default::default(),
        state,
        exit_code: None,
        created: 0,
        image: String::new(),
        lasting: String::new(),
    };
    let one_offs = vec![one_off(Up::Running), one_off(Up::Stopped)];
    let there = Observation { one_offs, ..Observation::default() };
    let found = odd(&Needs::default(), &key(Known::Known), Ok(seen(WELL)), there);
    let expected = "1 one-off container that ended is still there";
    assert_eq!(found, [Finding::note("h1", "left", expected, "`cloudpad prune` removes them")]);
    let found = odd(&Needs::default(), &key(Known::Revoked), Ok(seen(WELL)), Observation::default());
    assert_eq!(found, [Finding::mend("h1", "key", "`SHA256:abc` is revoked by `known_hosts:1`", None)]);
}

#[test]
fn the_proxys_own_ports_are_taken_by_nobody_else() {
    let made = Proxy { image: "caddy".into(), http_port: 80, https_port: 443 };
    let proxy = ProxySeen { made: Some(made), ..ProxySeen::default() };
    let there = Observation { proxy: Some(Box::new(proxy)), ..Observation::default() };
    let needs = Needs { ports: vec![80, 443], ..Needs::default() };
    let seen = seen(&format!("{WELL}listens 80 docker-proxy\nlistens 443 docker-proxy\n"));
    assert_eq!(odd(&needs, &key(Known::Known), Ok(seen), there), []);
}

#[test]
fn connections_matter_where_checks_need_them() {
    let failure = Some(Failure::failed("it does not forward TCP").hint("AllowTcpForwarding yes"));
    let there = Observation { no_connections: failure, ..Observation::default() };
    assert_eq!(odd(&Needs::default(), &key(Known::Known), Ok(seen(WELL)), there.clone()), []);
    let needs = Needs { connects: true, ..Needs::default() };
    assert_eq!(odd(&needs, &key(Known::Known), Ok(seen(WELL)), there)[0].check, "checks");
}

#[test]
fn a_config_needs_what_its_stages_use() {
    let needs = |text: &str| {
        let var = &|_: &str| None;
        let input = Input { text, dir: std::path::Path::new("/project"), environment: None, var };
        let config = load(&input).unwrap_or_else(|problems| panic!("{problems:?}"));
        let remote = Host::new("h1", "root@192.0.2.1");
        Needs::of(&config, [&remote])
    };
    let plain =
        needs("[project]\nname = \"a\"\n[images.web]\nreference = \"x\"\n[services.web]\nimage = \"web\"\n");
    assert_eq!(plain, Needs { ssh: true, ..Needs::default() });
    let all = needs(
        "[project]\nname = \"a\"\n[stages]\npush = { provider = \"registry\", config = { registry = \"r.example.com\" } }\n\
         secrets = { provider = \"age\", config = { recipients = [\"age1x\", \"ssh-ed25519 A\", \"team.txt\"] } }\n\
         inventory = { provider = \"command\", config = { command = [\"./hosts.py\", \"--list\"] } }\n\
         [sources.app]\ngit = \"git@git.example.com:a.git\"\nbranch = \"main\"\n[images.web]\nsource = \"app\"\n\
         [services.web]\nimage = \"web\"\nhealth = { http = \"/\", port = 80 }\nroute = { hosts = [\"a.example.com\"], port = 80 }\n",
    );
    let programs: Vec<_> = all.programs.keys().map(String::as_str).collect();
    assert_eq!(programs, ["./hosts.py", "age", "git", "ssh"]);
    assert!(all.builds && all.connects);
    assert_eq!(all.files.into_keys().collect::<Vec<_>>(), ["team.txt"]);
    assert_eq!((all.registry.as_deref(), &all.ports[..]), (Some("r.example.com"), &[80, 443][..]));
}

#[test]
fn what_others_do_needs_nothing_here() {
    let text = "[project]\nname = \"a\"\n[stages]\nbuild = \"mine\"\n\
                push = { provider = \"mine\", config = { registry = \"r.example.com\" } }\n\
                inventory = { provider = \"mine\", config = { command = [\"./hosts.py\"] } }\n\
                [sources.app]\ngit = \"https://git.example.com/a.git\"\nbranch = \"main\"\n[images.web]\nsource = \"app\"\n\
                [services.web]\nimage = \"web\"\nhealth = { command = [\"true\"] }\n";
    let input =
        Input { text, dir: std::path::Path::new("/project"), environment: None, var: &|_: &str| None };
    let needs = Needs::of(&load(&input).unwrap_or_else(|problems| panic!("{problems:?}")), []);
    let programs = [("git".to_owned(), "source `app`".to_owned())].into();
    assert_eq!(needs, Needs { programs, ..Needs::default() });
}

#[test]
fn findings_are_told_by_place_with_what_to_do() {
    let findings = [
        Finding::ok(HERE, "config", "fine"),
        Finding::note(HERE, "key", "none", "make one"),
        Finding::mend("h1", "engine", "it does not answer", Some("start it".to_owned())),
    ];
    let report = Report::of(&findings);
    let expected = "this machine\n  ok    config  fine\n  note  key     none\n                hint: make one\n\
                    h1\n  MEND  engine  it does not answer\n                hint: start it\n";
    assert_eq!(report.text(), expected);
    assert_eq!((report.well, report.sum()), (false, "1 to be mended, 1 note".to_owned()));
    let report = Report::of(&findings[..2]);
    assert_eq!((report.well, report.sum()), (true, "all is well: 2 checks, 1 note".to_owned()));
}
