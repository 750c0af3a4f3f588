//! Text at random: it never panics, always ends, and every problem lies within the text.

use std::ops::Range;

use cloudpad::config::{Place, Places, show};
use proptest::prelude::*;

use super::{cases, load, render};

/// All that has to hold of any text at all.
fn hold(text: &str, environment: Option<&str>) {
    match load(text, environment, &|name| (name.len() % 2 == 0).then(|| name.to_lowercase())) {
        Ok(config) => {
            let shown = show(&config);
            let again = load(&shown, environment, &|name| panic!("asked for `{name}`"))
                .unwrap_or_else(|problems| panic!("{shown}\n{}", render(&problems, &shown)));
            assert_eq!(show(&again), shown);
            assert_eq!(again.services, config.services);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in &problems {
                match &problem.place {
                    Some(Place::Bytes(Range { start, end })) => {
                        assert!(start <= end && *end <= text.len(), "{problem:?} is outside");
                    }
                    other => panic!("{problem:?} has the place {other:?}"),
                }
            }
            assert!(!render(&problems, text).is_empty());
            cloudpad::config::render(&problems, &Places::default(), text, "x", true);
        }
    }
}

/// Every case of the other tests, good and bad.
fn corpus() -> Vec<String> {
    let all: Vec<_> = ["good", "problems"].into_iter().flat_map(cases).map(|(_, text)| text).collect();
    assert!(all.len() > 60);
    all
}

/// What texts of this kind are made of, so that noise gets past the first bracket.
const FRAGMENTS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "#",
    " ",
    "\\",
    "$",
    "${",
    "${X}",
    "${XY:-d}",
    "$$",
    "-",
    "0",
    "1",
    "99999999999",
    "1e400",
    "inf",
    "nan",
    "true",
    "1979-05-27",
    "\u{feff}",
    "é",
    "日",
    "\u{0}",
    "project",
    "name",
    "services",
    "images",
    "hosts",
    "sources",
    "environments",
    "web",
    "ports",
    "volumes",
    "health",
    "address",
    "replicas",
    "8080:80",
    ":",
    "/",
    "@",
    "%",
    "s",
    "ms",
];

#[derive(Clone, Debug)]
enum Edit {
    Insert(&'static str),
    Delete(usize),
    Repeat(usize),
    Swap(usize),
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, Edit)>> {
    let edit = prop_oneof![
        3 => prop::sample::select(FRAGMENTS).prop_map(Edit::Insert),
        2 => (1..20usize).prop_map(Edit::Delete),
        1 => (1..60usize).prop_map(Edit::Repeat),
        1 => (1..60usize).prop_map(Edit::Swap),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), edit), 1..8)
}

fn mutate(text: &str, edits: &[(prop::sample::Index, Edit)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (index, edit) in edits {
        let at = index.index(chars.len() + 1);
        let upto = |length: usize| (at + length).min(chars.len());
        match edit {
            Edit::Insert(fragment) => drop(chars.splice(at..at, fragment.chars())),
            Edit::Delete(length) => drop(chars.drain(at..upto(*length))),
            Edit::Repeat(length) => {
                let again: Vec<char> = chars[at..upto(*length)].to_vec();
                chars.splice(at..at, again);
            }
            Edit::Swap(length) => {
                let end = upto(*length);
                chars[at..end].reverse();
            }
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        hold(&text, None);
    }

    #[test]
    fn any_row_of_fragments_is_read_or_refused(parts in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..60)) {
        hold(&parts.concat(), Some("web"));
    }

    #[test]
    fn any_change_of_a_real_file_is_read_or_refused(
        text in prop::sample::select(corpus()),
        edits in edits(),
        environment in prop::option::of(Just("staging")),
    ) {
        hold(&mutate(&text, &edits), environment);
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        hold(&format!("a = {}1{}", open.repeat(50_000), close.repeat(50_000)), None);
    }
    hold(&format!("{}a = 1", "a.".repeat(50_000)), None);
    hold(&format!("[{}a]", "a.".repeat(50_000)), None);
}
