//! The time as an engine has it. I/O.

use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;

/// The engine's time now, in nanoseconds since 1970.
pub(super) async fn now(engine: &Engine) -> Result<i64, Failure> {
    let info = engine.docker().await?.info().await;
    let info = info.map_err(|error| failure("could not ask the engine for its time", &error))?;
    let time = info.system_time.unwrap_or_default();
    let read = chrono::DateTime::parse_from_rfc3339(&time).ok().and_then(|time| time.timestamp_nanos_opt());
    read.ok_or_else(|| Failure::failed(format!("the engine's time `{time}` is not understood")))
}

/// A time in the form that the engine takes.
pub(super) fn text(nanoseconds: i64) -> String {
    const SECOND: i64 = 1_000_000_000;
    format!("{}.{:09}", nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_seconds_and_nine_digits() {
        assert_eq!(super::text(1_795_680_900_000_000_012), "1795680900.000000012");
    }
}
