//! JSON in which no key is there twice: of two hosts with one name, one would be lost. Pure.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a document. What is wrong is told by its place, without any value.
pub(crate) fn read(text: &[u8]) -> Result<Value, String> {
    if text.trim_ascii().is_empty() {
        return Err("there is nothing".to_owned());
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).map(|Strict(value)| value).map_err(|error| error.to_string())
}

/// What kind of value it is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = from.next_element()? {
            list.push(value);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{}` is there twice", key.escape_debug())));
            }
            let Strict(value) = from.next_value()?;
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_serde_reads() {
        let text = r#" [null, true, -3, 18446744073709551615, 1.5, "é\n", {"a": {"b": []}, "b": {}}] "#;
        assert_eq!(read(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()));
        assert_eq!(read(b"\xef\xbb\xbf{}"), Ok(Value::Object(Map::new())));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place_and_without_values() {
        for (text, why) in [
            (&b" \n"[..], "there is nothing"),
            (b"{\"a\": 1,\n\"a\": \"hunter22\"}", "the key `a` is there twice at line 2 column 3"),
            (b"[{\"x\": {\"y\": 1, \"y\": 2}}]", "the key `y` is there twice"),
            (b"hunter22", "expected value at line 1 column 1"),
            (b"[\"hunter22", "EOF while parsing a string at line 1"),
            (b"[] hunter22", "trailing characters at line 1 column 4"),
            (b"[\"\xff\"]", "invalid unicode code point at line 1"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(why) && !told.contains("hunter22"), "{told}");
        }
        assert!(read(&b"[".repeat(10_000)).unwrap_err().starts_with("recursion limit exceeded"));
    }
}
