//! What a proxy lives through, and certificates.

use std::process::Command;
use std::sync::PoisonError;

use super::Routed;
use crate::support::Lab;

#[test]
fn a_proxy_that_was_removed_is_mended_and_one_that_was_restarted_goes_on() {
    let routed = Routed::with(Lab::alone(), "routelife", &[2]);
    routed.deploy();
    let host = routed.project.lab.host(2);
    host.run("docker restart -t 1 cloudpad-proxy cloudpad-router >/dev/null");
    host.wait_until(&format!("curl -fs -m 5 -H 'Host: {}' http://127.0.0.1/ || busybox true", routed.name()));
    routed.project.run(&["plan", "--exit-code"]).expect(0);
    assert_eq!(routed.get(2, "/"), (200, "one".into()));
    host.run("docker rm -f cloudpad-proxy cloudpad-router >/dev/null");
    routed.project.run(&["plan", "--exit-code"]).expect(3).says("");
    routed.deploy();
    assert_eq!(routed.get(2, "/"), (200, "one".into()));
}

#[test]
fn a_host_that_starts_again_has_its_routes() {
    let routed = Routed::with(Lab::alone(), "routeboot", &[2]);
    routed.deploy();
    let host = routed.project.lab.host(2);
    crate::support::docker(&["restart", "-t", "5", &host.container]);
    host.wait_for_engine();
    let name = routed.name();
    host.wait_until(&format!(
        "wget -q -O- --header 'Host: {name}' http://127.0.0.1/ 2>/dev/null | grep -q one"
    ));
    assert_eq!(routed.get(2, "/"), (200, "one".into()));
}

#[test]
fn a_certificate_of_ones_own_serves_https() {
    let _alone = super::CERTIFICATES.write().unwrap_or_else(PoisonError::into_inner);
    let routed = Routed::new("routetls", &[1]);
    let name = routed.name();
    let subject = format!("/CN={name}");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", &subject, "-addext"])
        .arg(format!("subjectAltName=DNS:{name}"))
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(routed.project.path("www"))
        .output()
        .expect("`openssl` does not start");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |file: &str| std::fs::read_to_string(routed.project.path("www").join(file)).expect("a file");
    let (certificate, key) = (read("cert.pem"), read("key.pem"));
    routed.configure("tls = { certificate = \"CERT\", key = \"KEY\" }\n", "");
    let secrets = [("CERT", certificate.as_str()), ("KEY", key.as_str())];
    let outcome = routed.project.run_with(&["deploy", "--yes", "--json"], &secrets).expect(0);
    let middle = key.lines().nth(5).expect("a key has lines");
    assert!(!outcome.text().contains(middle), "the key is told");
    let address = &routed.project.lab.host(1).direct;
    let curl = |url: &str| {
        let resolve = |port| format!("{name}:{port}:{address}");
        let ca = routed.project.path("www/cert.pem");
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-m",
            "20",
            "-w",
            " %{http_code} %{redirect_url}",
            "--resolve",
            &resolve(443),
            "--resolve",
            &resolve(80),
        ]);
        let output = curl.arg("--cacert").arg(ca).arg(url).output().expect("`curl` does not start");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    assert_eq!(curl(&format!("https://{name}/")), "one 200 ");
    assert_eq!(curl(&format!("http://{name}/a?b")), format!(" 308 https://{name}/a?b"));
    routed.project.run_with(&["plan", "--exit-code"], &secrets).expect(0);
}
