//! What a Dockerfile is made into.

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::stage::build::Arg;

use super::*;

fn recipe() -> Recipe {
    let json = serde_json::json!({
        "name": "web", "repository": "shop.web", "context": ".", "dockerfile": "docker/Dockerfile.in",
        "source": { "name": ".", "path": "/srv/shop", "pinned": false, "dirty": false }
    });
    serde_json::from_value(json).unwrap()
}

fn with(variables: &[(&str, &str)]) -> Recipe {
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), Arg::Value((*value).to_owned()));
    Recipe { variables: variables.iter().map(value).collect(), ..recipe() }
}

fn text(recipe: &Recipe, own: &str) -> String {
    String::from_utf8(made(recipe, own.as_bytes(), &BTreeMap::new()).unwrap()).unwrap()
}

#[test]
fn what_needs_nothing_made_is_built_as_it_is() {
    assert!(!is_made(&recipe()));
    let own = "FROM scratch\nLABEL a={{ b }}\n";
    assert_eq!(text(&recipe(), own), own);
}

#[test]
fn variables_have_their_values_and_may_decide() {
    let own = "FROM node:{{ NODE }}\n{% if JOBS == \"yes\" %}CMD [\"jobs\"]{% else %}CMD [\"{{ START }}\"]{% endif %}\n";
    let jobs = with(&[("NODE", "24"), ("JOBS", "yes"), ("START", "web")]);
    assert_eq!(text(&jobs, own), "FROM node:24\nCMD [\"jobs\"]\n");
    let web = with(&[("NODE", "24"), ("JOBS", "no"), ("START", "web & <co>")]);
    assert_eq!(text(&web, own), "FROM node:24\nCMD [\"web & <co>\"]\n");
}

#[test]
fn a_variable_may_be_an_image_of_the_project() {
    let variables = BTreeMap::from([("BASE".to_owned(), Arg::Image("base".to_owned()))]);
    let recipe = Recipe { variables, ..recipe() };
    let bases = BTreeMap::from([("base".to_owned(), "shop.base:abc".to_owned())]);
    assert_eq!(made(&recipe, b"FROM {{ BASE }}\n", &bases).unwrap(), b"FROM shop.base:abc\n");
    assert_eq!(recipe.bases().collect::<Vec<_>>(), ["base"]);
}

#[test]
fn what_is_no_template_is_refused_with_its_line() {
    let recipe = with(&[("NODE", "24")]);
    for (own, line, why) in [
        ("FROM {{ NODE }}\nRUN echo {{ NODES }}\n", 2, "undefined value: `NODES`"),
        ("FROM scratch\n\n{% if NODE %}\n", 3, "unexpected end"),
        ("FROM {{ NODE\n", 1, ""),
        (
            "\n{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}\n",
            2,
            "is not made after",
        ),
        ("{% for a in range(9999) %}{{ 'x' * 9999 }}{% endfor %}\n", 1, "is not made after"),
    ] {
        let failure = made(&recipe, own.as_bytes(), &BTreeMap::new()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid);
        let begins = "the Dockerfile of image `web`, `docker/Dockerfile.in`";
        assert!(failure.message.starts_with(&format!("{begins}, line {line}: ")), "{}", failure.message);
        assert!(failure.message.contains(why), "{}", failure.message);
        assert!(failure.hint.is_some_and(|hint| hint.contains("are `NODE`; a `{{` of")));
    }
    let failure = made(&recipe, b"FROM scratch\n\xff", &BTreeMap::new()).unwrap_err();
    assert!(failure.message.contains("line 2: it is not in UTF-8"), "{}", failure.message);
}

#[test]
fn services_are_added_to_the_stage_that_is_built() {
    let mut recipe = recipe();
    recipe.runit.insert("web".into(), "exec puma -p $PORT".into());
    recipe.runit.insert("jobs".into(), "#!/bin/bash\nexec jobs \"\\\"\n".into());
    let words = serde_json::json!([
        "/bin/sh",
        "-c",
        WRITE,
        "sh",
        "jobs",
        "#!/bin/bash\nexec jobs \"\\\"\n",
        "web",
        "#!/bin/sh\nexec puma -p $PORT\n"
    ]);
    let added = format!("\nRUN {words}\n");
    assert_eq!(text(&recipe, "FROM x AS run"), format!("FROM x AS run{added}"));
    assert_eq!(target(&recipe), None);
    recipe.target = Some("RUN".into());
    let made = text(&recipe, "FROM x AS run\nFROM y\n");
    assert_eq!(made, format!("FROM x AS run\nFROM y\n\nFROM run AS cloudpad-runit{added}"));
    assert_eq!(target(&recipe), Some("cloudpad-runit"));
    recipe.target = Some("0".into());
    assert!(super::made(&recipe, b"FROM x\n", &BTreeMap::new()).is_err());
}

#[test]
fn a_stage_that_is_not_there_is_refused() {
    let refused = |recipe: &Recipe, own: &str| made(recipe, own.as_bytes(), &BTreeMap::new()).err();
    let mut recipe = Recipe { target: Some("Final".into()), ..with(&[("NAME", "final")]) };
    for with_services in [false, true] {
        assert_eq!(refused(&recipe, "FROM x AS {{ NAME }}\n"), None, "it is the rendered one that counts");
        let failure =
            refused(&recipe, "FROM x AS one\nFROM y AS Two\nRUN echo \\\nFROM y AS final\n").unwrap();
        assert_eq!(failure.kind, FailureKind::Invalid);
        assert!(
            failure.message.ends_with("it has no stage `Final`, which is the image's `target`"),
            "{failure}"
        );
        assert!(failure.hint.unwrap().starts_with("its stages are `one`, `two`: "));
        let failure = refused(&recipe, "# syntax=other\nSTAGE final\n");
        assert_eq!(failure.is_some(), with_services, "another frontend knows better, and takes no services");
        recipe.runit.insert("web".into(), "exec puma".into());
    }
}

#[test]
fn services_are_not_added_to_an_instruction_that_goes_on() {
    let own = b"FROM x\nRUN echo b \\\n\n# the end\n";
    assert_eq!(made(&recipe(), own, &BTreeMap::new()).unwrap(), own, "what is built as it is ends there");
    let mut recipe = recipe();
    recipe.runit.insert("web".into(), "exec puma".into());
    let failure = made(&recipe, own, &BTreeMap::new()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(
        failure.message.contains("`docker/Dockerfile.in`, line 2: the instruction does not end"),
        "{failure}"
    );
}

#[test]
fn scripts_that_make_too_long_a_line_are_refused() {
    let with_script = |length: usize| {
        let runit = BTreeMap::from([("web".to_owned(), "x".repeat(length))]);
        Recipe { runit, ..recipe() }
    };
    let made = text(&with_script(10), "FROM x\n");
    let around = made.lines().last().unwrap().len() - 10;
    let most = 65_535 - around;
    assert_eq!(check(&with_script(most)), Ok(()));
    let failure = check(&with_script(most + 1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    assert!(failure.message.ends_with("make a line of 65536 bytes, and builders read 65535"), "{failure}");
}
