//! What is in the encrypted file: a TOML document of strings. Pure. No message quotes any of it.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Secret;
use toml_edit::{DocumentMut, Item, TomlError, value};

/// The secrets, or what is wrong in which line.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, Secret>, String> {
    let document = parse(text)?;
    let secret = |(name, item): (&str, &Item)| match item.as_str() {
        Some(value) => Ok((name.to_owned(), Secret::from(value.to_owned()))),
        None => Err(format!("secret `{}` is no string: write `NAME = \"value\"`", name.escape_debug())),
    };
    document.iter().map(secret).collect()
}

/// The document with this value in place of any other of that name.
pub(super) fn with(text: &str, name: &str, new: &str) -> Result<String, String> {
    let mut document = parse(text)?;
    match document.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            // A comment behind it stays.
            let decor = old.decor().clone();
            *old = new.into();
            *old.decor_mut() = decor;
        }
        None => drop(document.insert(name, value(new))),
    }
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|error: TomlError| match error.span() {
        Some(span) => {
            let line = text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1);
            format!("line {line} is not `NAME = \"value\"`")
        }
        None => "it is no TOML document".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_back_and_the_rest_stays() {
        let text = "# ours\na = 'one' # first\n\n[unfinished\n";
        assert_eq!(read(text).unwrap_err(), "line 4 is not `NAME = \"value\"`");
        let text = "# ours\na = 'one' # first\n\n\"b c\" = \"two\"\n";
        let changed = with(text, "a", "o\"n'e\n\\ two").unwrap();
        assert!(changed.contains("# ours\n") && changed.contains(" # first\n"), "{changed}");
        let changed = with(&changed, "prod/new", "3").unwrap();
        let all = read(&changed).unwrap();
        let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(all, [("a", "o\"n'e\n\\ two"), ("b c", "two"), ("prod/new", "3")]);
        assert_eq!(with(&changed, "prod/new", "3").unwrap(), changed);
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        for (text, why) in [
            ("a = hunter22", "line 1 is not"),
            ("a = \"1\"\na = \"hunter22\"", "line 2 is not"),
            ("a = 22", "secret `a` is no string"),
            ("[a]\nhunter22 = \"1\"", "secret `a` is no string"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(why) && !told.contains("22"), "{told}");
        }
    }
}
