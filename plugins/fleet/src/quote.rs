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
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check;
    use crate::unit::UnitOption;

    /// What systemd makes of an `Exec…=` value, written from its manual: nothing is put in for a specifier but `%`, `%i`
    /// and `%p`, and none of a variable. Panics where systemd would complain or put in something.
    pub(crate) fn read(value: &str) -> Vec<String> {
        let joined = value.replace("\\\n", " ");
        let mut words = Vec::new();
        let mut rest = joined.chars().peekable();
        loop {
            while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
            if rest.peek().is_none() {
                return words
                    .into_iter()
                    .map(|word: Vec<u8>| put_in(&String::from_utf8(word).unwrap()))
                    .collect();
            }
            assert_ne!(rest.peek(), Some(&';'), "another command");
            let (mut word, mut quote) = (Vec::new(), None);
            while let Some(c) = rest.next_if(|c| quote.is_some() || !c.is_ascii_whitespace()) {
                match c {
                    '"' | '\'' if quote.is_none() => quote = Some(c),
                    c if quote == Some(c) => quote = None,
                    '\\' => match rest.next().unwrap() {
                        'n' => word.push(b'\n'),
                        't' => word.push(b'\t'),
                        'x' => {
                            let hex: String = [rest.next().unwrap(), rest.next().unwrap()].iter().collect();
                            word.push(u8::from_str_radix(&hex, 16).unwrap());
                        }
                        c @ ('"' | '\\') => word.push(c as u8),
                        other => panic!("systemd does not know \\{other}"),
                    },
                    c => word.extend(c.to_string().bytes()),
                }
            }
            assert_eq!(quote, None, "an open quote");
            words.push(word);
        }
    }

    fn put_in(word: &str) -> String {
        let specified = put_in_for(word, '%', &[('%', "%"), ('i', "7"), ('p', "shop.web.1a")]);
        put_in_for(&specified, '$', &[('$', "$")])
    }

    fn put_in_for(word: &str, mark: char, known: &[(char, &str)]) -> String {
        let mut read = String::new();
        let mut rest = word.chars();
        while let Some(c) = rest.next() {
            if c == mark {
                let what = rest.next().unwrap();
                read.push_str(known.iter().find(|(name, _)| *name == what).unwrap().1);
            } else {
                read.push(c);
            }
        }
        read
    }

    proptest! {
        #[test]
        fn systemd_reads_the_words_that_were_meant(words in prop::collection::vec("[^\0]{0,40}", 1..120)) {
            let given: Vec<Word> = std::iter::once("/bin/echo".to_owned()).chain(words.clone()).map(Word::Plain).collect();
            let value = command(&given).unwrap();
            prop_assert_eq!(&read(&value)[1..], &words[..]);
            prop_assert_eq!(check::options(&[UnitOption::new("Service", "ExecStartPre", value)]), Ok(()));
        }

        #[test]
        fn what_means_something_means_nothing(words in prop::collection::vec("[\"'%$\\\\;#{} \n\ta]{0,6}", 1..9)) {
            let given: Vec<Word> = words.iter().cloned().map(Word::Plain).collect();
            prop_assert_eq!(read(&command(&given).unwrap()), words);
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
        assert_eq!(read(&command(&words).unwrap()), ["/bin/echo", "--name=shop.web.1a.7", "%i"]);
    }
}
