//! Words of a command as systemd reads them from an `Exec…=` line, after `systemd.service(5)` and `systemd.syntax(7)`. Pure.

use std::fmt::Write;

/// The most bytes of a line that this makes: below what fleet takes, with room for the option's name and a backslash.
const LINE: usize = 2000;

/// A part of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// What the program gets as it is.
    Plain(String),
    /// What systemd is to put in for `%i` and the like; only characters that need no quotes.
    Specified(String),
}

impl Word {
    /// As it is written in a unit.
    fn written(&self) -> String {
        match self {
            Word::Plain(word) => quoted(word),
            Word::Specified(word) => word.clone(),
        }
    }
}

impl<T: Into<String>> From<T> for Word {
    fn from(word: T) -> Self {
        Word::Plain(word.into())
    }
}

/// The value of an `Exec…=` option: the words with spaces between them, on as many lines as it takes. Where a line ends,
/// systemd reads a space, so lines end only between words. The first is a program by its absolute path.
///
/// # Errors
/// The first word, as it was given, that is too long for a line.
pub fn command(words: &[Word]) -> Result<String, &Word> {
    let mut value = String::new();
    let mut room = LINE;
    for word in words {
        let written = word.written();
        if written.len() > LINE {
            return Err(word);
        }
        if value.is_empty() {
        } else if written.len() + 1 > room {
            value.push_str(" \\\n");
            room = LINE;
        } else {
            value.push(' ');
            room -= 1;
        }
        value.push_str(&written);
        room = room.saturating_sub(written.len());
    }
    Ok(value)
}

/// A word that systemd reads as this one: without anything put in for `%` and `$`, and as one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(c));
            }
            // Other control characters, such as U+0085, are none to systemd, but `check` lets none pass.
            c if c.is_control() => c.to_string().bytes().for_each(|byte| {
                let _ = write!(quoted, "\\x{byte:02x}");
            }),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check;
    use crate::systemd::read;
    use crate::unit::UnitOption;

    proptest! {
        #[test]
        fn systemd_reads_the_words_that_were_meant(words in prop::collection::vec("[^\0]{0,40}", 1..120)) {
            let given: Vec<Word> = std::iter::once("/bin/echo".to_owned()).chain(words.clone()).map(Word::Plain).collect();
            let value = command(&given).unwrap();
            prop_assert_eq!(&read(&value, "", "")[1..], &words[..]);
            prop_assert_eq!(check::options(&[UnitOption::new("Service", "ExecStartPre", value)]), Ok(()));
        }

        #[test]
        fn what_means_something_means_nothing(words in prop::collection::vec("[\"'%$\\\\;#{} \n\ta]{0,6}", 1..9)) {
            let given: Vec<Word> = words.iter().cloned().map(Word::Plain).collect();
            prop_assert_eq!(read(&command(&given).unwrap(), "", ""), words);
        }
    }

    #[test]
    fn a_word_that_is_too_long_for_a_line_is_told() {
        let words = ["/bin/echo".into(), Word::Plain("%".repeat(1000))];
        assert_eq!(command(&words), Err(&words[1]));
        assert!(command(&["/bin/echo".into(), Word::Plain("%".repeat(999))]).is_ok());
    }

    #[test]
    fn only_what_is_meant_for_systemd_is_put_in() {
        let words = ["/bin/echo".into(), Word::Specified("--name=%p.%i".to_owned()), "%i".into()];
        assert_eq!(
            read(&command(&words).unwrap(), "shop.web.1a", "7"),
            ["/bin/echo", "--name=shop.web.1a.7", "%i"]
        );
    }
}
