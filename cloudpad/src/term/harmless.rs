//! Keeps what others have written, such as a container's log, from commanding the user's terminal. Pure.

use std::borrow::Cow;

/// The text without control characters, but for line ends, tabs and colours. Each of the others becomes
/// a visible sign of its own.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_command) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour(rest).unwrap_or(c.len_utf8());
        match length == c.len_utf8() && is_command(c) {
            true => shown.push(sign(c)),
            false => shown.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    Cow::Owned(shown)
}

fn is_command(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || is_invisible(c)
}

/// Whether it changes the order of what stands around it, or is not seen at all.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The length of the colour that the text begins with: `ESC [ 1 ; 3 1 m`.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let length = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[length..].starts_with('m').then_some("\x1b[".len() + length + 1)
}

/// Unicode has pictures of the controls of ASCII, in their order.
fn sign(c: char) -> char {
    match c {
        '\x7f' => '\u{2421}',
        c => char::from_u32(0x2400 + u32::from(c))
            .filter(|_| c.is_ascii())
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn only_line_ends_tabs_and_colours_get_through() {
        let cases = [
            ("web\tü\n", "web\tü\n"),
            ("\x1b[1;31merror\x1b[0m: x", "\x1b[1;31merror\x1b[0m: x"),
            ("\x1b]0;title\x07", "␛]0;title␇"),
            ("a\u{202e}b\u{200b}", "a\u{fffd}b\u{fffd}"),
            ("\x1b[2J\x1b[31", "␛[2J␛[31"),
            ("\x1b\x1b[m\r\x7f\u{9b}2J", "␛\x1b[m␍␡\u{fffd}2J"),
        ];
        for (text, expected) in cases {
            assert_eq!(harmless(text), expected, "{text:?}");
        }
    }
}
