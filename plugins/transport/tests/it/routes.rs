//! Ways to a server: through other servers, and through a command.

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::{Options, Transport};
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;

use crate::server::Server;

/// Connects to the alias `last` of `lines`.
async fn connect(server: &Server, lines: &str) -> Result<Arc<dyn Transport>, Failure> {
    let options: Options = server.options(lines);
    cloudpad_transport::connect(&Host::new("srv", "last"), &options, &Cancel::new()).await
}

fn entry(alias: &str, server: &Server, more: &str) -> String {
    format!(
        "Host {alias}\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n UserKnownHostsFile {}\n {more}\n",
        server.port,
        server.path("client").display(),
        server.path("known_hosts").display()
    )
}

async fn says_hello(transport: &Arc<dyn Transport>) {
    let mut text = String::new();
    transport.exec("echo hello").await.unwrap().read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jump_hosts_are_passed_through() {
    let [first, second, last] = [Server::start(), Server::start(), Server::start()];
    let hops = entry("first", &first, "") + &entry("second", &second, "");
    for (jump, connections) in [("second", 2), ("first,second", 3)] {
        let lines = hops.clone() + &entry("last", &last, &format!("ProxyJump {jump}"));
        let transport = connect(&last, &lines).await.unwrap();
        says_hello(&transport).await;
        assert_eq!(transport.traffic().connections, connections);
    }
    // The jump host has a jump host of its own.
    let lines = entry("first", &first, "")
        + &entry("second", &second, "ProxyJump first")
        + &entry("last", &last, "ProxyJump second");
    let transport = connect(&last, &lines).await.unwrap();
    says_hello(&transport).await;
    assert_eq!(transport.traffic().connections, 3);
    // Whoever says which jump host it is has no other: the one in the configuration is nowhere.
    let lines = entry("second", &second, "") + &entry("last", &last, "ProxyJump nowhere");
    let (jump, host) = (Host::new("jump", "second"), Host::new("srv", "last"));
    let options = last.options(&lines);
    let transport =
        cloudpad_transport::connect_through(&jump, &host, &options, &Cancel::new()).await.unwrap();
    says_hello(&transport).await;
    assert_eq!(transport.traffic().connections, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_passes_a_jump_host() {
    use tokio::io::AsyncWriteExt as _;
    let [first, last] = [Server::start(), Server::start()];
    let lines = entry("first", &first, "") + &entry("last", &last, "ProxyJump first");
    let transport = connect(&last, &lines).await.unwrap();
    let mut stream = transport.exec("wc -c").await.unwrap();
    let block = vec![5; 1 << 20];
    for _ in 0..24 {
        stream.write_all(&block).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.trim(), (24 << 20).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_host_that_is_lost_is_named() {
    let [first, last] = [Server::start(), Server::start()];
    let lines = entry("first", &first, "") + &entry("last", &last, "ProxyJump first");
    let transport = connect(&last, &lines).await.unwrap();
    let mut stream = transport.exec("cat").await.unwrap();
    first.signal("KILL");
    let error = stream.read(&mut [0; 10]).await.unwrap_err().to_string();
    assert!(error.contains("@last` was lost"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_host_that_cannot_be_entered_is_named() {
    let [first, last] = [Server::start(), Server::start()];
    first.know("");
    let lines = entry("first", &first, "") + &entry("last", &last, "ProxyJump first");
    let failure = connect(&last, &lines).await.err().unwrap();
    let text = failure.to_string();
    assert!(text.contains("host key of `first`") && text.contains("jump host to `last`"), "{text}");
    assert_eq!(failure.host.as_deref(), Some("srv"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_leads_through_itself_ends() {
    let last = Server::start();
    let lines = "Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost last\n ProxyJump a\n";
    let failure = connect(&last, lines).await.err().unwrap();
    assert!(failure.message.contains("more than 8 jump hosts"), "{failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_leads_to_the_server() {
    let last = Server::start();
    last.know(&format!("last {}", last.public("host_ed25519")));
    let config = last.path("sshd_config").display().to_string();
    let lines = format!("Host last\n ProxyCommand /usr/sbin/sshd -i -f {config} -E %d/../dev/null\n");
    let transport = connect(&last, &lines).await.unwrap();
    says_hello(&transport).await;
    assert_eq!(last.accepted(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_ends_is_told() {
    let last = Server::start();
    let failure = connect(&last, "Host last\n ProxyCommand exit 7\n").await.err().unwrap();
    assert!(failure.to_string().contains("exit status: 7"), "{failure}");
}
