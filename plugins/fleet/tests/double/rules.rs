//! What fleet refuses, in its own words. Pure.

use super::world::Triple;

/// The most bytes of a line.
const LINE: usize = 2048;
const TYPES: [&str; 10] =
    ["service", "socket", "device", "mount", "automount", "timer", "path", "swap", "slice", "target"];

/// The values of an option.
pub fn values<'a>(options: &'a [Triple], section: &str, name: &str) -> Vec<&'a str> {
    let found = options.iter().filter(|(s, n, _)| s == section && n == name);
    found.map(|(_, _, value)| value.as_str()).collect()
}

/// Whether `text` is what `pattern` stands for, where `*` is anything.
pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(after, &rest[at..]))
        }),
    }
}

/// Whether a unit can have this name.
pub fn name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("unit name cannot be empty".to_owned());
    }
    if name.len() > 256 {
        return Err("unit name exceeds maximum length (256)".to_owned());
    }
    let Some((before, kind)) = name.rsplit_once('.') else {
        return Err("unit name must contain \".\"".to_owned());
    };
    if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !":_.@\\-".contains(*c)) {
        return Err(format!("invalid character '{odd}' in unit name"));
    }
    if name.starts_with('@') {
        return Err("unit name cannot start in \"@\"".to_owned());
    }
    if !TYPES.contains(&kind) {
        return Err(format!("invalid unit type: {kind:?}"));
    }
    if before.contains('@') && !["service", "path", "socket", "target", "timer"].contains(&kind) {
        return Err(format!("invalid unit type for template: {kind:?}"));
    }
    Ok(())
}

/// Whether a unit can have these options. A line break is refused here, and not by fleet.
pub fn options(options: &[Triple]) -> Result<(), String> {
    for (_, name, value) in options {
        let line = format!("{name}={value}");
        let lines: Vec<&str> = line.split('\n').collect();
        if lines.iter().any(|line| line.len() > LINE) {
            return Err(format!("line too long (max {LINE} bytes)"));
        }
        if lines.iter().rev().skip(1).any(|line| !line.ends_with('\\')) {
            return Err("a line break in a value".to_owned());
        }
        if value.trim() != value {
            return Err("white space around a value".to_owned());
        }
    }
    placement(options)
}

fn placement(options: &[Triple]) -> Result<(), String> {
    let of = |name: &str| values(options, "X-Fleet", name);
    let (peers, conflicts, replaces) = (of("MachineOf"), of("Conflicts"), of("Replaces"));
    let is_global = of("Global") == ["true"];
    let together = |one: &str, other: &str| Err(format!("{one} cannot be used with {other}"));
    let id = !of("MachineID").is_empty();
    match () {
        () if id && !peers.is_empty() => return together("MachineID", "Peers"),
        () if id && !conflicts.is_empty() => return together("MachineID", "Conflicts"),
        () if id && is_global => return together("MachineID", "Global"),
        () if id && !replaces.is_empty() => return together("MachineID", "Replaces"),
        () if is_global && !peers.is_empty() => return together("Global", "Peers"),
        () if is_global && !replaces.is_empty() => return together("Global", "Replaces"),
        () if !conflicts.is_empty() && !replaces.is_empty() => return together("Conflicts", "Replaces"),
        () => {}
    }
    for peer in &peers {
        for (what, patterns) in [("conflict", &conflicts), ("replace", &replaces)] {
            if let Some(pattern) = patterns.iter().find(|pattern| glob(pattern, peer)) {
                return Err(format!("unresolvable requirements: peer {peer:?} matches {what} {pattern:?}"));
            }
        }
    }
    // Stricter than fleet, which runs such a unit anywhere.
    match of("MachineMetadata")
        .iter()
        .find(|pair| pair.split_once('=').is_none_or(|(k, v)| k.is_empty() || v.is_empty()))
    {
        Some(pair) => Err(format!("malformed metadata {pair:?}")),
        None => Ok(()),
    }
}
