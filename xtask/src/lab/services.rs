//! The lab's registry and etcd. Talks to the engine.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Lab, Settings, hosts, keys};
use crate::shell::{self, Result, docker};

/// The last number of the registry's address in the lab's network.
pub const REGISTRY: u8 = 5;
/// The last number of etcd's address in the lab's network.
pub const ETCD: u8 = 6;
/// The last number of the loopback address on which both are published.
pub const PUBLISHED: u8 = 10;

const PLAIN: &str = r#"version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /data}, delete: {enabled: true}}
http: {addr: ":5000", secret: lab}
"#;
const TLS: &str = r#"version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /data}, delete: {enabled: true}}
http: {addr: ":5443", secret: lab, tls: {certificate: /lab/tls.crt, key: /lab/tls.key}}
auth: {htpasswd: {realm: lab, path: /lab/htpasswd}}
"#;

/// Starts what does not run.
pub fn ensure(settings: &Settings, subnet: &str, image: &str) -> Result<()> {
    let dir = settings.dir.join("services");
    keys::write(&dir.join("plain.yml"), PLAIN)?;
    keys::write(&dir.join("tls.yml"), TLS)?;
    std::thread::scope(|scope| {
        let registry = scope.spawn(|| registry(settings, subnet, image));
        etcd(settings, subnet, image)?;
        registry.join().map_err(|_| "the thread that starts the registry has panicked".to_owned())?
    })
}

/// Waits until both take connections.
pub fn wait(lab: &Lab) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    for address in [&lab.registry, &lab.registry_tls, &lab.etcd] {
        let host = address.trim_start_matches("http://");
        while !answers(host) {
            if Instant::now() > deadline {
                return Err(format!("nothing listens on `{host}`\nhint: see `docker ps` and `docker logs`"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    Ok(())
}

/// Puts an image into the registry and the machine's engine under that reference.
pub fn offer(image: &str, reference: &str) -> Result<()> {
    shell::output(&mut docker(["tag", image, reference]))?;
    shell::output(&mut docker(["push", "--quiet", reference])).map(drop)
}

/// Two registries on one store: one plain, one with TLS and a password.
fn registry(settings: &Settings, subnet: &str, image: &str) -> Result<()> {
    let loopback = settings.address(PUBLISHED);
    let name = settings.container("registry");
    let script = "docker-registry serve /lab/tls.yml & exec docker-registry serve /lab/plain.yml";
    let args = [
        format!("--ip={subnet}.{REGISTRY}"),
        format!("--publish={loopback}:5000:5000"),
        format!("--publish={loopback}:5443:5443"),
        format!("--volume={}:/lab:ro", settings.dir.join("services").display()),
        format!("--volume={name}:/data"),
    ];
    hosts::container(settings, &name, &args, image, &["sh", "-c", script])
}

fn etcd(settings: &Settings, subnet: &str, image: &str) -> Result<()> {
    let (inside, loopback) = (format!("{subnet}.{ETCD}"), settings.address(PUBLISHED));
    let args = [format!("--ip={inside}"), format!("--publish={loopback}:2379:2379")];
    let clients = format!("--advertise-client-urls=http://{loopback}:2379,http://{inside}:2379");
    let command = [
        "etcd",
        "--name=e1",
        "--data-dir=/data/e1",
        "--enable-v2=true",
        "--listen-client-urls=http://0.0.0.0:2379",
        &clients,
        "--listen-peer-urls=http://127.0.0.1:2380",
    ];
    hosts::container(settings, &settings.container("etcd"), &args, image, &command)
}

/// The engine's proxy accepts before the service does, so a byte has to come back or the connection stay.
fn answers(address: &str) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let sent = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    sent.is_ok() && matches!(stream.read(&mut [0; 16]), Ok(1..))
}
