//! The lab, as `cargo xtask lab up` describes it in `lab.json`. Talks to the machine's engine, which holds the hosts.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::Deserialize;

/// What `lab.json` says.
#[derive(Deserialize)]
pub struct Lab {
    pub hosts: Vec<Host>,
    /// What `docker run --detach` takes to make a machine that is no host yet.
    #[serde(default)]
    pub bare: Vec<String>,
    /// The same with systemd as its first process.
    #[serde(default)]
    pub bare_systemd: Vec<String>,
    pub ssh_config: PathBuf,
    /// The private key that hosts let in.
    pub key: PathBuf,
    pub registry: String,
    /// The URL of etcd.
    pub etcd: String,
    pub registry_tls: String,
    pub registry_user: String,
    pub registry_password: String,
    pub base_image: String,
    pub proxy_image: String,
    #[serde(skip)]
    _use: Option<Use>,
}

/// A host of the lab.
#[derive(Clone, Deserialize)]
pub struct Host {
    /// Its name in the lab's `ssh_config`, such as `h1`.
    pub name: String,
    /// Its own address, on which its containers' ports are.
    pub direct: String,
    /// Its container in the machine's engine.
    pub container: String,
}

/// Tests that break no host share the lab; one that does has it alone.
static LAB: RwLock<()> = RwLock::new(());

/// How long a test holds the lab.
#[expect(dead_code, reason = "they are held, not looked at")]
enum Use {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Lab {
    /// The lab, shared with other tests.
    pub fn get() -> Self {
        Self::read(Use::Shared(LAB.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The lab, while no other test uses it: for a test that breaks a host.
    pub fn alone() -> Self {
        Self::read(Use::Alone(LAB.write().unwrap_or_else(PoisonError::into_inner)))
    }

    fn read(held: Use) -> Self {
        let dir = std::env::var("CLOUDPAD_LAB").unwrap_or_else(|_| {
            panic!(
                "this test needs the lab: run `cargo xtask test`, or `cargo xtask lab up` and set \
                 CLOUDPAD_LAB to the absolute path of its folder (`.lab` in the workspace)"
            )
        });
        let file = PathBuf::from(dir).join("lab.json");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| {
            panic!("cannot read `{}`: {error}; run `cargo xtask lab up`", file.display())
        });
        Self { _use: Some(held), ..serde_json::from_str(&text).expect("`lab.json` is not a lab") }
    }

    /// Host `h1` for 1.
    pub fn host(&self, number: usize) -> &Host {
        self.hosts.get(number - 1).unwrap_or_else(|| panic!("the lab has no h{number}: `cargo xtask lab up`"))
    }
}

impl Host {
    /// Runs a shell script on the host, not by SSH, and returns what it prints.
    pub fn run(&self, script: &str) -> String {
        docker(&["exec", &self.container, "sh", "-c", script])
    }

    /// Waits until a condition of the shell holds on the host.
    pub fn wait_until(&self, condition: &str) {
        self.run(&format!("for n in $(seq 300); do {condition} && exit; sleep 0.1; done; exit 1"));
    }

    /// Waits until the host's engine answers.
    pub fn wait_for_engine(&self) {
        self.wait_until("docker info >/dev/null 2>&1");
    }
}

/// Runs `docker` against the machine's own engine.
pub fn docker(args: &[&str]) -> String {
    let output =
        Command::new("docker").args(args).env_remove("DOCKER_HOST").output().expect("docker does not start");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`docker {}`: {stderr}", args.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
