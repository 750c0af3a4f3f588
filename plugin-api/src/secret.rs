//! A value that must not be seen by accident. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};
use zeroize::Zeroizing;

/// A password or token: it cannot be printed, and is only written where that is said by name.
///
/// ```
/// use cloudpad_plugin_api::Secret;
///
/// #[derive(Debug, Default, serde::Deserialize)]
/// struct Config {
///     token: Secret,
/// }
///
/// let config: Config = serde_json::from_str(r#"{ "token": "s3cr3t" }"#).unwrap();
/// assert_eq!(format!("{config:?}"), "Config { token: Secret(***) }");
/// assert_eq!(format!("Bearer {}", config.token.expose()), "Bearer s3cr3t");
/// ```
///
/// Clones share the one value, which is overwritten when the last of them is gone. What it was read from,
/// such as a line of JSON, is not.
///
/// ```compile_fail
/// let secret = cloudpad_plugin_api::Secret::from("s3cr3t".to_owned());
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret = cloudpad_plugin_api::Secret::from("s3cr3t".to_owned());
/// serde_json::to_string(&secret);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// The value. Whoever asks for it takes care that nobody else sees it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the empty string.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the value, for a field that is marked with
    /// `#[serde(serialize_with = "Secret::serialize_exposed")]`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize_exposed<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(Arc::new(Zeroizing::new(value)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_only_where_that_is_said() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Value {
            #[serde(serialize_with = "Secret::serialize_exposed")]
            value: Secret,
        }
        let read: Value = serde_json::from_str(r#"{"value":"s3cr3t"}"#).unwrap();
        assert!(!read.value.is_empty());
        assert_eq!(read.value, Secret::from("s3cr3t".to_owned()));
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"value":"s3cr3t"}"#);
    }
}
