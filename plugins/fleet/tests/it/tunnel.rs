//! Through an SSH server of this machine's own `sshd`. I/O: loopback, the double.

use std::sync::Arc;

use cloudpad_fleet::client::Client;
use cloudpad_fleet::unit::{Desired, UnitOption};
use cloudpad_plugin_api::{Cancel, FailureKind};
use serde_json::json;

use crate::double::Double;
use crate::server::Server;
use crate::support::{Told, config, run};

fn through(server: &Server, double: &Arc<Double>, endpoint: String) -> Client {
    let options = server.options("");
    let config = config(json!({
        "endpoint": endpoint, "tunnel": server.host().address, "ssh_config": options.ssh_config,
    }));
    Client::new(config, Arc::new(Told::new(double)), Cancel::new()).unwrap()
}

#[test]
fn a_port_and_a_socket_at_the_other_end_are_reached_over_one_connection() {
    run(async {
        let (server, double) = (Server::start(), Arc::new(Double::start()));
        let by_port = through(&server, &double, format!("http://127.0.0.1:{}", double.port()));
        let options = [UnitOption::new("Service", "ExecStart", "/bin/sleep 3600")];
        by_port.put("t.service", Desired::Launched, &options).await.unwrap();
        let by_socket = through(&server, &double, format!("unix://{}", double.socket().display()));
        assert_eq!(by_socket.units().await.unwrap().len(), 1);
        assert_eq!(by_port.machines().await.unwrap().len(), 3);
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn a_connection_that_is_lost_is_made_anew() {
    run(async {
        let (server, double) = (Server::start(), Arc::new(Double::start()));
        let client = through(&server, &double, format!("http://127.0.0.1:{}", double.port()));
        assert_eq!(client.machines().await.unwrap().len(), 3);
        server.signal("KILL");
        server.wait();
        assert_eq!(client.machines().await.unwrap().len(), 3);
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn a_server_that_does_not_let_us_in_and_a_fleet_that_is_not_there_are_told_apart() {
    run(async {
        let (server, double) = (Server::start(), Arc::new(Double::start()));
        let there = through(&server, &double, format!("unix://{}", double.socket().display()));
        let nowhere = through(&server, &double, "unix:///nowhere/fleet.sock".to_owned());
        assert_eq!(there.units().await.unwrap(), []);
        let failure = nowhere.units().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.to_string().contains("/nowhere/fleet.sock"), "{failure}");
        let closed = Server::start();
        closed.know("");
        let failure = through(&closed, &double, "http://127.0.0.1:1".to_owned()).units().await.unwrap_err();
        assert!(failure.to_string().contains("host key"), "{failure}");
    });
}
