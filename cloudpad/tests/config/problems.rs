//! Broken files and what is said of them. A case is a file in `problems/`; its message is beside it.

use cloudpad::config::{Place, Problem};

use super::{Case, cases, compare, render};

#[test]
fn every_broken_file_has_its_messages() {
    let cases = cases("problems");
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    let mut missed = Vec::new();
    for (name, text) in &cases {
        let Err(problems) = (Case { text }).load() else { panic!("`{name}` loads without a problem") };
        // All cases are compared before any failure is shown, or a change of words would need as many
        // runs as there are cases.
        let result = std::panic::catch_unwind(|| compare("problems", name, &render(&problems, text)));
        missed.extend(result.is_err().then_some(name));
    }
    assert!(missed.is_empty(), "not as expected: {missed:?}");
}

#[test]
fn every_problem_has_a_place_and_keeps_to_the_style() {
    for (name, text) in cases("problems") {
        for problem in (Case { text: &text }).load().expect_err("it is broken") {
            assert!(matches!(problem.place, Some(Place::Bytes(_))), "{name}: {problem:?}");
            assert!(!problem.message.ends_with('.'), "{name}: {}", problem.message);
            assert!(!problem.message.starts_with(char::is_uppercase), "{name}: {}", problem.message);
        }
    }
}

#[test]
fn a_key_is_found_in_the_file_or_else_the_table_above_it() {
    let text = "[project]\nname = \"shop\"\n[images.web]\n[services.web]\nports = [\"8080:80\"]\n";
    let config = super::load(text, None, &|_| None).expect("it is valid");
    let problems = [
        Problem::at_key("services.web.ports.0", "is taken"),
        Problem::at_key("services.web.volumes.3", "is not there"),
        Problem::at_key("hosts.one", "is nowhere"),
        Problem::new("has no place"),
    ];
    let rendered = cloudpad::config::render(&problems, &config.places, text, "Cloudpad.toml", false);
    compare("rendered", "places", &rendered);
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    let text = "[project]\nname = \"Shop\"\n[images.web]\n[services.web]\n";
    let problems = super::load(text, None, &|_| None).expect_err("the name is bad");
    let places = Default::default();
    let coloured = cloudpad::config::render(&problems, &places, text, "Cloudpad.toml", true);
    assert!(coloured.contains('\u{1b}'));
    let plain: String = coloured
        .split('\u{1b}')
        .enumerate()
        .map(
            |(index, part)| if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) },
        )
        .collect();
    assert_eq!(plain, render(&problems, text));
}
