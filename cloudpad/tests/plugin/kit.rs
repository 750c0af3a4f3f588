//! What tests of plugins need: a place for a plugin, the plugin in a few lines, and a look at what came of it.

mod left;
pub mod run;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cloudpad::plugin::external::External;
use cloudpad::plugin::find::Carrier;
use cloudpad::plugin::limits::Limits;
use cloudpad::plugin::mask::Mask;
use cloudpad::plugin::session::{Ask, Session, Unanswered, Who};
use cloudpad::plugin::start::Launch;
use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{Named, Stop};
use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::{Cancel, Emit, Event, Failure, Reply, Request};

/// What the plugins of tests provide: `x`, for two stages.
const PROVIDES: &str = r#"[{"stage":"inventory","provider":"x","methods":["inventory.list"]},{"stage":"deploy","provider":"x","methods":["deploy.stop"]}]"#;

/// What scripts of tests begin with. `hello` introduces the plugin and `next` waits for a call, whose number is then
/// in `id`.
const PRELUDE: &str = r#"#!/bin/sh
echo $$ >>"BENCH/pids"
say() { printf '%s\n' "$1"; }
hello() { say "$HELLO"; read -r host; }
next() { read -r line || exit 0; id=${line#*\"id\":}; id=${id%%[,\}]*}; }
hosts() { say "{\"t\":\"result\",\"id\":$id,\"ok\":{\"hosts\":[]}}"; }
done_() { say "{\"t\":\"result\",\"id\":$id,\"ok\":{}}"; }
log() { say "{\"t\":\"event\",\"id\":$id,\"kind\":\"log\",\"level\":\"info\",\"message\":\"$1\"}"; }
"#;

/// The same for Python.
const PYTHON: &str = r#"#!/usr/bin/env python3
import json, os, sys, time, select, signal
open("BENCH/pids", "a").write("%d\n" % os.getpid())
def say(**fields): print(json.dumps(fields), flush=True)
def hello(**more):
    print(json.dumps(dict(json.loads(HELLO), **more)), flush=True)
    return json.loads(sys.stdin.readline())
def next():
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit(0)
def hosts(call): say(t="result", id=call["id"], ok={"hosts": []})
def log(call, message): say(t="event", id=call["id"], kind="log", level="info", message=message)
"#;

/// A folder for one plugin, and what it may take.
pub struct Bench {
    dir: tempfile::TempDir,
    /// What the plugin may take.
    pub limits: Limits,
    /// How deep in plugins this process is said to be.
    pub depth: u32,
    /// What nobody may see.
    pub secrets: Vec<String>,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { dir, limits: Limits::default(), depth: 0, secrets: Vec::new() }
    }

    /// The same, with other limits.
    pub fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut bench = Self::new();
        change(&mut bench.limits);
        bench
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A file of the bench, executable. Another process writes it: while one of this process's children is being
    /// started, it holds everything open that this process has open, and what is open for writing does not run.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir().join(name);
        let script = "mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\" && chmod 755 \"$1\"";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script, "sh"]).arg(&path).stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(content).unwrap();
        assert!(shell.wait().unwrap().success());
        path
    }

    fn script(&self, prelude: &str, hello: &str, script: &str) -> PathBuf {
        let prelude = prelude.replace("BENCH", self.dir().to_str().unwrap());
        let (first, rest) = prelude.split_once('\n').unwrap();
        self.file("cloudpad-x", format!("{first}\n{hello}\n{rest}{script}\n").as_bytes())
    }

    /// A plugin in shell.
    pub fn sh(&self, script: &str) -> PathBuf {
        self.script(PRELUDE, &format!("HELLO='{}'", hello()), script)
    }

    /// A plugin in Python.
    pub fn python(&self, script: &str) -> PathBuf {
        self.script(PYTHON, &format!("HELLO = r'''{}'''", hello()), script)
    }

    pub fn launch(&self, path: &Path) -> Launch {
        let library = path.extension().is_some_and(|ending| ending == "so");
        Launch {
            who: Who { name: "x".into(), path: path.display().to_string() },
            path: path.to_owned(),
            carrier: if library { Carrier::Library } else { Carrier::Executable },
            sums: Vec::new(),
            dir: self.dir().to_owned(),
            loader: env!("CARGO_BIN_EXE_cloudpad").into(),
            depth: self.depth,
            deepest: self.limits.depth,
            listener: Default::default(),
        }
    }

    fn mask(&self) -> Arc<Mask> {
        Arc::new(Mask::new(self.secrets.clone()))
    }

    /// Starts the plugin.
    pub fn start(&self, path: &Path) -> Result<Session, Failure> {
        Session::start(&self.launch(path), self.limits, self.mask(), &Cancel::new())
    }

    /// Starts the plugin, which has to work.
    pub fn open(&self, path: &Path) -> Session {
        self.start(path).unwrap_or_else(|failure| panic!("{}", text(&failure)))
    }

    /// The plugin as a run has it.
    pub fn external(&self, path: &Path) -> External {
        External::new(self.launch(path), self.limits, self.mask())
    }

    /// Starts the plugin, which must not work, and returns what is said of it.
    pub fn refused(&self, path: &Path) -> String {
        match self.start(path) {
            Ok(session) => panic!("it said {:?}", session.hello),
            Err(failure) => text(&failure),
        }
    }

    /// Has the plugin stop a container, which it does not manage, and returns what is said of that.
    pub fn fails(&self, path: &Path) -> Failure {
        let session = self.open(path);
        match call(&session, &stop()) {
            Err(Unanswered::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }
}

/// What a plugin of this kit says first.
pub fn hello() -> String {
    format!(r#"{{"t":"hello","name":"x","version":"1","protocols":[1],"provides":{PROVIDES}}}"#)
}

/// A request that changes nothing.
pub fn list() -> Request {
    Request::InventoryList(List {})
}

/// A request that changes something.
pub fn stop() -> Request {
    Request::DeployStop(Stop {
        host: Host::new("h1", "local").into(),
        project: Project { name: "shop".into(), environment: None }.into(),
        container: Named { id: None, name: "c".into() },
        timeout: 1,
    })
}

/// Asks provider `x`.
pub fn ask(request: &Request) -> Ask<'_> {
    static NO_SECRETS: Values = Values(BTreeMap::new());
    Ask { provider: "x", config: &serde_json::Value::Null, key: "k", secrets: &NO_SECRETS, request }
}

pub fn call(session: &Session, request: &Request) -> Result<Reply, Unanswered> {
    session.call(ask(request), &nobody(), &Cancel::new())
}

/// Listens to no event.
pub fn nobody() -> Emit {
    Arc::new(|_| {})
}

/// Hands on the messages of log events.
pub fn messages(each: impl Fn(&str) + Send + Sync + 'static) -> Emit {
    Arc::new(move |event| {
        if let Event::Log { message, .. } = event {
            each(&message);
        }
    })
}

/// A failure as users see it.
pub fn text(failure: &Failure) -> String {
    cloudpad::words::failure(failure)
}

pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
