//! What stands before a line that one of several containers or hosts has printed. Pure.

const RESET: &str = "\x1b[0m";

/// Colours that can be read on light and dark, and mean nothing elsewhere.
const COLOURS: [&str; 6] = ["\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[32m", "\x1b[96m", "\x1b[95m"];

/// `NAME | ` in the colour that this name always has, as wide as those before it.
#[derive(Debug, Default)]
pub struct Prefixes {
    width: usize,
}

impl Prefixes {
    /// Prefixes that are as wide as the longest of these names.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { width: names.map(|name| name.chars().count()).max().unwrap_or_default() }
    }

    /// The prefix of a line of `name`.
    pub fn of(&mut self, name: &str) -> String {
        self.width = self.width.max(name.chars().count());
        let width = self.width;
        format!("{}{name:width$} |{RESET} ", colour(name))
    }
}

/// The same for the same name, wherever and whenever it is shown.
fn colour(name: &str) -> &'static str {
    let sum =
        name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    COLOURS[sum as usize % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_colours_of_their_own_and_lines_begin_in_one_column() {
        let mut prefixes = Prefixes::new(["web.1@h1", "a@h1"].into_iter());
        let (web, a) = (prefixes.of("web.1@h1"), prefixes.of("a@h1"));
        assert!(web.ends_with("web.1@h1 |\x1b[0m ") && a.ends_with("a@h1     |\x1b[0m "), "{web:?} {a:?}");
        assert_eq!(prefixes.of("web.1@h1"), web);
        assert!(prefixes.of("longer.10@h1").contains("longer.10@h1 |"));
        let different: std::collections::BTreeSet<_> =
            (1..20).map(|n| colour(&format!("web.{n}@h1"))).collect();
        assert!(different.len() > 3);
    }
}
