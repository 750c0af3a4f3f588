//! What clusters refuse, and what is no cluster.

use std::io::{Read, Write};
use std::net::TcpListener;

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::{CheckConfig, FailureKind, Request, Stage};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::support::{host, list};

/// Fails with these words in its message, and those in a cause or the hint.
#[track_caller]
fn fails(config: Value, message: &str, more: &str) {
    let failure = list(config).unwrap_err();
    assert!(failure.message.contains(message), "{failure:?}");
    let rest = failure.causes.join("\n") + failure.hint.as_deref().unwrap_or_default();
    assert!(rest.contains(more), "{failure:?}");
}

#[test]
fn users_whom_the_cluster_does_not_know_are_told_so() {
    let cluster = Cluster::plain(1);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    cluster.let_in("reader");
    let end = &cluster.endpoints;
    fails(json!({ "endpoints": end }), "does not let us read below `/cloudpad/hosts/`: ", "`user`");
    fails(
        json!({ "endpoints": end, "user": "reader", "password_env": "WRONG" }),
        "does not let `reader` in: ",
        "`WRONG`",
    );
    fails(
        json!({ "endpoints": end, "user": "reader", "password_env": "NOWHERE" }),
        "there is no variable `NOWHERE`",
        "`password_env`",
    );
    fails(json!({ "endpoints": end, "user": "reader", "prefix": "/secret" }), "permission denied", "role");
}

#[test]
fn certificates_that_do_not_fit_are_told() {
    let cluster = Cluster::with_tls(true);
    let (end, file) = (&cluster.endpoints, |name: &str| cluster.path(name));
    let none = "no member of the etcd cluster has answered";
    fails(json!({ "endpoints": end }), none, "certificate");
    fails(json!({ "endpoints": end, "ca": file("ca.pem") }), none, "ertificate");
    fails(json!({ "endpoints": end, "ca": file("none.pem") }), "none.pem` cannot be read", "");
    fails(json!({ "endpoints": end, "ca": file("ca.key") }), "has no certificate in PEM", "");
    let own =
        json!({ "endpoints": end, "ca": file("ca.pem"), "cert": file("cert.pem"), "key": file("cert.pem") });
    fails(own, "has no private key in PEM", "");
}

#[test]
fn what_is_no_etcd_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let end = format!("http://{}", listener.local_addr().unwrap());
    let answers =
        ["200 OK\r\ncontent-length: 2\r\n\r\nhi", "404 Not Found\r\ncontent-length: 2\r\n\r\nno", ""];
    let serve = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            if !answer.is_empty() {
                write!(stream, "HTTP/1.1 {answer}").unwrap();
            }
        }
    });
    let none = "no member of the etcd cluster has answered";
    fails(json!({ "endpoints": [end] }), none, "is no answer of etcd");
    fails(json!({ "endpoints": [end] }), none, "answered 404");
    fails(json!({ "endpoints": [end] }), none, &format!("`{end}`: "));
    serve.join().unwrap();
}

#[test]
fn a_call_that_is_stopped_ends_at_once() {
    // The kernel accepts, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let end = format!("http://{}", listener.local_addr().unwrap());
    let host = host(json!({ "endpoints": [end], "timeout": 600 }));
    let played = host.call_with(Request::InventoryList(List {}), |_, stop| stop.cancel());
    assert_eq!(played.end.unwrap_err().kind, FailureKind::Cancelled);
    drop(listener);
}

#[test]
fn a_config_is_checked_before_anything_is_asked() {
    let check = || Request::ConfigCheck(CheckConfig { stage: Stage::Inventory });
    let failure = host(json!({ "endpoints": ["e:1"] })).call(check()).end.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
    host(json!({ "endpoints": ["http://192.0.2.1:1"] })).call(check()).end.unwrap();
}
