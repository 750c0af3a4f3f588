//! Pushes that end halfway, because a disk is full, the program is killed or the connection is cut: what is left
//! on the hosts, and the next try. On hosts with each sort of image store.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Host, Lab, Project, noise};

const MEGABYTE: usize = 1_000_000;
/// The hosts by number: the engine of the first has a classic store, that of the other containerd's.
const HOSTS: [usize; 2] = [2, 3];

/// A project with a version that runs, and a second one in its folder that is larger by so many bytes.
struct Halfway {
    /// First, so that the hosts are mended before another test has them.
    disks: Vec<SmallDisk>,
    project: Project,
    hosts: [Host; 2],
    before: [Images; 2],
}

/// An engine's images, those without a name included.
type Images = String;

impl Halfway {
    fn new(topic: &str, bytes: usize) -> Self {
        Self::on_disks_of(None, topic, bytes)
    }

    fn on_disks_of(megabytes: Option<usize>, topic: &str, bytes: usize) -> Self {
        let project = Project::with(Lab::alone(), topic);
        let hosts = HOSTS.map(|number| project.lab.host(number).clone());
        let small = |megabytes| hosts.iter().map(move |host| SmallDisk::of(host, megabytes));
        let disks = megabytes.into_iter().flat_map(small).collect();
        let listed: String =
            hosts.iter().map(|Host { name, .. }| format!("[hosts.{name}]\naddress = \"{name}\"\n")).collect();
        project.configure_hosts(&listed, &project.web());
        project.deploy();
        project.page("two");
        with_a_large_file(&project, bytes);
        let before = hosts.each_ref().map(images);
        Self { disks, project, hosts, before }
    }

    /// Fails the test unless both hosts serve this page.
    #[track_caller]
    fn serves(&self, page: &str) {
        assert_eq!(
            HOSTS.map(|number| self.project.get(number)),
            [(); 2].map(|()| Ok((200, page.to_owned())))
        );
    }

    /// Waits until the engines are done with what they were sent.
    fn settle(&self) {
        for host in &self.hosts {
            host.wait_until("! pgrep -f 'sshd: [r]oot' >/dev/null");
            // A classic engine unpacks what it is sent into a folder here, which it removes in the end.
            host.wait_until("[ -z \"$(ls /var/lib/docker/tmp)\" ]");
        }
    }

    /// Fails the test unless the engines are as before the push, and the next one works.
    #[track_caller]
    fn nothing_is_left_and_the_next_deploy_works(&self) {
        assert_eq!(self.hosts.each_ref().map(images), self.before);
        self.serves("one");
        // A host that has lost the first one without being told keeps its lock for half a minute.
        self.project.run(&["deploy", "--yes", "--wait"]).expect(0);
        self.serves("two");
    }
}

/// Has the project's image begin with a file of so many bytes.
fn with_a_large_file(project: &Project, bytes: usize) {
    project.write("large", noise(bytes));
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    project.write("Dockerfile", dockerfile.replace("COPY www", "COPY large /large\nCOPY www"));
}

fn images(host: &Host) -> Images {
    host.run("docker images --all --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort")
}

/// A host whose engine has a small disk of its own until this is dropped.
struct SmallDisk {
    host: Host,
}

impl SmallDisk {
    fn of(host: &Host, megabytes: usize) -> Self {
        let mount = format!("mount -t tmpfs -o size={megabytes}m,mode=710 tmpfs /var/lib/docker");
        host.run(&while_the_engine_is_down(&mount));
        host.wait_for_engine();
        Self { host: host.clone() }
    }

    fn resize(&self, megabytes: usize) {
        self.host.run(&format!("mount -o remount,size={megabytes}m /var/lib/docker"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.host.run(&while_the_engine_is_down("umount /var/lib/docker"));
        self.host.wait_for_engine();
    }
}

fn while_the_engine_is_down(script: &str) -> String {
    format!(
        "touch /run/hold.dockerd; engine=$(cat /run/docker.pid); kill $engine
         while [ -d /proc/$engine ]; do sleep 0.1; done
         {script} && rm /run/hold.dockerd"
    )
}

#[test]
fn a_full_disk_is_told_and_leaves_what_was_there() {
    // An engine has what it is sent twice for a while: as it came, and unpacked.
    let halfway = Halfway::on_disks_of(Some(64), "diskfull", 40 * MEGABYTE);
    let outcome = halfway.project.run(&["deploy", "--yes"]).expect(1);
    for host in &halfway.hosts {
        let told = format!("the disk of `{}` is full", host.name);
        assert!(outcome.stderr.contains(&told), "{}", outcome.text());
    }
    halfway.settle();
    halfway.disks.iter().for_each(|disk| disk.resize(200));
    halfway.nothing_is_left_and_the_next_deploy_works();
}

#[test]
fn room_is_looked_for_before_anything_is_sent() {
    let project = Project::with(Lab::alone(), "room");
    let host = project.lab.host(HOSTS[0]).clone();
    let disk = SmallDisk::of(&host, 64);
    let name = &host.name;
    project.configure_hosts(&format!("[hosts.{name}]\naddress = \"{name}\"\n"), &project.web());
    with_a_large_file(&project, 70 * MEGABYTE);
    let no_room = format!("has no room on `{name}`: ");
    // How large it is, is only known once it is built.
    let failed = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert!(
        failed.report().to_string().contains(&format!("{no_room}what is lacking of it takes")),
        "{}",
        failed.text()
    );
    assert!(!failed.stdout.contains("sending layers"), "{}", failed.text());
    for command in [&["plan"][..], &["deploy", "--yes"], &["push"]] {
        let refused = project.run(command).expect(2).says(&format!("{no_room}it takes"));
        refused.says(&format!("cloudpad prune --host {name}"));
    }
    assert_eq!(images(&host), "");

    disk.resize(400);
    let deployed = project.run(&["deploy", "--yes"]).expect(0);
    assert!(!deployed.stderr.contains("low on disk"), "{}", deployed.text());
    let used = host.run("df -P -k /var/lib/docker | awk 'NR == 2 { print int($3 / 1024) }'");
    disk.resize(used.parse::<usize>().expect("a number") + 5);
    project.page("two");
    let low = project.run(&["deploy", "--yes"]).expect(0).says(&format!("`{name}` is low on disk: "));
    assert_eq!(project.get(HOSTS[0]), Ok((200, "two".to_owned())), "{}", low.text());
}

#[test]
fn a_killed_push_leaves_nothing_and_can_be_repeated() {
    let halfway = Halfway::new("killed", 60 * MEGABYTE);
    let mut command = halfway.project.command(&["deploy", "--yes", "--json"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cloudpad does not start");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("sending layers")), "nothing was sent");
    child.kill().and_then(|()| child.wait()).expect("it is killed");
    halfway.settle();
    halfway.nothing_is_left_and_the_next_deploy_works();
}

#[test]
fn a_push_whose_connection_is_cut_leaves_nothing_and_can_be_repeated() {
    let halfway = Halfway::new("cut", 20 * MEGABYTE);
    let rule = "INPUT -p tcp --dport 22 -m connbytes --connbytes 8000000: --connbytes-dir original \
                --connbytes-mode bytes -j REJECT --reject-with tcp-reset";
    for host in &halfway.hosts {
        host.run(&format!("iptables -I {rule}"));
    }
    let outcome = halfway.project.run(&["deploy", "--yes"]).expect(1);
    let sessions =
        |signal: &str, host: &Host| host.run(&format!("pkill -{signal} -f 'sshd: [r]oot' || true"));
    for host in &halfway.hosts {
        // They do not come to know that the connection is gone, and wait for more.
        sessions("STOP", host);
        host.run(&format!("iptables -D {rule}"));
    }
    for host in &halfway.hosts {
        assert!(outcome.stderr.contains(&host.name), "{}", outcome.text());
    }
    halfway.nothing_is_left_and_the_next_deploy_works();
    for host in &halfway.hosts {
        sessions("KILL", host);
    }
}
