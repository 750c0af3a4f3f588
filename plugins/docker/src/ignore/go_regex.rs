//! Regular expressions as Go reads them, for the crate `regex`, which differs in classes (they nest
//! there), in braces and in what `\d` and its like cover. Pure.

use regex::Regex;

/// Compiles an expression of Go's syntax; none where Go would refuse it.
pub fn compile(expression: &str) -> Option<Regex> {
    let chars: Vec<char> = expression.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '\\' => {
                out.push_str(&escape(*chars.get(at)?)?);
                at += 1;
            }
            '[' => at = class(&chars, at, &mut out)?,
            '{' if !is_repetition(&chars[at..]) => out.push_str("\\{"),
            other => out.push(other),
        }
    }
    Regex::new(&out).ok()
}

/// What a backslash and `c` stand for outside of a class.
fn escape(c: char) -> Option<String> {
    Some(match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
            let negation = if c.is_ascii_uppercase() { "^" } else { "" };
            format!("[{negation}{}]", ascii_class(c)?)
        }
        'b' => "(?-u:\\b)".to_owned(),
        _ => regex::escape(&literal(c)?.to_string()),
    })
}

/// The members of `\d`, `\s` and `\w`, in either case.
fn ascii_class(c: char) -> Option<&'static str> {
    match c.to_ascii_lowercase() {
        'd' => Some("0-9"),
        's' => Some("\\t\\n\\x0c\\r\\x20"),
        'w' => Some("0-9A-Za-z_"),
        _ => None,
    }
}

/// The one character that a backslash and `c` stand for.
fn literal(c: char) -> Option<char> {
    match c {
        'a' => Some('\x07'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        c if c.is_ascii_alphanumeric() => None,
        c => Some(c),
    }
}

/// Writes the class that begins at `at`, after its `[`; answers where it ends.
fn class(chars: &[char], mut at: usize, out: &mut String) -> Option<usize> {
    out.push('[');
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let start = at;
    loop {
        let c = *chars.get(at)?;
        if c == ']' && at > start {
            out.push(']');
            return Some(at + 1);
        }
        let escaped = if c == '\\' { chars.get(at + 1).and_then(|next| ascii_class(*next)) } else { None };
        if let Some(members) = escaped {
            // A negated one within a class cannot be written without nesting; nobody has one in a path.
            if chars.get(at + 1)?.is_ascii_uppercase() {
                return None;
            }
            out.push_str(members);
            at += 2;
            continue;
        }
        let (low, next) = class_char(chars, at)?;
        at = next;
        let mut high = low;
        if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|c| *c != ']') {
            (high, at) = class_char(chars, at + 1)?;
        }
        if high < low {
            return None;
        }
        out.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high)));
    }
}

/// One character of a class, and where the next begins.
fn class_char(chars: &[char], at: usize) -> Option<(char, usize)> {
    match *chars.get(at)? {
        '\\' => Some((literal(*chars.get(at + 1)?)?, at + 2)),
        c => Some((c, at + 1)),
    }
}

/// Whether what follows a `{` makes it a count; else it stands for itself.
fn is_repetition(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else { return false };
    let inside: String = rest[..end].iter().collect();
    let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}
