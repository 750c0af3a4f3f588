//! How what the other side has left out, or knows and we do not, is read. Pure.
//!
//! Some languages write an empty list as `null`, and the simplest plugins write only what has to be there.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads `null` as the empty value of the type. With `#[serde(default)]`, a field that is not there is that too.
pub(crate) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// As [`or_empty`], and reads a name from a newer protocol so too.
pub(crate) fn known_or_empty<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    from: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    if value.is_null() || is_newer::<T>(&value) {
        return Ok(T::default());
    }
    T::deserialize(value).map_err(D::Error::custom)
}

/// Reads `null` as `true`.
pub(crate) fn or_true<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Option::<bool>::deserialize(from).map(|value| value.unwrap_or(true))
}

/// `true`, for a field that is not there.
pub(crate) fn yes() -> bool {
    true
}

/// Reads a value, or nothing where it is not understood.
pub(crate) fn if_understood<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Value::deserialize(from).map(|value| serde_json::from_value(value).ok())
}

/// Reads a map, without the values that are not understood.
pub(crate) fn understood<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let all = Option::<BTreeMap<String, Value>>::deserialize(from)?.unwrap_or_default();
    let read = |(name, value)| Some((name, serde_json::from_value(value).ok()?));
    Ok(all.into_iter().filter_map(read).collect())
}

/// Reads a list, without the elements that `is_newer` finds.
pub(crate) fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
    is_newer: impl Fn(&Value) -> bool,
) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Value>>::deserialize(from)?.unwrap_or_default();
    let known = all.into_iter().filter(|element| !is_newer(element));
    known.map(|element| serde_json::from_value(element).map_err(D::Error::custom)).collect()
}

/// Whether it is a name that `T` does not have: one from a newer protocol. What is no name at all is a
/// mistake, and not that.
pub(crate) fn is_newer<T: DeserializeOwned>(value: &Value) -> bool {
    value.is_string() && T::deserialize(value).is_err()
}
