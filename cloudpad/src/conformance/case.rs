//! The file that `cloudpad plugin check --config` reads: a provider's config, and calls to send it. Pure.
//!
//! ```toml
//! stage = "source"             # check this stage's provider only
//!
//! [config]                     # as in `[stages.source.config]`
//! depth = 1
//!
//! [[call]]
//! method = "source.resolve"
//! params = { name = "app", location = { type = "directory", path = "/src" }, cache = "/tmp/cache" }
//!
//! [[call]]
//! method = "source.fetch"
//! params = { source = { … } }
//! mutating = true              # sent with `--allow-mutating` only, and twice
//! ```

use cloudpad_plugin_api::{Request, Stage};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::plugin::session::may_change;

/// What a plugin is checked with.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The stage whose provider is checked; all of them where it is not said.
    pub stage: Option<Stage>,
    /// The config; none where nobody gave one.
    pub config: Option<Value>,
    /// The calls, in their order.
    pub calls: Vec<Call>,
}

/// A call to send.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request.
    pub request: Request,
    /// Its parameters as they were written, fields that nobody knows included.
    pub params: Value,
    /// Whether it changes something.
    pub mutating: bool,
    /// Whether the file has it, and so with all that it takes.
    pub given: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    stage: Option<Stage>,
    config: Option<Map<String, Value>>,
    #[serde(default)]
    call: Vec<TextCall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCall {
    method: String,
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default)]
    mutating: bool,
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text: Text = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let calls = text.call.into_iter().map(call).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { stage: text.stage, config: text.config.map(Value::Object), calls })
    }
}

fn call(TextCall { method, params, mutating }: TextCall) -> Result<Call, String> {
    let params = Value::Object(params);
    if !Stage::ALL.iter().any(|stage| stage.methods().contains(&method.as_str())) {
        return Err(format!("there is no method `{method}`"));
    }
    let request: Request = serde_json::from_value(json!({ "method": method, "params": params }))
        .map_err(|error| format!("the `params` of `{method}` are not understood: {error}"))?;
    if may_change(&request) && !mutating {
        return Err(format!("`{method}` changes something; say so with `mutating = true`"));
    }
    Ok(Call { request, params, mutating, given: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read() {
        let text = r#"
            stage = "push"
            [config]
            registry = "r.example"
            [[call]]
            method = "push.run"
            params = { reference = "app:1" }
            mutating = true
            [[call]]
            method = "inventory.list"
        "#;
        let case = Case::parse(text).unwrap();
        assert_eq!((case.stage, case.config), (Some(Stage::Push), Some(json!({ "registry": "r.example" }))));
        let calls: Vec<_> = case.calls.iter().map(|call| (call.request.method(), call.mutating)).collect();
        assert_eq!(calls, [("push.run", true), ("inventory.list", false)]);
        let empty = Case::parse("").unwrap();
        assert!(empty.config.is_none() && empty.calls.is_empty(), "no config is not an empty one");
    }

    #[test]
    fn mistakes_are_told() {
        let cases = [
            ("[config", "TOML parse error"),
            ("confgi = 1", "unknown field `confgi`"),
            ("stage = \"dns\"", "unknown variant `dns`"),
            ("[[call]]\nmethod = \"push.sing\"", "there is no method `push.sing`"),
            (
                "[[call]]\nmethod = \"push.run\"\nmutating = true",
                "the `params` of `push.run` are not understood",
            ),
            (
                "[[call]]\nmethod = \"push.run\"\nparams = { reference = \"a\" }",
                "say so with `mutating = true`",
            ),
        ];
        for (text, expected) in cases {
            let why = Case::parse(text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
    }
}
