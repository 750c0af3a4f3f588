//! What BuildKit makes of a recipe.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::build::Arg;
use cloudpad_plugin_api::{Event, FailureKind};

use crate::support::{Project, stdout};

#[test]
fn builds_once_and_then_finds_its_tag() {
    let project = Project::new("once", "FROM BASE\nCOPY . /app\nRUN echo built > /built\n");
    project.write("hello.txt", "hello");
    assert_eq!(project.observe().size, None);
    assert!(!project.observe().built);
    let first = project.build();
    assert!(!first.cached && first.id.starts_with("sha256:"), "{first:?}");
    assert_eq!(project.in_container("cat /app/hello.txt /built"), "hellobuilt\n");
    assert!(project.observe().built);
    assert!(project.observe().size.is_some_and(|size| size > 100_000), "its base alone is larger");
    let second = project.build();
    assert!(second.cached);
    assert_eq!(second.id, first.id);
}

#[test]
fn a_new_image_has_names_for_people_too() {
    let mut project = Project::new("named", "FROM BASE\nRUN echo named > /named\n");
    let name = |release: &str| format!("{}:{release}", project.recipe.repository);
    let (first, second) = (name("20260131T235959Z-4b825dc"), name("20260201T000000Z"));
    let names = |project: &Project| {
        let reference = project.observe().reference;
        stdout("docker", &["image", "inspect", "-f", "{{json .RepoTags}}", &reference])
    };
    project.also = vec![first.clone()];
    project.build();
    assert!(names(&project).contains(&first), "{}", names(&project));
    project.also.push(second.clone());
    assert!(project.build().cached);
    assert!(!names(&project).contains(&second), "it was built for the first");
}

#[test]
fn tells_of_each_step_and_how_many_there_are() {
    let project = Project::new("steps", "FROM BASE\nRUN echo first UNIQUE; echo second; printf third\n");
    project.build();
    let output = project.output();
    let step = output.iter().find(|(_, line)| line == "second").map(|(step, _)| step.clone());
    assert!(step.as_deref().is_some_and(|step| step.contains("RUN echo first")), "{output:?}");
    assert!(output.iter().any(|(_, line)| line == "third"), "{output:?}");
    assert!(output.contains(&(String::new(), step.unwrap())), "the step's beginning is not told: {output:?}");
    let last = project.events().into_iter().rev().find_map(|event| match event {
        Event::Progress(progress) => Some(progress),
        _ => None,
    });
    let last = last.unwrap();
    assert_eq!((Some(last.done), last.unit.as_str()), (last.total, "steps"));
}

#[test]
fn target_args_labels_and_stages_reach_the_build() {
    let mut project = Project::new(
        "multi",
        "FROM BASE AS one\nARG WHO\nRUN echo \"for $WHO\" > /who\n\
         FROM BASE AS two\nCOPY --from=one /who /who2\nFROM two AS three\nRUN echo late > /late\n",
    );
    project.recipe.target = Some("two".into());
    project.arg("WHO", Arg::Value("a \"quoted\" $name".into()));
    project.recipe.labels = BTreeMap::from([("team".into(), "web=1, 2".into())]);
    project.build();
    assert_eq!(
        project.in_container("cat /who2; ls /"),
        "for a \"quoted\" $name\nbin\ndev\netc\nproc\nsys\nwho2\n"
    );
    let label = stdout(
        "docker",
        &["image", "inspect", "-f", "{{index .Config.Labels \"team\"}}", &project.observe().reference],
    );
    assert_eq!(label.trim(), "web=1, 2");
}

#[test]
fn another_image_under_the_tag_is_not_taken_for_it() {
    let project = Project::new("foreign", "FROM BASE\nRUN echo ours > /ours\n");
    let first = project.build();
    let reference = project.observe().reference;
    stdout("docker", &["rmi", "-f", &reference]);
    stdout("docker", &["tag", crate::support::busybox(), &reference]);
    assert!(!project.observe().built);
    assert_eq!(project.build().id, first.id);
    assert_eq!(project.in_container("cat /ours"), "ours\n");
    assert!(project.observe().built);
}

#[test]
fn a_pinned_source_is_labelled_with_its_revision() {
    let mut project = Project::new("pinned", "FROM BASE\nCOPY . /app\n");
    project.recipe.source.revision = Some("0123456789abcdef0123456789abcdef01234567".into());
    project.recipe.source.pinned = true;
    let reference = project.observe().reference;
    assert!(reference.contains(":0123456-"), "{reference}");
    project.build();
    let label = "{{index .Config.Labels \"org.opencontainers.image.revision\"}}";
    let label = stdout("docker", &["image", "inspect", "-f", label, &reference]);
    assert_eq!(label.trim(), "0123456789abcdef0123456789abcdef01234567");
}

#[test]
fn an_image_is_built_from_another_of_the_project() {
    let base = Project::new("base", "FROM BASE\nRUN echo base > /base\n");
    let mut child = Project::new("child", "ARG PARENT\nFROM ${PARENT}\nRUN cat /base > /child\n");
    child.arg("PARENT", Arg::Image("base".into()));
    let states = base.observe_all(&[&child.recipe, &base.recipe]).unwrap();
    assert_eq!(states[0].name, "child");
    let references: BTreeMap<_, _> = states.into_iter().map(|state| (state.name, state.reference)).collect();
    base.run(&references["base"], BTreeMap::new()).unwrap();
    let bases = BTreeMap::from([("base".to_owned(), references["base"].clone())]);
    child.run(&references["child"], bases).unwrap();
    let printed = stdout("docker", &["run", "--rm", &references["child"], "cat", "/child"]);
    assert_eq!(printed, "base\n");
    base.write("new", "file");
    let states = base.observe_all(&[&child.recipe, &base.recipe]).unwrap();
    assert_ne!(states[0].reference, references["child"], "a new base makes a new child");
}

#[test]
fn the_dockerfile_may_lie_elsewhere_and_have_its_own_ignore_file() {
    let mut project = Project::new("elsewhere", "FROM BASE\n");
    project.write("build/web.Dockerfile", &format!("FROM {}\nCOPY . /app\n", crate::support::busybox()));
    project.write("build/web.Dockerfile.dockerignore", "secret\n");
    project.write("ctx/.dockerignore", "wanted\n");
    project.write("ctx/wanted", "");
    project.write("ctx/secret", "");
    project.recipe.context = "ctx".into();
    project.recipe.dockerfile = "../build/web.Dockerfile".into();
    project.build();
    assert_eq!(project.in_container("ls -A /app"), ".dockerignore\nwanted\n");
}

#[test]
fn copy_does_not_see_a_dockerfile_that_is_left_out() {
    let project = Project::new("unseen", "FROM BASE\nCOPY . /app\n");
    project.write(".dockerignore", "*\n!a\n");
    project.write("a/b", "");
    project.write("c", "");
    project.build();
    assert_eq!(project.in_container("find /app | busybox sort"), "/app\n/app/a\n/app/a/b\n");
}

#[test]
fn kinds_and_permissions_arrive() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new("kinds", "FROM BASE\nCOPY . /app\n");
    project.write("dir/run.sh", "x");
    let set = |path: &str, mode| {
        std::fs::set_permissions(project.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    set("dir/run.sh", 0o4751);
    set("dir", 0o1750);
    std::os::unix::fs::symlink("../nowhere", project.path().join("dir/link")).unwrap();
    std::fs::hard_link(project.path().join("dir/run.sh"), project.path().join("hard")).unwrap();
    std::os::unix::net::UnixListener::bind(project.path().join("socket")).unwrap();
    std::fs::create_dir(project.path().join("empty")).unwrap();
    project.build();
    let seen = project.in_container(
        "cd /app; stat -c '%n %a %u %F' dir dir/run.sh dir/link hard empty; busybox readlink dir/link; ls",
    );
    let want = "dir 1750 0 directory\ndir/run.sh 4751 0 regular file\ndir/link 777 0 symbolic link\n\
                hard 4751 0 regular file\nempty 755 0 directory\n../nowhere\nDockerfile\ndir\nempty\nhard\n";
    assert_eq!(seen, want);
}

#[test]
fn a_file_changed_with_its_time_set_back_is_sent_again() {
    let project = Project::new("setback", "FROM BASE\nCOPY file /file\n");
    project.write("file", "one");
    let file = project.path().join("file");
    let time = std::fs::metadata(&file).unwrap().modified().unwrap();
    project.build();
    project.write("file", "two");
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    project.build();
    assert_eq!(project.in_container("cat /file"), "two");
}

#[test]
fn files_that_change_after_planning_are_not_built_under_the_old_tag() {
    let project = Project::new("moved", "FROM BASE\nCOPY file /file\n");
    project.write("file", "one");
    let reference = project.observe().reference;
    project.write("file", "two");
    let failure = project.run(&reference, BTreeMap::new()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale);
    assert!(failure.message.contains("`moved`"), "{failure}");
}

#[test]
fn cache_settings_are_no_part_of_the_tag_and_inline_cache_is_built() {
    let mut project = Project::new("inline", "FROM BASE\nRUN echo x > /x\n");
    let before = project.observe().reference;
    project.recipe.cache_to = Some("inline".into());
    project.recipe.cache_from = vec![before.clone()];
    assert_eq!(project.observe().reference, before);
    assert!(!project.build().cached);
    let saved = project.saved();
    let has = |needle: &[u8]| saved.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"moby.buildkit.cache.v0"), "the image has no cache in it");
    let looked = format!("importing cache manifest from {before}");
    assert!(project.output().iter().any(|(_, line)| *line == looked), "{:?}", project.output());
}

#[test]
fn the_engines_own_platform_can_be_named() {
    let mut project = Project::new("platform", "FROM BASE\nARG TARGETARCH\nRUN echo $TARGETARCH > /arch\n");
    let arch = stdout("docker", &["version", "-f", "{{.Server.Os}}/{{.Server.Arch}}"]);
    project.recipe.platforms = vec![arch.trim().to_owned()];
    project.build();
    assert_eq!(format!("linux/{}", project.in_container("cat /arch")), arch);
}

#[test]
fn images_of_one_context_are_built_side_by_side() {
    let names = ["one", "two", "three", "four"];
    let project = Project::new("side", "FROM BASE\nCOPY . /app\n");
    for name in names {
        let dockerfile =
            format!("FROM {}\nCOPY . /app\nRUN echo {name} > /name\n", crate::support::busybox());
        project.write(&format!("{name}.Dockerfile"), &dockerfile);
        // Each leaves out something else, so what BuildKit keeps of the one is not right for the other.
        project.write(&format!("{name}.Dockerfile.dockerignore"), &format!("data/{name}\n"));
        project.write(&format!("data/{name}"), name);
    }
    let recipes = names.map(|name| {
        let dockerfile = format!("{name}.Dockerfile");
        cloudpad_plugin_api::stage::build::Recipe { name: name.into(), dockerfile, ..project.recipe.clone() }
    });
    let states = project.observe_all(&recipes.each_ref()).unwrap();
    std::thread::scope(|scope| {
        for (recipe, state) in recipes.iter().zip(&states) {
            let project = &project;
            scope.spawn(move || project.run_recipe(recipe, &state.reference, BTreeMap::new()).unwrap());
        }
    });
    for state in states {
        let seen =
            stdout("docker", &["run", "--rm", &state.reference, "sh", "-c", "cat /name; ls /app/data"]);
        let mut want: Vec<&str> = names.into_iter().filter(|name| *name != state.name).collect();
        want.sort_unstable();
        assert_eq!(seen, format!("{}\n{}\n", state.name, want.join("\n")));
    }
}
