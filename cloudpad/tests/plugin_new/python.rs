//! Starter plugins in Python.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::STAGES;
use crate::made::{Made, need};

#[test]
fn they_pass_their_tests() {
    need("python3 --version", "python3");
    for stage in STAGES {
        let made = Made::new(stage, "python");
        let said = made.run("./test_plugin.py");
        assert!(said.trim_end().ends_with("OK"), "{stage}: {said}");
        made.is_taken();
    }
}

#[test]
fn what_is_printed_and_read_by_mistake_is_not_the_stream() {
    let made = Made::new("inventory", "python");
    let mistake = "    print(\"oh\", input.__name__, os.system(\"cat; echo oh\"))\n    only_keys(call.config, \"hosts\")\n";
    made.edit("cloudpad-acme-inventory", "    only_keys(call.config, \"hosts\")\n", mistake);
    let said = made.run("./test_plugin.py");
    assert!(said.contains("oh input 0"), "{said}");
}

#[test]
fn a_mistake_in_a_method_is_the_end_of_its_call_only() {
    let made = Made::new("inventory", "python");
    made.edit(
        "cloudpad-acme-inventory",
        "    only_keys(call.config, \"hosts\")\n",
        "    json.loads(call.config.get(\"text\"))\n",
    );
    let text = std::fs::read_to_string(made.dir.join("cloudpad-acme-inventory")).expect("it is made");
    let line =
        text.lines().position(|line| line.contains("json.loads(call.config")).expect("the mistake") + 1;
    let mut plugin = Session::start(&made, "inventory");
    let error = plugin.call("config.check", json!({}), json!({}))["error"].take();
    assert_eq!(error["kind"], "crashed");
    assert_eq!(error["outcome"], "unknown");
    let (file, code) = (made.dir.join("cloudpad-acme-inventory"), "json.loads(call.config.get(\"text\"))");
    let place = format!("{}, line {line}, in config_check: {code}", file.display());
    assert_eq!(error["causes"], json!([place]));
    assert_eq!(plugin.call("config.check", json!({}), json!({ "text": "[]" }))["ok"], json!({}));
    plugin.end();
}

#[test]
fn a_call_is_cancelled_between_its_steps_while_others_go_on() {
    let made = Made::new("source", "python");
    made.run("mkfifo begun go");
    let mut plugin = Session::start(&made, "source");
    let source =
        json!({ "name": "app", "location": { "type": "directory", "path": made.dir }, "cache": "/none" });
    let steps = json!([["sh", "-c", "echo >begun; cat go"], ["touch", "gone-on"]]);
    let id = plugin.send("source.fetch", json!({ "source": source, "prepare": steps }), json!({}));
    made.run("cat begun");
    plugin.say(&json!({ "t": "cancel", "id": id, "reason": "the test says so" }));
    // An answer to what was said after it shows that it was heard.
    assert_eq!(plugin.call("config.check", json!({}), json!({}))["ok"], json!({}));
    made.run("echo >go");
    let end = plugin.end_of(id);
    assert_eq!(end["error"]["kind"], "cancelled", "{end}");
    assert!(!made.dir.join("gone-on").exists());
    plugin.end();
}

/// A plugin that was started, and greeted.
struct Session {
    process: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    calls: u64,
}

impl Session {
    fn start(made: &Made, stage: &str) -> Self {
        let mut command = Command::new(made.dir.join(format!("cloudpad-acme-{stage}")));
        command.arg("--cloudpad-plugin").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("it starts");
        let lines = BufReader::new(process.stdout.take().expect("it has an output")).lines();
        let mut session = Self { process, lines, calls: 0 };
        assert_eq!(session.read()["t"], "hello");
        session.say(&json!({ "t": "hello", "protocol": 1, "version": "0.1.0" }));
        session
    }

    fn say(&mut self, message: &Value) {
        let input = self.process.stdin.as_mut().expect("it has an input");
        writeln!(input, "{message}").expect("it reads");
    }

    fn read(&mut self) -> Value {
        let line = self.lines.next().expect("it has ended").expect("it can be read");
        serde_json::from_str(&line).expect("a message")
    }

    fn send(&mut self, method: &str, params: Value, config: Value) -> u64 {
        self.calls += 1;
        let (t, id) = ("call", self.calls);
        self.say(&json!({ "t": t, "id": id, "provider": "acme", "method": method, "params": params, "config": config }));
        id
    }

    fn end_of(&mut self, id: u64) -> Value {
        loop {
            let message = self.read();
            if message["t"] != "event" {
                assert_eq!(message["id"], id, "{message}");
                return message;
            }
        }
    }

    fn call(&mut self, method: &str, params: Value, config: Value) -> Value {
        let id = self.send(method, params, config);
        self.end_of(id)
    }

    /// It ends well when its input ends.
    fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().expect("it ends").success());
    }
}
