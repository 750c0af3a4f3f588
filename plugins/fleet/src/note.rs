//! Something to remember, in a unit that never runs: fleet keeps it for whoever asks, and has no machine for it. Pure.
//!
//! It is JSON in a section that neither fleet nor systemd reads. Units can be read by all who reach fleet's API, so no secret is in it.

use cloudpad_plugin_api::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::unit::{UnitOption, values};

const SECTION: &str = "X-Cloudpad";
const NAME: &str = "Note";
/// The most bytes of a line: less than fleet takes.
const LINE: usize = 1900;

/// The options of a unit that remembers `what`.
///
/// # Errors
/// `failed` for what is no JSON.
pub fn options(description: &str, what: &impl Serialize) -> Result<Vec<UnitOption>, Failure> {
    let json = serde_json::to_string(what)
        .map_err(|error| Failure::failed(format!("{description} cannot be written as JSON: {error}")))?;
    let plain = plain(&json);
    let lines: Vec<&str> =
        (0..plain.len()).step_by(LINE).map(|at| &plain[at..plain.len().min(at + LINE)]).collect();
    Ok(vec![
        UnitOption::new("Unit", "Description", description),
        UnitOption::new(SECTION, NAME, lines.join("\\\n")),
    ])
}

/// What a unit remembers; none where that is not understood.
pub fn read<T: DeserializeOwned>(options: &[UnitOption]) -> Option<T> {
    let note = values(options, SECTION, NAME).first()?.replace("\\\n", "");
    serde_json::from_str(&note).ok()
}

/// The same JSON in characters of which no line can be empty, a comment, or anything but ASCII: all others are in strings only.
fn plain(json: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | ';');
    let mut plain = String::new();
    for c in json.chars() {
        match is_plain(c) {
            true => plain.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| plain += &format!("\\u{unit:04x}")),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_remembered_is_read_back(words in prop::collection::vec("[#; \\\\\"a\u{e9}\u{1f600}\\PC]{0,900}", 0..9)) {
            let options = options("words", &words).unwrap();
            prop_assert_eq!(check::options(&options), Ok(()));
            prop_assert_eq!(read::<Vec<String>>(&options), Some(words));
        }
    }

    #[test]
    fn what_is_none_of_ours_is_not_understood() {
        assert_eq!(read::<String>(&[UnitOption::new("Unit", "Description", "x")]), None);
        assert_eq!(read::<u8>(&options("x", &"words").unwrap()), None);
    }
}
