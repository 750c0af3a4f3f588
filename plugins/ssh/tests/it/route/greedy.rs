//! What one client does, and what becomes of one container, keeps no other client from being answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use super::{HOST, address, clean, get, route, rule, serve, world};
use crate::lab;
use crate::world::World;

/// A container that serves a page, reads what is posted to one path, and takes its time at another.
fn serve_scripts(world: &World) -> String {
    let script = "mkdir -p /srv/cgi-bin; cd /srv; echo page >index.html; \
        printf '#!/bin/sh\\ncat >/dev/null; echo; echo read\\n' >cgi-bin/read; \
        printf '#!/bin/sh\\nsleep 2; echo; echo slow\\n' >cgi-bin/slow; \
        chmod 755 cgi-bin/*; exec httpd -f -p 8080 -h /srv";
    let networks = vec![world.project.name.clone()];
    world.run("web", cloudpad_plugin_api::model::ContainerSpec { networks, ..world.script(script) })
}

/// Sends something again and again, from several clients at once, while it looks whether the page is served.
fn page_is_served_while(host: &str, what: &str, request: &str) {
    let stop = AtomicBool::new(false);
    let (done, rounds) = mpsc::channel();
    let spoil = |done: mpsc::Sender<()>| {
        while !stop.load(Ordering::Relaxed) {
            let mut stream = TcpStream::connect((address(), 80)).unwrap();
            // So that the container gets to see the beginning of what is never ended.
            stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
            let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read(&mut [0; 64]));
            let _ = done.send(());
        }
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let spoil = &spoil;
        for _ in 0..4 {
            let done = done.clone();
            scope.spawn(move || spoil(done));
        }
        (0..8).for_each(|_| rounds.recv().unwrap());
        let answers = (0..10).map(|_| get(host, "/")).collect();
        stop.store(true, Ordering::Relaxed);
        answers
    });
    assert_eq!(answers, vec![(200, "page".into()); 10], "while there are {what}");
}

#[test]
fn a_client_that_goes_away_or_asks_for_too_much_harms_no_other() {
    let world = world("route-greedy", HOST);
    let container = serve_scripts(&world);
    let limits = rule(&world, json!({ "max_body": 50_000, "timeout_ms": 400 }));
    route(&world, Some(limits), &[&container], &[]).unwrap();
    let host = format!("{}.test", world.project.name);
    let post = |path: &str, length: usize, body: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    page_is_served_while(&host, "uploads that end early", &post("/cgi-bin/read", 20_000, "xxxx"));
    page_is_served_while(&host, "too large ones", &post("/cgi-bin/read", 60_000, &"x".repeat(60_000)));
    page_is_served_while(&host, "too slow ones", &post("/cgi-bin/slow", 0, ""));
    clean(&world, &[&container]);
}

#[test]
fn a_container_that_is_gone_costs_no_request_even_where_nobody_asks_whether_it_is_well() {
    let world = world("route-gone", HOST);
    let (one, two) = (serve(&world, "one"), serve(&world, "two"));
    route(&world, Some(rule(&world, json!({}))), &[&one, &two], &[]).unwrap();
    lab::docker_ok(HOST, &["kill", &one]);
    let host = format!("{}.test", world.project.name);
    let answers: Vec<_> = (0..10).map(|_| get(&host, "/")).collect();
    assert_eq!(answers, vec![(200, "two".into()); 10]);
    clean(&world, &[&one, &two]);
}

#[test]
fn what_the_proxy_answers_itself_it_answers_each_time() {
    let world = world("route-answer", HOST);
    let container = serve(&world, "one");
    route(&world, Some(rule(&world, json!({ "maintenance": "later" }))), &[&container], &[]).unwrap();
    let host = format!("{}.test", world.project.name);
    let status = |host: &str| {
        let mut stream = TcpStream::connect((address(), 80)).unwrap();
        let body = "x".repeat(1_000);
        write!(stream, "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n{body}").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    for (host, expected) in [(host.as_str(), "HTTP/1.1 503"), ("nobody.test", "HTTP/1.1 404")] {
        let ask = || (0..100).map(|_| status(host)).collect::<Vec<_>>();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        assert_eq!(answers, vec![expected; 400]);
    }
    clean(&world, &[&container]);
}
