//! A deploy in which every stage is done by the shipped provider as a plugin of its own: the same comes of it as where
//! all are built in.

use crate::source::{commit, source_in_a_repository};
use crate::support::{Between, Carrier, Outcome, Project};

/// The shipped plugins but for those of stage `inventory`, by the provider that is used.
const PLUGINS: [(&str, &str); 5] =
    [("git", "git"), ("docker", "docker"), ("registry", "registry"), ("secrets", "env"), ("ssh", "ssh")];

/// A project with a source in git, a secret and a registry.
struct Whole {
    project: Project,
    rest: String,
    plugins: Vec<Between>,
    tables: String,
}

impl Whole {
    fn new(topic: &str, carrier: Carrier) -> Self {
        let project = Project::new(topic);
        let web = source_in_a_repository(&project, "branch = \"main\"");
        project.write(".env", "token='of the file'\n");
        let push = format!(
            "[stages.push]\nprovider = \"registry\"\nconfig = {{ registry = \"{}\", namespace = \"{}\" }}\n",
            project.lab.registry, project.name
        );
        let rest = push + &web + "secrets = { TOKEN = \"token\" }\n[deploy]\nkeep = 0\n";
        let plugins: Vec<_> = PLUGINS.iter().map(|(name, _)| Between::of(name, carrier)).collect();
        let tables =
            plugins.iter().zip(PLUGINS).map(|(plugin, (_, provider))| plugin.table(provider)).collect();
        Self { project, rest, plugins, tables }
    }

    /// Deploys by the plugins, each of which has to be asked at least these.
    #[track_caller]
    fn by_plugins(&self, asked: [&[&str]; 5]) -> Outcome {
        self.project.configure(&(self.rest.clone() + &self.tables));
        self.plugins.iter().for_each(Between::begin_log);
        let deploy = self.project.deploy();
        for (plugin, methods) in self.plugins.iter().zip(asked) {
            plugin.is_gone();
            let was_done = |method: &&&str| {
                plugin.log().iter().any(|line| line.starts_with(&format!("result {method} ")))
            };
            let missing: Vec<_> = methods.iter().filter(|method| !was_done(method)).collect();
            assert!(missing.is_empty(), "{missing:?}\n{:#?}\n{}", plugin.log(), deploy.text());
        }
        deploy
    }

    /// Deploys by what is built in.
    #[track_caller]
    fn built_in(&self) -> Outcome {
        self.project.configure(&self.rest);
        self.plugins.iter().for_each(Between::begin_log);
        let deploy = self.project.deploy();
        assert!(self.plugins.iter().all(|plugin| plugin.log().is_empty()));
        deploy
    }

    /// Fails the test unless neither the plugins nor what is built in would change anything.
    #[track_caller]
    fn is_as_all_want_it(&self) {
        let is = self.project.all_containers();
        let looks: [&[&str]; 5] = [
            &["source.resolve"],
            &["build.observe"],
            &["config.check"],
            &["secrets.get"],
            &["deploy.observe"],
        ];
        for again in [self.by_plugins(looks), self.built_in()] {
            assert_eq!(again.report()["ending"], "nothing_to_do", "{}", again.text());
        }
        assert_eq!(self.project.all_containers(), is);
    }
}

fn deploys(topic: &str, carrier: Carrier) {
    let whole = Whole::new(topic, carrier);
    let first: [&[&str]; 5] = [
        &["source.resolve", "source.fetch"],
        &["build.observe", "build.run"],
        &["push.run"],
        &["secrets.get"],
        &["deploy.observe", "deploy.pull", "deploy.start", "deploy.ready", "deploy.record"],
    ];
    whole.by_plugins(first);
    whole.project.serves("one");
    for number in 1..=3 {
        let [only] = &whole.project.running(number)[..] else { panic!("one runs on each host") };
        assert!(only.env.contains(&"TOKEN=of the file".to_owned()), "{:?}", only.env);
    }
    whole.is_as_all_want_it();

    commit(&whole.project, "two");
    let methods = whole.built_in().done();
    whole.project.serves("two");
    whole.is_as_all_want_it();

    commit(&whole.project, "three");
    let mut update = first;
    update[4] = &[
        "deploy.pull",
        "deploy.create",
        "deploy.stop",
        "deploy.start",
        "deploy.ready",
        "deploy.record",
        "deploy.remove",
    ];
    assert_eq!(whole.by_plugins(update).done(), methods);
    whole.project.serves("three");
    assert!(whole.project.all_containers().iter().all(|containers| containers.len() == 1));
    whole.is_as_all_want_it();
}

#[test]
fn programs_deploy_as_what_is_built_in() {
    deploys("programs", Carrier::Program);
}

#[test]
fn libraries_deploy_as_what_is_built_in() {
    deploys("libraries", Carrier::Library);
}
