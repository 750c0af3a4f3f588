//! What a run of the program has left: exit code, output, and the events of `--json`.

use serde_json::Value;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// That of a command.
    pub fn of(command: &std::process::Command, output: &std::process::Output) -> Self {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        Self {
            command: format!("cloudpad {}", arguments.join(" ")),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test unless the exit code is this.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }

    /// All that it said, for a test's failure.
    pub fn text(&self) -> String {
        format!("$ {}\n[{:?}]\n{}\n{}", self.command, self.code, self.stdout, self.stderr)
    }

    /// Fails the test unless stderr says this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no `{words}` in:\n{}", self.text());
        self
    }

    /// The events of `--json`.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{}", self.text()))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The last event, which is the report.
    #[track_caller]
    pub fn report(&self) -> Value {
        let last = self.events().pop().unwrap_or_default();
        assert_eq!(last["event"], "report", "{}", self.text());
        last
    }

    /// The changes of the plan.
    #[track_caller]
    pub fn changes(&self) -> Vec<Value> {
        let plan = self.events().into_iter().find(|event| event["event"] == "plan");
        let plan = plan.unwrap_or_else(|| panic!("no plan in:\n{}", self.text()));
        plan["changes"].as_array().cloned().unwrap_or_default()
    }

    /// The methods of actions that were done in phase `apply`, sorted.
    #[track_caller]
    pub fn done(&self) -> Vec<String> {
        let done = |event: &Value| event["event"] == "done" && event["phase"] == "apply";
        let mut methods: Vec<String> =
            self.events().iter().filter(|event| done(event)).map(|event| word(&event["method"])).collect();
        methods.sort();
        methods
    }

    /// How many actions of this method were done.
    #[track_caller]
    pub fn count(&self, method: &str) -> usize {
        self.done().iter().filter(|done| *done == method).count()
    }
}

/// A JSON string's text.
pub fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
