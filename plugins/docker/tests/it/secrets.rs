//! Secrets and the SSH agent: usable in a step, and nowhere else.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::stage::build::SecretSource;

use crate::support::{Project, program};

#[test]
fn a_secret_is_used_in_a_step_and_is_nowhere_in_the_image_or_the_output() {
    let value = format!("s3cret-{}-value", std::process::id());
    let mut project = Project::new(
        "secret",
        "FROM BASE\nRUN --mount=type=secret,id=token cat /run/secrets/token; echo; \
         busybox wc -c < /run/secrets/token > /length.UNIQUE\n",
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), &value).unwrap();
    project.recipe.secrets = BTreeMap::from([("token".into(), SecretSource::File(dir.path().join("token")))]);
    project.build();
    assert_eq!(project.in_container("cat /length.*").trim(), value.len().to_string());
    let saved = project.saved();
    assert!(
        !saved.windows(value.len()).any(|window| window == value.as_bytes()),
        "the image holds the secret"
    );
    let told = format!("{:?}", project.events());
    assert!(told.contains("***"), "the step printed nothing: {told}");
    assert!(!told.contains(&value), "the secret was told: {told}");
}

#[test]
fn a_secret_that_is_not_there_is_named_before_anything_is_built() {
    let mut project = Project::new("nosecret", "FROM BASE\nRUN --mount=type=secret,id=token true\n");
    for source in
        [SecretSource::Env("CLOUDPAD_TEST_NO_SUCH".into()), SecretSource::File("/nowhere/at/all".into())]
    {
        project.recipe.secrets = BTreeMap::from([("token".into(), source)]);
        let failure = project.observe_all(&[&project.recipe]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid);
        assert!(failure.message.contains("secret `token` of image `nosecret`"), "{failure}");
        assert!(project.output().is_empty());
    }
}

/// An SSH agent with a key, and the environment that names it. Ended when dropped.
struct Agent {
    child: Child,
    dir: tempfile::TempDir,
}

impl Agent {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("agent.sock");
        let child =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let agent = Self { child, dir };
        while UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        let key = agent.dir.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "k", "-f"])
            .arg(&key)
            .status();
        assert!(made.unwrap().success());
        let added = Command::new("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).status();
        assert!(added.unwrap().success());
        agent
    }

    /// The line of the key that the agent holds.
    fn public_key(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("key.pub")).unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// One test for both, since the environment is the whole process's.
#[test]
fn a_step_speaks_to_the_users_agent_and_without_one_the_build_is_refused() {
    let dockerfile = "FROM BASE\nCOPY rootfs /\nRUN --mount=type=ssh ssh-add -L > /keys # UNIQUE\n";
    let mut project = Project::new("agent", dockerfile);
    install(&project, "ssh-add");
    project.recipe.ssh = true;
    // SAFETY: no other test of this program reads or sets the variable.
    unsafe { std::env::remove_var("SSH_AUTH_SOCK") };
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.contains("SSH_AUTH_SOCK"), "{failure}");

    let agent = Agent::start();
    // SAFETY: as above.
    unsafe { std::env::set_var("SSH_AUTH_SOCK", agent.dir.path().join("agent.sock")) };
    project.build();
    assert_eq!(project.in_container("cat /keys"), agent.public_key());
    assert_eq!(project.in_container("ls /run/buildkit 2>/dev/null; echo none"), "none\n");
}

/// Puts a program of this machine into the context's `rootfs`.
fn install(project: &Project, name: &str) {
    for (from, to) in program(name) {
        let to = project.path().join("rootfs").join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// A registry that lets nobody in, and the authorizations that it was shown.
fn closed_registry() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (shown, seen) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            for line in head.by_ref().take_while(|line| !line.is_empty()) {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("authorization: ") {
                    let _ = shown.send(line[line.len() - value.len()..].to_owned());
                }
            }
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\n\
                  Content-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    (port, seen)
}

#[test]
fn a_registry_is_shown_the_users_credentials() {
    let (port, seen) = closed_registry();
    let config = tempfile::tempdir().unwrap();
    // `user:pass` in base64.
    let auths = format!("{{\"auths\": {{\"127.0.0.1:{port}\": {{\"auth\": \"dXNlcjpwYXNz\"}}}}}}");
    std::fs::write(config.path().join("config.json"), auths).unwrap();
    // SAFETY: the other tests do not depend on it, and no test reads it through anything but `std`.
    unsafe { std::env::set_var("DOCKER_CONFIG", config.path()) };
    let project = Project::new("login", &format!("FROM 127.0.0.1:{port}/private/base:1\n"));
    let failure = project.try_build().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert_eq!(seen.try_recv().as_deref(), Ok("Basic dXNlcjpwYXNz"), "{failure:#?}");
}
