//! A plugin's hello: read so that a newer plugin's can be refused by name, and compared with what is wanted. Pure.

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::wire::{PROTOCOL, PluginHello, Provides};
use serde_json::Value;

/// Why a hello is no good.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It does not speak our protocol. Its hello may have any other shape.
    Protocols(String),
    /// It has not the shape of a hello.
    Shape(String),
}

/// Reads a hello, `t` included.
///
/// # Errors
/// When the plugin cannot be spoken to.
pub fn read(hello: Value) -> Result<PluginHello, Unfit> {
    let protocols = hello.get("protocols").and_then(Value::as_array);
    if let Some(spoken) = protocols
        && !spoken.contains(&PROTOCOL.into())
    {
        return Err(Unfit::Protocols(hello["protocols"].to_string()));
    }
    serde_json::from_value(hello).map_err(|error| Unfit::Shape(error.to_string()))
}

/// What a plugin says of the provider that is wanted of it.
///
/// # Errors
/// What it provides instead, in words.
pub fn confirm<'a>(hello: &'a PluginHello, stage: Stage, provider: &str) -> Result<&'a Provides, String> {
    let wanted = |provided: &&Provides| provided.stage == stage && provided.provider == provider;
    hello.provides.iter().find(wanted).ok_or_else(|| {
        let all: Vec<_> =
            hello.provides.iter().map(|p| format!("`{}` for stage `{}`", p.provider, p.stage)).collect();
        let instead = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        format!("does not provide `{provider}` for stage `{stage}`: it says that it provides {instead}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hello(protocols: Value, provides: Value) -> Value {
        json!({ "t": "hello", "name": "aws", "version": "1", "protocols": protocols, "provides": provides })
    }

    #[test]
    fn what_a_newer_plugin_says_more_is_ignored() {
        let provides = json!([
            { "stage": "dns", "zones": 3 },
            { "stage": "inventory", "provider": "aws", "methods": ["inventory.list"], "colour": "red" },
        ]);
        let hello = read(hello(json!([2, 1, "x"]), provides.clone())).unwrap_err();
        assert!(matches!(hello, Unfit::Shape(_)), "{hello:?}");
        let hello = read(self::hello(json!([2, 1]), provides)).unwrap();
        assert_eq!(hello.provides.len(), 1);
        assert!(confirm(&hello, Stage::Inventory, "aws").is_ok());
    }

    #[test]
    fn another_protocol_is_told_whatever_else_is_there() {
        for (protocols, told) in [(json!([9]), "[9]"), (json!([]), "[]"), (json!([9, 1e300]), "[9,1e+300]")] {
            let found = read(json!({ "t": "hello", "protocols": protocols }));
            assert_eq!(found, Err(Unfit::Protocols(told.to_owned())));
        }
    }

    #[test]
    fn what_is_no_hello() {
        let missing = read(json!({ "t": "hello", "protocols": [1] }));
        assert_eq!(missing, Err(Unfit::Shape("missing field `name`".to_owned())));
        let shape = read(hello(json!([1]), json!([{ "stage": 3 }])));
        assert!(matches!(shape, Err(Unfit::Shape(_))), "{shape:?}");
    }

    #[test]
    fn the_provider_has_to_be_confirmed() {
        let provides = json!([{ "stage": "push", "provider": "aws", "methods": [] }]);
        let other = read(hello(json!([1]), provides)).unwrap();
        let why = confirm(&other, Stage::Inventory, "aws").unwrap_err();
        let expected =
            "does not provide `aws` for stage `inventory`: it says that it provides `aws` for stage `push`";
        assert_eq!(why, expected);
        let none = read(hello(json!([1]), json!([]))).unwrap();
        assert!(confirm(&none, Stage::Push, "aws").unwrap_err().ends_with("provides nothing"));
    }
}
