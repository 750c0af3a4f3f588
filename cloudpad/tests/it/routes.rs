//! Routes: requests reach services through the proxy of their host, and an update loses none of them.

mod ailing;
mod life;
mod load;
mod maintenance;
mod restart;
mod scale;
mod shared;
mod steady;
mod stop;

use std::process::Command;
use std::sync::RwLock;

use crate::support::{Lab, Outcome, Project};
use load::{Load, Site};

/// Another certificate closes idle connections of a host's proxy: who counts lost requests keeps tests of certificates away.
pub static CERTIFICATES: RwLock<()> = RwLock::new(());

/// A project on some of the lab's hosts whose service `web` has a route, and no published port.
struct Routed {
    project: Project,
    hosts: Vec<usize>,
}

impl Routed {
    fn new(topic: &str, hosts: &[usize]) -> Self {
        Self::with(Lab::get(), topic, hosts)
    }

    fn with(lab: Lab, topic: &str, hosts: &[usize]) -> Self {
        let project = Project::with(lab, topic);
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/routes/app.c");
        let app = project.path("app");
        let compiled = Command::new("cc").args(["-static", "-Os", "-o"]).arg(&app).arg(source).output();
        let compiled = compiled.expect("`cc` does not start");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let dockerfile = format!(
            "FROM {}\nCOPY app /app\nCOPY www/index.html /page\nSTOPSIGNAL SIGKILL\nCMD [\"/app\"]\n",
            project.lab.base_image
        );
        project.write("Dockerfile", dockerfile);
        let routed = Self { project, hosts: hosts.to_vec() };
        routed.configure("", "");
        routed
    }

    /// The name that its requests are for.
    fn name(&self) -> String {
        format!("{}.test", self.project.name)
    }

    /// Writes the config, with more of the route and of the rest.
    fn configure(&self, route: &str, rest: &str) {
        let route = format!("[services.web.route]\nhosts = [\"{}\"]\n{route}", self.name());
        self.configure_route(&route, rest);
    }

    /// The same with another route, or none.
    fn configure_route(&self, route: &str, rest: &str) {
        self.configure_as(
            "root",
            route,
            &format!("[proxy]\nimage = \"{}\"\ndrain = \"3s\"\n{rest}", self.project.lab.proxy_image),
        );
    }

    /// The same as another user, and with another proxy.
    fn configure_as(&self, user: &str, route: &str, rest: &str) {
        let host = |number| format!("[hosts.h{number}]\naddress = \"{user}@h{number}\"\n");
        let hosts: String = self.hosts.iter().map(host).collect();
        let web =
            "[images.web]\n[services.web]\nhealth = { http = \"/up\", port = 8080, interval = \"200ms\" }\n";
        self.project.configure_hosts(&hosts, &format!("{web}{route}\n{rest}"));
    }

    fn site(&self, number: usize) -> Site {
        let host = self.project.lab.host(number);
        Site { host: host.name.clone(), address: host.direct.clone(), port: 80, name: self.name() }
    }

    fn load(&self) -> Load {
        Load::on(&self.hosts.iter().map(|&number| self.site(number)).collect::<Vec<_>>())
    }

    /// What curl is answered by a host for this project's name: the status, and the body.
    fn get(&self, number: usize, path: &str) -> (u16, String) {
        let address = &self.project.lab.host(number).direct;
        let host = format!("Host: {}", self.name());
        let url = format!("http://{address}{path}");
        let output =
            Command::new("curl").args(["-s", "-m", "20", "-w", "\n%{http_code}", "-H", &host, &url]).output();
        let output = String::from_utf8_lossy(&output.expect("`curl` does not start").stdout).into_owned();
        let (body, status) = output.rsplit_once('\n').unwrap_or_default();
        (status.parse().unwrap_or_default(), body.trim().to_owned())
    }

    fn deploy(&self) -> Outcome {
        self.project.deploy()
    }

    /// Writes the config with two instances on each host.
    fn configure_two_each(&self, rest: &str) {
        self.configure("", rest);
        let text = std::fs::read_to_string(self.project.path("Cloudpad.toml")).expect("a config");
        self.project
            .write("Cloudpad.toml", text.replace("[services.web]\n", "[services.web]\nper_host = 2\n"));
    }
}

/// The route goes, so that the proxy forgets it; the rest goes with the project.
impl Drop for Routed {
    fn drop(&mut self) {
        self.configure_route("", "");
        self.project.run(&["deploy", "--yes"]);
    }
}
