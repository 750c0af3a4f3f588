//! Dockerfiles that are templates, and services of runit.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::build::Arg;

use crate::support::{Project, busybox, stdout};

#[test]
fn images_share_a_template_and_each_has_its_own_values() {
    let mut project =
        Project::new("template", "FROM {{ FROM }}\nRUN echo {{ WORD }} UNIQUE > /word\nCOPY . /all\n");
    project.write("Dockerfile.dockerignore", "left-out\n");
    project.write("left-out", "");
    project.write(".dockerignore", "Dockerfile\n");
    let recipe = project.recipe.clone();
    let mut reference = BTreeMap::new();
    for word in ["one", "two"] {
        let variables = [("WORD", Arg::Value(word.into())), ("FROM", Arg::Image("base".into()))];
        project.recipe.variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        let base = cloudpad_plugin_api::stage::build::Recipe {
            name: "base".into(),
            dockerfile: "Base".into(),
            ..recipe.clone()
        };
        project.write("Base", &format!("FROM {}\n", busybox()));
        let states = project.observe_all(&[&base, &project.recipe]).unwrap();
        project.run_recipe(&base, &states[0].reference, BTreeMap::new()).unwrap();
        let bases = BTreeMap::from([("base".to_owned(), states[0].reference.clone())]);
        project.run(&states[1].reference, bases).unwrap();
        reference.insert(word, states[1].reference.clone());
    }
    for (word, reference) in &reference {
        let seen = stdout("docker", &["run", "--rm", reference, "sh", "-c", "cat /word; ls /all"]);
        assert!(seen.starts_with(&format!("{word} ")), "{seen}");
        // What was built is no file of the context, and the Dockerfile's own ignore file is what counts.
        assert!(seen.ends_with("\nBase\nDockerfile\nDockerfile.dockerignore\n"), "{seen}");
    }
    assert_ne!(reference["one"], reference["two"]);
}

#[test]
fn a_template_that_is_none_is_told_before_anything_is_built() {
    let mut project = Project::new("notemplate", "FROM BASE\nRUN echo {{ WROD }}\n");
    project.recipe.variables.insert("WORD".into(), Arg::Value("one".into()));
    let failure = project.observe_all(&[&project.recipe]).unwrap_err();
    assert!(failure.message.contains("`Dockerfile`, line 2: "), "{failure:#?}");
}

#[test]
fn services_are_scripts_where_runit_looks() {
    // What is built is the first stage, whose name has no case.
    let mut project = Project::new("runit", "FROM BASE AS App\nRUN echo UNIQUE\nFROM BASE\nRUN exit 1\n");
    project.recipe.target = Some("APP".into());
    project.recipe.runit.insert("web".into(), "echo \"web $0 ${NO:-none}\"".into());
    project.recipe.runit.insert("jobs".into(), "#!/bin/cat\nline\\\n$PATH\n".into());
    let before = project.observe().reference;
    project.build();
    let seen =
        project.in_container("cd /etc/service; stat -c '%a %u %n' */run; web/run; jobs/run; cat web/run");
    let want = "755 0 jobs/run\n755 0 web/run\nweb web/run none\n#!/bin/cat\nline\\\n$PATH\n\
                #!/bin/sh\necho \"web $0 ${NO:-none}\"\n";
    assert_eq!(seen, want);
    project.recipe.runit.insert("web".into(), "echo other".into());
    assert_ne!(project.observe().reference, before);
}
