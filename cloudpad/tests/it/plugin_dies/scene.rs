//! A project that is updated with a plugin that dies on the way.

use serde_json::Value;

use crate::support::{At, Between, Carrier, Container, Death, Outcome, Project};

/// The host on which it dies.
const VICTIM: usize = 2;

/// A project of which `one` runs, and `two` is to be deployed.
pub struct Scene {
    pub project: Project,
    pub plugin: Between,
    pub before: Vec<Vec<Container>>,
}

impl Scene {
    /// Its new containers are started beside the old ones.
    pub fn beside(topic: &str, carrier: Carrier) -> Self {
        Self::new(topic, carrier, |_| String::new(), "")
    }

    /// They need the old ones' port.
    pub fn in_place(topic: &str, policy: &str) -> Self {
        let ports = |project: &Project| format!("ports = [\"{}:8080\"]\n", project.port);
        Self::new(topic, Carrier::Program, ports, policy)
    }

    /// With these lines more in the service and in `[deploy]`.
    pub fn new(topic: &str, carrier: Carrier, service: fn(&Project) -> String, policy: &str) -> Self {
        let project = Project::new(topic);
        let plugin = Between::of("ssh", carrier);
        // Another run may have had the name.
        for host in project.lab.hosts.iter().take(3) {
            host.run(&format!("rm -rf /srv/{}", project.name));
        }
        // Where it finds the mark that it is slow in its beginning or ending, it leaves one when it has come to that.
        let script = "slow() { [ ! -e /marks/slow-$1 ] || { touch /marks/$1; sleep 8; }; }
            trap 'slow ending; touch /marks/ended; exit' TERM; slow beginning; httpd -f -p 8080 -h /www & wait";
        project.write("start", script);
        let from = format!("FROM {}\nCOPY www /www\nCOPY start /start\n", project.lab.base_image);
        project.write("Dockerfile", from + "CMD [\"sh\", \"/start\"]\n");
        let web =
            "[images.web]\n[services.web]\nhealth = { http = \"/\", port = 8080, interval = \"200ms\" }\n";
        let marks = format!("volumes = [\"/srv/{}:/marks:shared\"]\n", project.name);
        let policy = format!("[deploy]\nkeep = 0\n{policy}");
        project.configure(&[web, &marks, &service(&project), &policy, &plugin.table("ssh")].concat());
        project.deploy();
        plugin.is_gone();
        project.page("two");
        let before = project.all_containers();
        Self { project, plugin, before }
    }

    /// A script that comes to its end when this is so on the host where the plugin dies.
    pub fn once(&self, condition: &str) -> String {
        let host = &self.project.lab.host(VICTIM).container;
        format!(
            "docker exec {host} sh -c 'for n in $(seq 300); do {condition} && exit; sleep 0.1; done; exit 1'"
        )
    }

    /// The same for the application's being in its `beginning` or `ending` there, which is slow for once.
    pub fn once_in(&self, phase: &str) -> String {
        let folder = format!("/srv/{}", self.project.name);
        self.project.lab.host(VICTIM).run(&format!("touch {folder}/slow-{phase}"));
        self.once(&format!("[ -e {folder}/{phase} ] && rm {folder}/slow-{phase}"))
    }

    /// Deploys with a plugin that dies on the way, as its log has to say.
    #[track_caller]
    pub fn deploy_with(&self, death: &Death<'_>, code: i32) -> Outcome {
        self.plugin.dies(death);
        let deploy = self.project.run(&["deploy", "--yes", "--json"]);
        let killed = self.plugin.logged("killed");
        let at = if matches!(death.at, At::Answer) { "answer" } else { "call" };
        let line = format!("killed {at} {} {}", death.method, death.host.unwrap_or_default());
        let as_meant = killed.iter().all(|killed| killed.starts_with(&line));
        let often_enough =
            if death.times == 1 { killed.len() == 1 } else { killed.len() <= death.times as usize };
        assert!(
            as_meant && often_enough && !killed.is_empty(),
            "{}\n{:#?}",
            deploy.text(),
            self.plugin.log()
        );
        self.plugin.is_gone();
        // What the engine was asked before, it has done by then.
        let folder = format!("/srv/{}", self.project.name);
        self.project.lab.host(VICTIM).wait_until(&format!("[ ! -e {folder}/ending -o -e {folder}/ended ]"));
        deploy.expect(code)
    }

    /// The same where it dies once, on h2. `outcome`: what is told of what it leaves behind.
    #[track_caller]
    pub fn deploy_with_victim(&self, death: &Death<'_>, code: i32, outcome: &str) -> Outcome {
        let deploy = self.deploy_with(death, code);
        let is_it = |event: &Value| {
            event["event"] == "failed" && event["method"] == death.method && event["host"] == "h2"
        };
        let failed = deploy.events().into_iter().find(is_it).unwrap_or_default();
        let error = &failed["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let ending = format!(" was killed by signal 9 (SIGKILL) during `{}`", death.method);
        assert!(message.starts_with("plugin `ssh` (`/") && message.ends_with(&ending), "{}", deploy.text());
        let told = ["kind", "outcome", "host"].map(|field| error[field].as_str().unwrap_or_default());
        assert_eq!(told, ["crashed", outcome, "h2"], "{}", deploy.text());
        deploy
    }

    /// Fails the test unless the plugin was asked to look, once it had died and been started again, before all else.
    #[track_caller]
    pub fn looked_again(&self) {
        let log = self.plugin.log();
        let mut after = log.iter().skip_while(|line| !line.starts_with("killed "));
        let asked = after.find(|line| line.starts_with("call "));
        assert!(asked.is_some_and(|line| line.starts_with("call deploy.observe ")), "{log:#?}");
    }

    /// The pages of the containers that run on host `number`, in the order of the containers' names.
    pub fn pages(&self, number: usize) -> Vec<String> {
        let host = self.project.lab.host(number);
        let page = |c: Container| host.run(&format!("docker exec {} cat /www/index.html", c.id));
        self.project.running(number).into_iter().map(page).collect()
    }

    /// Fails the test unless what ran before runs again, and nothing else.
    #[track_caller]
    pub fn is_as_before(&self, deploy: &Outcome) {
        let ids = |hosts: &[Vec<Container>]| -> Vec<(String, String, bool)> {
            hosts.iter().flatten().map(|c| (c.id.clone(), c.name.clone(), c.running)).collect()
        };
        assert_eq!(ids(&self.project.all_containers()), ids(&self.before), "{}", deploy.text());
    }

    /// Fails the test unless the next deploy makes of it what was wanted, and leaves nothing else.
    #[track_caller]
    pub fn the_next_deploy_repairs_it(&self) {
        self.plugin.lives();
        let next = self.project.deploy();
        for number in 1..=3 {
            let now = self.project.containers(number);
            let is_one = matches!(&now[..], [only] if !only.name.ends_with(".unproven"));
            assert!(is_one, "{now:#?}\n{}", next.text());
            assert_eq!(self.pages(number), ["two"], "{}", next.text());
        }
        assert_eq!(self.project.deploy().report()["ending"], "nothing_to_do");
        self.plugin.is_gone();
    }
}
