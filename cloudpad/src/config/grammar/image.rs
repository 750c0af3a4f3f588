//! Image references and platforms. Pure.
//!
//! The grammar is that of <https://github.com/distribution/reference>:
//! `[domain[:port]/]path[:tag][@digest]`.

use crate::config::Problem;

/// Checks a reference, and hands it back.
pub fn reference(text: &str) -> Result<String, Problem> {
    match reference_fault(text) {
        None => Ok(text.to_owned()),
        Some(why) => Err(Problem::new(format!("`{text}` is no image reference: {why}"))
            .hint("write `[REGISTRY/]NAME[:TAG][@sha256:…]`, such as `nginx:1.27` or `registry.example.com/team/app:v2`")),
    }
}

fn reference_fault(text: &str) -> Option<String> {
    if text.contains("://") {
        return Some("it is a URL".into());
    }
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some("the digest after `@` is not `sha256:` and 64 hexadecimal digits".into());
    }
    // A colon after the last slash begins a tag, one before it a port.
    let slash = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[slash..].split_once(':') {
        Some((last, tag)) => (&rest[..slash + last.len()], Some(tag)),
        None => (rest, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Some("the tag is not of letters, digits, `_`, `.` and `-`, or too long".into());
    }
    name_fault(name)
}

fn name_fault(name: &str) -> Option<String> {
    if name.len() > 255 {
        return Some("the name is longer than 255 characters".into());
    }
    let path = match name.split_once('/') {
        Some((first, path)) if is_domain_like(first) => {
            if !is_domain(first) {
                return Some(format!("`{first}` is no registry's address"));
            }
            path
        }
        _ => name,
    };
    let bad = path.split('/').find(|part| !is_component(part))?;
    Some(match bad {
        "" => "a part of the name is empty".into(),
        bad if bad.contains(|c: char| c.is_ascii_uppercase()) => "the name has capital letters".into(),
        bad => format!("`{bad}` cannot be part of an image's name"),
    })
}

fn is_domain_like(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':', '['])
        || first.contains(|c: char| c.is_ascii_uppercase())
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) if v6.parse::<std::net::Ipv6Addr>().is_ok() => {
            return rest.is_empty() || is_port(rest);
        }
        Some(_) => return false,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    (port.is_empty() || is_port(port)) && host.split('.').all(is_label)
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').and_then(super::network::number).is_some()
}

fn is_label(label: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    label.starts_with(end) && label.ends_with(end) && label.chars().all(|c| end(c) || c == '-')
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_component(part: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(letter).filter(|between| !between.is_empty());
    part.starts_with(letter)
        && part.ends_with(letter)
        && separators.into_iter().all(|s| matches!(s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Where a build's cache goes: `inline` or a reference.
pub fn cache(text: &str) -> Result<String, Problem> {
    if text == "inline" { Ok(text.to_owned()) } else { reference(text) }
}

/// A platform such as `linux/arm64/v8`.
pub fn platform(text: &str) -> Result<String, Problem> {
    let parts: Vec<&str> = text.split('/').collect();
    let word = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match (2..=3).contains(&parts.len()) && parts.iter().all(word) {
        true => Ok(text.to_owned()),
        false => Err(Problem::new(format!("`{text}` is no platform"))
            .hint("write `OS/ARCHITECTURE[/VARIANT]`, such as `linux/amd64` or `linux/arm64`")),
    }
}

/// A stage of a Dockerfile.
pub fn target(text: &str) -> Result<String, Problem> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match !text.is_empty() && text.chars().all(word) {
        true => Ok(text.to_owned()),
        false => Err(Problem::new(format!("`{text}` is no name of a stage in a Dockerfile"))),
    }
}
