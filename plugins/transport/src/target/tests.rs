use super::*;

fn around() -> Surroundings {
    Surroundings {
        home: "/home/me".into(),
        user: "me".into(),
        env: |name| (name == "SSH_AUTH_SOCK").then(|| "/run/agent".to_owned()),
    }
}

fn address() -> Address {
    Address { user: None, host: "web".into(), port: None }
}

fn parse(output: &str) -> Target {
    Target::parse(&address(), output, &around()).unwrap()
}

#[test]
fn a_whole_answer_is_read() {
    let output = "host web\nuser deploy\nhostname 192.0.2.7\nport 2222\nidentitiesonly yes\n\
        stricthostkeychecking false\nserveralivecountmax 4\nserveraliveinterval 7\nconnecttimeout 3\n\
        identityfile ~/.ssh/%r_key\nidentityfile /keys/a b\nhostkeyalias web-key\n\
        globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2\n\
        userknownhostsfile /home/me/.ssh/kh /tmp/k h %d/zz\nrevokedhostkeys /etc/revoked\nnew-in-ssh-12 yes\n";
    let expected = Target {
        name: "web".into(),
        hostname: "192.0.2.7".into(),
        port: 2222,
        user: "deploy".into(),
        identity_files: vec!["/home/me/.ssh/deploy_key".into(), "/keys/a b".into()],
        identities_only: true,
        agent: Some("/run/agent".into()),
        route: Route::Direct,
        known_hosts: [
            "/home/me/.ssh/kh",
            "/tmp/k h",
            "/home/me/zz",
            "/etc/ssh/ssh_known_hosts",
            "/etc/ssh/ssh_known_hosts2",
        ]
        .map(PathBuf::from)
        .to_vec(),
        host_key_alias: Some("web-key".into()),
        revoked_host_keys: Some("/etc/revoked".into()),
        connect_timeout: Some(Duration::from_secs(3)),
        alive_interval: Duration::from_secs(7),
        alive_count: 4,
    };
    assert_eq!(parse(output), expected);
}

#[test]
fn a_zero_interval_leaves_our_own() {
    assert_eq!(parse("serveraliveinterval 0").alive_interval, ALIVE_INTERVAL);
    assert_eq!(parse("connecttimeout none").connect_timeout, None);
}

#[test]
fn agents_are_found() {
    for (line, expected) in [
        ("", Some("/run/agent")),
        ("identityagent none", None),
        ("identityagent SSH_AUTH_SOCK", Some("/run/agent")),
        ("identityagent $SSH_AUTH_SOCK", Some("/run/agent")),
        ("identityagent ${UNSET}", None),
        ("identityagent ~/a.sock", Some("/home/me/a.sock")),
    ] {
        assert_eq!(parse(line).agent, expected.map(PathBuf::from), "{line}");
    }
}

#[test]
fn routes_are_found() {
    let hop = |user: Option<&str>, host: &str, port| Address {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
    };
    let jump = Route::Jump(vec![hop(Some("a"), "b", Some(33)), hop(None, "c", None)]);
    assert_eq!(parse("proxyjump a@b:33,c").route, jump);
    assert_eq!(parse("proxyjump ssh://a@b:33/,c").route, jump);
    assert_eq!(parse("proxyjump none").route, Route::Direct);
    assert_eq!(parse("proxycommand none").route, Route::Direct);
    assert_eq!(
        parse("hostname h.example\nport 29\nuser u\nproxycommand nc %h %p # %r %n %%").route,
        Route::Command("nc h.example 29 # u web %".into())
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for output in ["port 70000", "port x", "proxyjump -x", "identityfile /k/%C", "identityfile /k/%"] {
        assert!(Target::parse(&address(), output, &around()).is_err(), "{output}");
    }
}

#[test]
fn defaults_use_what_was_written() {
    let address = Address { user: Some("u".into()), host: "h".into(), port: Some(2) };
    let target = Target::defaults(&address, &around());
    assert_eq!((target.user.as_str(), target.hostname.as_str(), target.port), ("u", "h", 2));
    assert_eq!(Target::defaults(&self::address(), &around()).user, "me");
}

proptest::proptest! {
    #[test]
    fn no_output_makes_it_panic(output in "([a-z]{0,20} [^\n]{0,30}\n){0,6}") {
        let _ = Target::parse(&address(), &output, &around());
    }
}
