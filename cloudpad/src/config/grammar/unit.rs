//! Amounts with a unit: durations, bytes, processors, percentages. Pure.

use crate::config::{Amount, Problem};

const DURATION: &str = "write a number and a unit, `ms`, `s`, `m` or `h`, such as `500ms`, `10s` or `1m30s`";

/// A duration in milliseconds.
pub fn millis(text: &str) -> Result<u64, Problem> {
    duration(text).ok_or_else(|| Problem::new(format!("`{text}` is no duration")).hint(DURATION))
}

/// A duration of more than nothing, in milliseconds.
pub fn some_millis(text: &str) -> Result<u64, Problem> {
    match millis(text)? {
        0 => Err(Problem::new("it has to be longer than nothing")),
        some => Ok(some),
    }
}

/// A duration in whole seconds.
pub fn seconds(text: &str) -> Result<u32, Problem> {
    let millis = millis(text)?;
    match (millis % 1000, u32::try_from(millis / 1000)) {
        (0, Ok(seconds)) if i32::try_from(seconds).is_ok() => Ok(seconds),
        (0, _) => Err(Problem::new(format!("`{text}` is longer than the engine can wait"))),
        _ => Err(Problem::new(format!("`{text}` is not a whole number of seconds"))
            .hint("the engine counts in seconds")),
    }
}

/// One or more of a number and a unit.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = digits(rest)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, behind) = after.split_at(letters);
        total = total.checked_add(number.checked_mul(unit_millis(unit)?)?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

fn unit_millis(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    }
}

/// Writes milliseconds so that [`millis`] reads them.
pub fn millis_text(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// The units of memory. As with Docker all are powers of 1024, whatever they are called.
const BYTES: [(&str, u64); 5] = [("", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40)];

/// Docker takes no less.
const LEAST_MEMORY: u64 = 6 << 20;

/// A size in bytes.
pub fn memory(text: &str) -> Result<u64, Problem> {
    match size(text) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => Err(Problem::new(format!("`{text}` is less than the 6 MiB that Docker demands"))),
        None => Err(Problem::new(format!("`{text}` is no amount of memory")).hint(
            "write a number and a unit, such as `512MiB`, `512m` or `1.5g`; all units are powers of 1024",
        )),
    }
}

/// A size in bytes, be it small.
pub fn bytes(text: &str) -> Result<u64, Problem> {
    size(text).ok_or_else(|| {
        Problem::new(format!("`{text}` is no amount of bytes"))
            .hint("write a number and a unit, such as `512KiB` or `10m`; all units are powers of 1024")
    })
}

fn size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit);
    let (_, factor) = BYTES.into_iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let bytes = number.parse::<f64>().ok().filter(|_| !number.starts_with('.'))? * factor as f64;
    // Engines count memory in signed 64 bits.
    (bytes < i64::MAX as f64).then_some(bytes as u64)
}

/// Writes bytes so that [`memory`] reads them.
pub fn memory_text(bytes: u64) -> String {
    let names = ["b", "KiB", "MiB", "GiB", "TiB"];
    let units = BYTES.iter().zip(names).rev();
    let fit = units.into_iter().find(|((_, factor), _)| bytes.is_multiple_of(*factor));
    fit.map_or(format!("{bytes}b"), |((_, factor), name)| format!("{}{name}", bytes / factor))
}

/// Processors in thousandths.
pub fn cpu_millis(cpus: f64) -> Result<u64, Problem> {
    let millis = (cpus * 1000.0).round();
    match millis {
        1.0..=1e9 => Ok(millis as u64),
        _ => Err(Problem::new(format!("`{cpus}` is no number of processors"))
            .hint("write a number such as `0.5` or `2`")),
    }
}

/// `25%`.
pub fn percent(text: &str) -> Result<Amount, Problem> {
    let number = text.strip_suffix('%').and_then(|digits| digits.parse::<u32>().ok());
    match number.filter(|percent| *percent <= 100) {
        Some(percent) => Ok(Amount::Percent(percent)),
        None => Err(Problem::new(format!("`{text}` is no percentage"))
            .hint("write a number without quotes, or a percentage such as `\"25%\"`, at most 100")),
    }
}
