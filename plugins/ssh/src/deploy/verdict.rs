//! The engine's own verdict on a container, from its state and from its events. Pure.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerInspectResponse as Inspected, ContainerState, ContainerSummary, EndpointSettings, EventMessage,
    HealthStatusEnum,
};

/// What is known of a container that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It runs and is healthy.
    Healthy,
    /// It runs and is unhealthy.
    Unhealthy,
    /// It runs, and its first checks are under way.
    Undecided,
    /// It runs, and has no health check.
    Unchecked,
    /// It does not run.
    Ended,
}

/// What its state says.
pub(super) fn of_state(state: Option<&ContainerState>) -> Verdict {
    let Some(state) = state.filter(|state| state.running == Some(true) && state.restarting != Some(true))
    else {
        return Verdict::Ended;
    };
    match state.health.as_ref().and_then(|health| health.status) {
        Some(HealthStatusEnum::HEALTHY) => Verdict::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => Verdict::Unhealthy,
        Some(HealthStatusEnum::STARTING) => Verdict::Undecided,
        _ => Verdict::Unchecked,
    }
}

/// What an event says; none when it says nothing about it.
pub(super) fn of_event(event: &EventMessage) -> Option<Verdict> {
    match event.action.as_deref()? {
        "die" => Some(Verdict::Ended),
        "health_status: healthy" => Some(Verdict::Healthy),
        "health_status: unhealthy" => Some(Verdict::Unhealthy),
        _ => None,
    }
}

/// When the container was started, as the engine takes it to tell what happened since: seconds and
/// nanoseconds by the engine's own clock.
pub(super) fn since(found: &Inspected) -> Option<String> {
    let started = found.state.as_ref()?.started_at.as_deref()?;
    let started = chrono::DateTime::parse_from_rfc3339(started).ok()?;
    Some(format!("{}.{:09}", started.timestamp(), started.timestamp_subsec_nanos()))
}

/// The exit code of a container that does not run. The engine may start it again in a moment, and forget.
pub(super) fn exit_code(state: Option<&ContainerState>) -> Option<i64> {
    state.filter(|state| of_state(Some(state)) == Verdict::Ended)?.exit_code
}

/// How a container ended, for people. `code` is what was heard when it did: the engine may have started
/// it again by now, and forgotten.
pub(super) fn ending(state: Option<&ContainerState>, code: Option<i64>) -> String {
    let Some(state) = state else { return "is gone".to_owned() };
    let runs_again = state.running == Some(true) && state.restarting != Some(true);
    let memory = if state.oom_killed == Some(true) { ", out of memory" } else { "" };
    let again = if runs_again { ", and was started again by the engine" } else { "" };
    match code.or(state.exit_code.filter(|_| !runs_again)) {
        Some(code) => format!("ended with exit code {code}{memory}{again}"),
        None => format!("ended{memory}{again}"),
    }
}

/// The address at which the host reaches the container.
pub(super) fn address(found: &Inspected) -> Option<String> {
    let mode = found.host_config.as_ref().and_then(|config| config.network_mode.as_deref());
    let networks = found.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    address_in(mode, networks.into_iter().flatten().collect())
}

/// The same of one in a list.
pub(super) fn listed_address(seen: &ContainerSummary) -> Option<String> {
    let mode = seen.host_config.as_ref().and_then(|config| config.network_mode.as_deref());
    let networks = seen.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    address_in(mode, networks.into_iter().flatten().collect())
}

/// The host's own machine's in the host's network, else that of the main network.
fn address_in(mode: Option<&str>, networks: BTreeMap<&String, &EndpointSettings>) -> Option<String> {
    let mode = mode.unwrap_or_default();
    if mode == "host" {
        return Some("127.0.0.1".to_owned());
    }
    let mut known = networks.iter().filter_map(|(name, network)| {
        Some((name.as_str(), network.ip_address.as_ref().filter(|address| !address.is_empty())?))
    });
    let first = known.clone().next();
    known.find(|(name, _)| *name == mode).or(first).map(|(_, address)| address.clone())
}

#[cfg(test)]
mod tests {
    use bollard::models::{
        ContainerSummaryHostConfig, ContainerSummaryNetworkSettings, Health, HostConfig, NetworkSettings,
    };

    use super::*;

    fn state(running: bool, health: Option<HealthStatusEnum>) -> ContainerState {
        ContainerState {
            running: Some(running),
            health: health.map(|status| Health { status: Some(status), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn a_state_says_what_the_engine_thinks() {
        use HealthStatusEnum as H;
        let cases = [
            (state(true, Some(H::HEALTHY)), Verdict::Healthy),
            (state(true, Some(H::UNHEALTHY)), Verdict::Unhealthy),
            (state(true, Some(H::STARTING)), Verdict::Undecided),
            (state(true, Some(H::NONE)), Verdict::Unchecked),
            (state(true, None), Verdict::Unchecked),
            (state(false, Some(H::HEALTHY)), Verdict::Ended),
            (ContainerState { restarting: Some(true), ..state(true, None) }, Verdict::Ended),
        ];
        for (state, expected) in cases {
            assert_eq!(of_state(Some(&state)), expected, "{state:?}");
        }
        assert_eq!(of_state(None), Verdict::Ended);
    }

    #[test]
    fn an_exit_code_is_told_only_where_it_is_that_of_the_end() {
        let ended = |code| ContainerState { exit_code: Some(code), ..state(false, None) };
        let again = ContainerState { exit_code: Some(0), ..state(true, None) };
        let memory = ContainerState { oom_killed: Some(true), ..ended(137) };
        let cases = [
            (ended(3), None, "ended with exit code 3"),
            (memory, None, "ended with exit code 137, out of memory"),
            (again.clone(), Some(3), "ended with exit code 3, and was started again by the engine"),
            (again, None, "ended, and was started again by the engine"),
        ];
        for (state, code, expected) in cases {
            assert_eq!(ending(Some(&state), code), expected);
        }
        assert_eq!(ending(None, Some(3)), "is gone");
        let restarting = ContainerState { restarting: Some(true), exit_code: Some(3), ..state(true, None) };
        assert_eq!(exit_code(Some(&restarting)), Some(3));
        assert_eq!(exit_code(Some(&ContainerState { exit_code: Some(0), ..state(true, None) })), None);
    }

    #[test]
    fn events_since_the_start_are_asked_for_by_the_engines_clock() {
        let mut found = Inspected { state: Some(state(true, None)), ..Default::default() };
        found.state.as_mut().unwrap().started_at = Some("2026-11-23T17:51:13.000000789Z".into());
        assert_eq!(since(&found).unwrap(), "1795456273.000000789");
    }

    #[test]
    fn the_address_is_that_of_the_main_network() {
        let network = |ip: &str| EndpointSettings { ip_address: Some(ip.into()), ..Default::default() };
        let with = |mode: &str, networks: &[(&str, &str)]| Inspected {
            host_config: Some(HostConfig { network_mode: Some(mode.into()), ..Default::default() }),
            network_settings: Some(NetworkSettings {
                networks: Some(networks.iter().map(|(n, ip)| ((*n).to_owned(), network(ip))).collect()),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(address(&with("shop", &[("a", "10.0.0.1"), ("shop", "10.0.0.2")])).unwrap(), "10.0.0.2");
        assert_eq!(address(&with("default", &[("bridge", "172.17.0.2")])).unwrap(), "172.17.0.2");
        assert_eq!(address(&with("host", &[("host", "")])).unwrap(), "127.0.0.1");
        assert_eq!(address(&with("none", &[("none", "")])), None);
        let listed = ContainerSummary {
            host_config: Some(ContainerSummaryHostConfig {
                network_mode: Some("shop".into()),
                ..Default::default()
            }),
            network_settings: Some(ContainerSummaryNetworkSettings {
                networks: Some(
                    [("a", "10.0.0.1"), ("shop", "10.0.0.2")]
                        .map(|(n, ip)| (n.to_owned(), network(ip)))
                        .into(),
                ),
            }),
            ..Default::default()
        };
        assert_eq!(listed_address(&listed).unwrap(), "10.0.0.2");
    }
}
