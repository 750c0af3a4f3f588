//! Which layers of an image a host has, and which it lacks. Pure.

use std::collections::BTreeSet;

/// How many of the first layers of `image` are also the first layers of one of `known`, all given by
/// their diff ids from the bottom up.
///
/// A layer counts only together with all those below it: classic stores know a layer by the chain
/// that it ends.
pub(super) fn shared(image: &[String], known: &[Vec<String>]) -> usize {
    let common = |other: &Vec<String>| image.iter().zip(other).take_while(|(a, b)| a == b).count();
    known.iter().map(common).max().unwrap_or(0)
}

/// The diff ids to send when the host has the first `shared` layers. The same content may be a layer
/// twice: it is sent when either is lacking.
pub(super) fn lacking(image: &[String], shared: usize) -> BTreeSet<String> {
    image.iter().skip(shared).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.chars().map(|c| c.to_string()).collect()
    }

    #[test]
    fn the_longest_common_beginning_counts() {
        let image = ids("abcd");
        assert_eq!(shared(&image, &[]), 0);
        assert_eq!(shared(&image, &[ids("ab"), ids("abcx"), ids("xbcd")]), 3);
        assert_eq!(shared(&image, &[ids("bcd")]), 0, "a layer without those below it is another chain");
        assert_eq!(shared(&image, &[ids("abcdef")]), 4);
    }

    #[test]
    fn content_that_comes_twice_is_sent_when_one_of_them_lacks() {
        assert_eq!(lacking(&ids("aba"), 1), BTreeSet::from(["a".into(), "b".into()]));
        assert_eq!(lacking(&ids("abc"), 3), BTreeSet::new());
    }
}
