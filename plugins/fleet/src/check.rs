//! What is not sent to fleet, since it would refuse it or, worse, take it for something else. Pure.

use cloudpad_plugin_api::Failure;

use crate::unit::UnitOption;

/// The most bytes of a line that fleet takes.
pub const LINE: usize = 2048;
/// The most bytes of a unit's name: what systemd takes, which is one less than what fleet does.
const NAME: usize = 255;
const TYPES: [&str; 5] = ["service", "path", "socket", "target", "timer"];

/// Whether a unit can have this name.
///
/// # Errors
/// `invalid`, saying why not.
pub fn name(name: &str) -> Result<(), Failure> {
    let invalid =
        |why: String| Err(Failure::invalid(format!("no unit of fleet can be called `{name}`: {why}")));
    let known = name.rsplit_once('.').filter(|(before, kind)| !before.is_empty() && TYPES.contains(kind));
    if known.is_none() {
        return invalid(format!("it does not end in one of .{}", TYPES.join(", .")));
    }
    if name.len() > NAME {
        return invalid(format!("it is longer than {NAME} bytes"));
    }
    if name.starts_with('@') || name.matches('@').count() > 1 {
        return invalid("`@` is only between a template's name and an instance's".to_owned());
    }
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !":_-.\\@".contains(*c)) {
        Some(odd) => invalid(format!("it has a {odd:?}")),
        None => Ok(()),
    }
}

/// Whether a unit can have these options.
///
/// # Errors
/// `invalid`, saying which cannot be and why.
pub fn options(options: &[UnitOption]) -> Result<(), Failure> {
    if options.is_empty() {
        return Err(Failure::invalid("a unit without options is none"));
    }
    options.iter().try_for_each(option)
}

fn option(option: &UnitOption) -> Result<(), Failure> {
    let UnitOption { section, name, value } = option;
    let invalid = |why: &str| {
        Err(Failure::invalid(format!("option `{}` of section `{section}` {why}", name.escape_debug())))
    };
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_word(section) || !is_word(name) {
        return invalid("has a name of other characters than letters, digits and `-`");
    }
    // fleet trims what it stores, so the hash would be another one.
    if value.trim() != value {
        return invalid("has a value that begins or ends with white space");
    }
    let mut lines = value.split('\n').peekable();
    let mut before = name.len() + 1;
    while let Some(line) = lines.next() {
        let goes_on = lines.peek().is_some();
        if goes_on && !line.ends_with('\\') {
            return invalid("has a line break in its value, which would begin an option of its own");
        }
        if !goes_on && line.ends_with('\\') {
            return invalid(
                "has a value that ends with a backslash, so that the next line would belong to it",
            );
        }
        // An empty line ends a value; systemd leaves a line of a comment out.
        let text = line.trim_end_matches('\\').trim();
        if before == 0 && (text.is_empty() || text.starts_with(['#', ';'])) {
            return invalid("goes on with a line that is empty or looks like a comment");
        }
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return invalid("has a control character in its value");
        }
        if before + line.len() > LINE {
            return invalid(&format!("has a line of more than {LINE} bytes"));
        }
        before = 0;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_systemd_or_fleet_would_not_take_are_refused() {
        for good in
            ["shop.web.1a@1.service", "a\\x2db.service", "shop.web.target", "shop..r1.target", "t@.timer"]
        {
            assert_eq!(name(good), Ok(()), "{good}");
        }
        let long = format!("{}.service", "a".repeat(248));
        let bad =
            ["", "hello", ".service", "a.foo", "a@.mount", "@x.service", "a@b@c.service", "he llo.service"];
        for bad in bad.into_iter().chain(["a/b.service", "a%.service", "é.service", &long]) {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert_eq!(name(&long[1..]), Ok(()));
    }

    #[test]
    fn values_that_would_become_something_else_are_refused() {
        let long = "x".repeat(LINE - "Exec=".len());
        let broken = format!("{long}\\\n{}", "y".repeat(LINE));
        for good in ["", "/bin/true", "a\\\nb", "a \\\n\"#b\"", "h\u{e9}llo", &long] {
            assert_eq!(option(&UnitOption::new("Service", "Exec", good)), Ok(()), "{good}");
        }
        let (too_long, broken_too_long) = (format!("{long}x"), format!("a\\\n{}", "y".repeat(LINE + 1)));
        for (bad, why) in [
            ("/bin/true\nUser=nobody", "line break"),
            ("a\\", "ends with a backslash"),
            ("a\\\n", "white space"),
            ("a\\\n\\\nb", "empty"),
            ("a\\\n#b", "comment"),
            ("a\\\n ;b", "comment"),
            (" a", "white space"),
            ("a\rb", "control"),
            ("a\0b", "control"),
            (&too_long, "2048"),
            (&broken, "2048"),
            (&broken_too_long, "2048"),
        ] {
            let refused = option(&UnitOption::new("Service", "Exec", bad)).unwrap_err().message;
            assert!(refused.contains(why), "{bad:?}: {refused}");
        }
        for (section, name) in [("", "A"), ("S]\n[T", "A"), ("S", "A=b"), ("S", ""), ("S", "A\nB")] {
            assert!(option(&UnitOption::new(section, name, "1")).is_err(), "{section:?} {name:?}");
        }
        assert!(options(&[]).is_err());
    }
}
