//! What has happened to a container, in words. Pure.

use chrono::{DateTime, SecondsFormat};
use cloudpad_plugin_api::stage::deploy::Happened;
use serde_json::{Value, json};

/// When, what, and to which container: `2026-01-31T23:59:59.123Z die (exit code 137) shop-web-1-0f3a9c11`.
pub fn line(happened: &Happened) -> String {
    let Happened { action, container, exit_code, signal, health, .. } = happened;
    let exit_code = exit_code.map(|code| format!("exit code {code}"));
    let signal = signal.as_ref().map(|signal| format!("signal {signal}"));
    let more: Vec<String> = [exit_code, signal, health.clone()].into_iter().flatten().collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let time = time(happened, SecondsFormat::Millis).map(|time| time + " ").unwrap_or_default();
    format!("{time}{action}{more} {container}").trim_end().to_owned()
}

/// The same for programs.
pub fn json(host: &str, happened: &Happened) -> Value {
    let Happened { source, container, action, release, exit_code, signal, health, .. } = happened;
    let mut told = json!({
        "time": time(happened, SecondsFormat::Nanos), "instance": source, "host": host, "action": action,
        "container": container, "release": release,
    });
    let more = [("exit_code", json!(exit_code)), ("signal", json!(signal)), ("health", json!(health))];
    for (name, value) in more.into_iter().filter(|(_, value)| !value.is_null()) {
        told[name] = value;
    }
    told
}

fn time(happened: &Happened, format: SecondsFormat) -> Option<String> {
    happened.time.map(|time| DateTime::from_timestamp_nanos(time).to_rfc3339_opts(format, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_told() {
        let died = Happened {
            source: "web.1".into(),
            container: "shop-web-1-a".into(),
            action: "die".into(),
            time: Some(1_769_903_999_123_456_789),
            release: "r1".into(),
            exit_code: Some(137),
            ..Happened::default()
        };
        assert_eq!(line(&died), "2026-01-31T23:59:59.123Z die (exit code 137) shop-web-1-a");
        let expected = json!({
            "time": "2026-01-31T23:59:59.123456789Z", "instance": "web.1", "host": "h1", "action": "die",
            "container": "shop-web-1-a", "release": "r1", "exit_code": 137
        });
        assert_eq!(json("h1", &died), expected);
        let ill = Happened {
            action: "health_status".into(),
            health: Some("unhealthy".into()),
            ..Happened::default()
        };
        assert_eq!(line(&ill), "health_status (unhealthy)");
    }
}
