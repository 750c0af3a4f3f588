//! Keeps the values of secrets out of what plugins say. Pure.
//!
//! Every occurrence of a value becomes `***`, and where values overlap, all of what they cover. Texts are
//! masked once they are decoded, so an escape in a JSON string hides nothing. Values of less than
//! [`SHORTEST`] bytes are left alone: masking every `no` would make everything unreadable. What a plugin
//! encodes, as base64 for one, is not known again.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use cloudpad_plugin_api::{Event, Failure, Progress};

use super::plain::each_text;

/// The length in bytes from which on a value is masked.
pub const SHORTEST: usize = 6;

const STARS: &str = "***";

/// Values that nobody may see.
#[derive(Default)]
pub struct Mask {
    /// Sorted, each once.
    values: RwLock<Vec<String>>,
}

impl Mask {
    /// Masks these values, and each line of those that have several.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mask = Self::default();
        mask.add(values);
        mask
    }

    /// Masks these values too, from now on.
    pub fn add(&self, values: impl IntoIterator<Item = String>) {
        let mut all = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for value in values {
            // As it stands in a line that could not be decoded.
            let escaped = serde_json::to_string(&value).unwrap_or_default();
            all.extend(escaped.get(1..escaped.len().saturating_sub(1)).map(str::to_owned));
            all.extend(value.lines().map(|line| line.trim().to_owned()));
            all.push(value);
        }
        all.retain(|value| value.len() >= SHORTEST);
        all.sort_unstable();
        all.dedup();
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.values.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The text without the values.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let covered = self.covered(text);
        if covered.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut shown = String::new();
        let mut from = 0;
        for Range { start, end } in covered {
            shown.push_str(&text[from..start]);
            shown.push_str(STARS);
            from = end;
        }
        shown.push_str(&text[from..]);
        Cow::Owned(shown)
    }

    /// What values cover of the text, in order and apart from each other.
    fn covered(&self, text: &str) -> Vec<Range<usize>> {
        let found = |value| text.match_indices(value).map(|(at, found): (_, &str)| at..at + found.len());
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = values.iter().map(String::as_str).flat_map(found).collect();
        all.sort_unstable_by_key(|range| (range.start, range.end));
        let mut covered: Vec<Range<usize>> = Vec::new();
        for range in all {
            match covered.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => covered.push(range),
            }
        }
        covered
    }

    fn owned(&self, text: String) -> String {
        match self.text(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => masked,
        }
    }

    /// The event without the values.
    pub fn event(&self, event: Event) -> Event {
        match event {
            Event::Log { level, message } => Event::Log { level, message: self.owned(message) },
            Event::Progress(Progress { label, done, total, unit }) => {
                Event::Progress(Progress { label: self.owned(label), done, total, unit: self.owned(unit) })
            }
            Event::Output { source, line, time, stderr } => {
                Event::Output { source: self.owned(source), line: self.owned(line), time, stderr }
            }
            Event::Happened(happened) => Event::Happened(each_text(happened, |text| self.owned(text))),
            other => other,
        }
    }

    /// The JSON without the values, but for names of fields.
    pub fn json(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.owned(text)),
            Value::Array(all) => all.into_iter().map(|value| self.json(value)).collect(),
            Value::Object(all) => all.into_iter().map(|(name, value)| (name, self.json(value))).collect(),
            other => other,
        }
    }

    /// The failure without the values.
    pub fn failure(&self, failure: Failure) -> Failure {
        Failure {
            message: self.owned(failure.message),
            causes: failure.causes.into_iter().map(|cause| self.owned(cause)).collect(),
            hint: failure.hint.map(|hint| self.owned(hint)),
            host: failure.host.map(|host| self.owned(host)),
            ..failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::Level;

    fn mask(values: &[&str]) -> Mask {
        Mask::new(values.iter().map(|value| value.to_string()))
    }

    #[test]
    fn values_are_masked_wherever_they_are() {
        let cases: [(&[&str], &str, &str); 10] = [
            (&[], "s3cret", "s3cret"),
            (&["s3cret"], "a s3cret, s3crets", "a ***, ***s"),
            (&["s3cret", "s3cret-longer"], "s3cret-longer s3cret", "*** ***"),
            (&["abcdef", "defghi"], "xabcdefghix", "x***x"),
            (&["abcdef", "ghijkl"], "abcdefghijkl", "***"),
            (&["short", ""], "short", "short"),
            (&["sixsix"], "sixsix", "***"),
            (&["line-one\nline-two\n  line-three\nab\n"], "xline-two, line-three, ab", "x***, ***, ab"),
            (&["päßwörd"], "«päßwörd»", "«***»"),
            (&["qu\"ot\\ed"], r#"{"m":"qu\"ot\\ed"}"#, r#"{"m":"***"}"#),
        ];
        for (values, text, expected) in cases {
            assert_eq!(mask(values).text(text), expected, "{values:?}");
        }
    }

    #[test]
    fn replies_keep_their_shape() {
        let reply = serde_json::json!({ "s3cret": ["s3cret", 1, { "a": "x s3cret" }], "none": null });
        let shown = serde_json::json!({ "s3cret": ["***", 1, { "a": "x ***" }], "none": null });
        assert_eq!(mask(&["s3cret"]).json(reply), shown);
    }

    #[test]
    fn events_and_failures_have_no_unmasked_text() {
        let mask = mask(&["s3cret"]);
        let s = || "s3cret".to_owned();
        let progress = Progress { label: s(), done: 1, total: None, unit: s() };
        let events = [
            Event::Log { level: Level::Warn, message: s() },
            Event::Output { source: s(), line: s(), time: None, stderr: false },
            Event::Progress(progress),
        ];
        for event in events {
            let text = serde_json::to_string(&mask.event(event)).unwrap();
            assert!(!text.contains("s3cret") && text.contains("***"), "{text}");
        }
        let failure = Failure::failed(s()).cause(s()).hint(s()).on("s3cret");
        let text = serde_json::to_string(&mask.failure(failure)).unwrap();
        assert!(!text.contains("s3cret") && text.matches("***").count() == 4, "{text}");
    }
}
