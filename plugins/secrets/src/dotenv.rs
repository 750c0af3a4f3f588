//! Files of variables, such as `.env`. Pure.
//!
//! What stands without quotes or in single ones is the value as it is: other readers of such files put variables in for
//! what follows a `$`, and so change passwords without a word.

/// Why a line is none, in words that do not show the value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Its number, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) why: &'static str,
}

/// Reads `NAME=value` lines, with comments, `export` before the name, and values in quotes that may go over several lines.
///
/// # Errors
/// The first line that cannot be read.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, Wrong> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let wrong = |why| Wrong { line, why };
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let whole = rest[..end].trim();
        if whole.is_empty() || whole.starts_with('#') {
            rest = &rest[end..];
            continue;
        }
        let equals = rest[..end].find('=').ok_or_else(|| wrong("it is not `NAME=value`"))?;
        let name = rest[..equals].trim();
        let name = name.strip_prefix("export ").map_or(name, str::trim_start);
        if !is_name(name) {
            return Err(wrong("what stands before `=` is no name of a variable"));
        }
        let (value, behind) = value(&rest[equals + 1..]).map_err(wrong)?;
        pairs.push((name.to_owned(), value));
        rest = behind;
    }
    Ok(pairs)
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(inner)
}

/// The value that `text` begins with, and what stands behind its line.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let begun = text.trim_start_matches([' ', '\t']);
    if let Some(quoted) = begun.strip_prefix('\'') {
        let end = quoted.find('\'').ok_or("its quote is not closed")?;
        return Ok((quoted[..end].to_owned(), end_of_line(&quoted[end + 1..])?));
    }
    if let Some(quoted) = begun.strip_prefix('"') {
        let (value, behind) = in_double_quotes(quoted)?;
        return Ok((value, end_of_line(behind)?));
    }
    let end = begun.find('\n').unwrap_or(begun.len());
    let behind = begun.get(end + 1..).unwrap_or_default();
    Ok((without_comment(&begun[..end]).trim().to_owned(), behind))
}

fn in_double_quotes(text: &str) -> Result<(String, &str), &'static str> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        value.push(match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, same @ ('"' | '\\' | '$' | '\''))) => same,
                _ => {
                    return Err(
                        "a backslash in double quotes has to be doubled: single quotes leave it as it is",
                    );
                }
            },
            letter => letter,
        });
    }
    Err("its quote is not closed")
}

/// What stands behind the rest of a line, in which there may only be a comment.
fn end_of_line(text: &str) -> Result<&str, &'static str> {
    let end = text.find('\n').unwrap_or(text.len());
    match without_comment(&text[..end]).trim() {
        "" => Ok(text.get(end + 1..).unwrap_or_default()),
        _ => Err("something follows the closing quote"),
    }
}

/// A comment begins with `#` at the beginning or behind a space.
fn without_comment(line: &str) -> &str {
    let begins = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '\t']);
    let comment = line.match_indices('#').map(|(at, _)| at).find(begins);
    &line[..comment.unwrap_or(line.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_stands_there() {
        let cases = [
            ("A=postgres://u:s3cr$et@db/x", "postgres://u:s3cr$et@db/x"),
            ("A=pa$$word$x-${HOME}", "pa$$word$x-${HOME}"),
            (r#"A={"k":"v"}"#, r#"{"k":"v"}"#),
            ("A=$", "$"),
            ("A=a b  ", "a b"),
            (r"A=a\tb\", r"a\tb\"),
            (r#"A="p#w$9x""#, "p#w$9x"),
            ("A=p#w # a comment", "p#w"),
            ("A= # nothing", ""),
            ("A=", ""),
            ("A='a \\n # $b'  # said", r"a \n # $b"),
            (r#"export A = "a\nb\"\\\$c" # said"#, "a\nb\"\\$c"),
            ("A=\"-----BEGIN\nKEY-----\n\"", "-----BEGIN\nKEY-----\n"),
            ("\u{feff}# first\r\n\r\nA=b\r\n", "b"),
            ("A=b=c", "b=c"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Ok(vec![("A".to_owned(), expected.to_owned())]), "{text}");
        }
        let pairs = parse("A=1\nB='x\ny'\nA=2").unwrap();
        assert_eq!(pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "B", "A"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_the_value() {
        let cases = [
            ("A=1\n\nword", 3, "`NAME=value`"),
            ("A='x\ny'\n2B=x", 3, "no name"),
            ("A=1\nB=\"x\n\n", 2, "not closed"),
            ("A=\"x\"y", 1, "follows the closing quote"),
            (r#"A="C:\dir""#, 1, "single quotes"),
        ];
        for (text, line, why) in cases {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.line == line && wrong.why.contains(why), "{text}: {wrong:?}");
        }
    }
}
