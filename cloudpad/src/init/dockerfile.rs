//! The port that a Dockerfile says its image listens on. Pure.

/// The first TCP port of an `EXPOSE` in the last build stage, which is the one that is run.
///
/// A port that is a variable is not looked up.
pub(super) fn exposed(text: &str) -> Option<u16> {
    let mut port = None;
    for line in instructions(text) {
        let mut words = line.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FROM") => port = None,
            Some("EXPOSE") => port = port.or_else(|| words.find_map(tcp)),
            _ => {}
        }
    }
    port
}

/// The instructions, each on one line, without comments.
fn instructions(text: &str) -> Vec<String> {
    let mut whole = vec![String::new()];
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        if let Some(last) = whole.last_mut() {
            last.push_str(part);
        }
        if !goes_on {
            whole.push(String::new());
        }
    }
    whole
}

fn tcp(word: &str) -> Option<u16> {
    let port =
        word.split_once('/').map_or(Some(word), |(port, protocol)| (protocol == "tcp").then_some(port))?;
    port.parse().ok().filter(|port| *port != 0)
}
