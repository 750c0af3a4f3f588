//! Which host keys are known, wrong, revoked or new.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEkwqskSn4pMHCTlFvRIJ9dONGxNS4XhIXBc/5cyQMo9";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO2SDE+v1LrAvnvWsJo5wZNeqCeCwAK5NDPX97gHyppe";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK9zVThCHomXig8DyoedVooIqNANhp9/kbdQ3xFOyGJad+451cyJydom2sNekGeWLuYdAXZK27YYJXDTD7550dk=";
/// What `ssh-keygen -H` made of `[web.example]:2222`.
const HIDDEN: &str = "|1|uCyH+k1snitkUP2RCLCayecfJEc=|XA8mNQ5yBrC8bqp4l9Phuh5XsNk=";

fn blob(key: &str) -> Vec<u8> {
    BASE64.decode(key.split(' ').nth(1).unwrap()).unwrap()
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), text);
    known
}

fn at(line: usize) -> Place {
    Place { file: "kh".into(), line }
}

/// What `text` says when `host:port` shows the key `A`.
fn verdict(text: &str, host: &str, port: u16) -> Verdict {
    known(text).verdict(&Names::new(host, port, None), &blob(A))
}

#[test]
fn a_key_is_known_by_each_form_of_line() {
    for (text, host, port) in [
        (format!("web {A}"), "web", 22),
        (format!("web {A} a comment"), "WEB", 22),
        (format!("WEB {A}"), "web", 22),
        (format!("# c\n\n  web\t{A}\r\n"), "web", 22),
        (format!("other,web,10.0.0.1 {A}"), "10.0.0.1", 22),
        (format!("[web]:2222 {A}"), "web", 2222),
        (format!("web {A}"), "web", 2222),
        (format!("*.example,!bad.example {A}"), "web.example", 22),
        (format!("web {B}\nweb {A}"), "web", 22),
        (format!("{HIDDEN} {A}"), "web.example", 2222),
    ] {
        assert_eq!(verdict(&text, host, port), Verdict::Known, "{text}");
    }
}

#[test]
fn a_key_that_is_not_known_is_told_from_one_that_has_changed() {
    for (text, expected) in [
        (String::new(), Verdict::Unknown),
        (format!("other {A}"), Verdict::Unknown),
        (format!("*.example,!web.example {A}"), Verdict::Unknown),
        (format!("web.example,other {B}"), Verdict::Unknown),
        (format!("{HIDDEN} {B}"), Verdict::Changed(at(1))),
        (format!("x {A}\n[web.example]:2222 {B}"), Verdict::Changed(at(2))),
        (format!("web.example {A}\n[web.example]:2222 {B}"), Verdict::Changed(at(2))),
        (format!("[web.example]:2222 {ECDSA}"), Verdict::OtherTypes(at(1))),
        (format!("@cert-authority * {B}"), Verdict::CertificateOnly(at(1))),
        (format!("@cert-authority * {A}"), Verdict::CertificateOnly(at(1))),
        (format!("@revoked * {A}\n[web.example]:2222 {A}"), Verdict::Revoked(at(1))),
        (format!("web.example {A}\n@revoked web.example {A}"), Verdict::Revoked(at(2))),
        (format!("@revoked * {B}\n[web.example]:2222 {A}"), Verdict::Known),
        (format!("@unheard-of * {A}"), Verdict::Unknown),
    ] {
        assert_eq!(verdict(&text, "web.example", 2222), expected, "{text}");
    }
}

#[test]
fn a_line_that_is_not_understood_knows_nothing() {
    for text in [
        "web",
        "web ssh-ed25519",
        "web ssh-ed25519 !!!",
        "web 1024 35 1234567",
        "web ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEkwqskSn4pMHCTlFvRIJ9dONGxNS4XhIXBc/5cyQMo9",
        "|2|a|b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEkwqskSn4pMHCTlFvRIJ9dONGxNS4XhIXBc/5cyQMo9",
        "web ssh-ed25519 /////w==",
    ] {
        assert_eq!(verdict(text, "web", 22), Verdict::Unknown, "{text}");
    }
}

#[test]
fn an_alias_takes_the_place_of_host_and_port() {
    let names = Names::new("10.0.0.1", 2222, Some("Web-Key"));
    assert_eq!(known(&format!("web-key {A}")).verdict(&names, &blob(A)), Verdict::Known);
    assert_eq!(known(&format!("[10.0.0.1]:2222 {A}")).verdict(&names, &blob(A)), Verdict::Unknown);
}

#[test]
fn types_are_those_of_the_host() {
    let text = format!("web {ECDSA}\nweb {A}\nweb {B}\nother {A}\n@revoked web {A}");
    let names = Names::new("web", 22, None);
    assert_eq!(known(&text).types(&names), ["ecdsa-sha2-nistp256", "ssh-ed25519"]);
}

#[test]
fn a_key_takes_the_place_of_others_of_its_type_and_of_nothing_else() {
    let key = |byte: u8| [&11_u32.to_be_bytes()[..], b"ssh-ed25519", &[byte]].concat();
    let line = |hosts: &str, byte| format!("{hosts} ssh-ed25519 {}", BASE64.encode(key(byte)));
    let text = format!("# ours\n{}\n{}\n@revoked {}", line("h1", 1), line("h2", 1), line("h1", 3));
    let changed = with_key(&text, "h1", &key(2)).unwrap();
    assert_eq!(
        changed,
        format!("# ours\n{}\n@revoked {}\n{}\n", line("h2", 1), line("h1", 3), line("h1", 2))
    );
    assert_eq!(with_key("", "h1", &key(2)).unwrap(), line("h1", 2) + "\n");
    assert_eq!(with_key(&line("h0,h1", 1), "h1", &key(2)), Err(1));
    assert_eq!(with_key(&line("h*", 1), "h1", &key(2)), Err(1));
}
