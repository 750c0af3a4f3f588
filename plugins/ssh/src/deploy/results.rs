//! What the engine has kept of a container's last health checks, in lines for people. Pure.

use bollard::models::{ContainerInspectResponse as Inspected, HealthcheckResult};

/// How many of the last results are told.
const LAST_RESULTS: usize = 3;
/// How many of the last lines of each one's output are.
const LAST_LINES: usize = 5;

/// The command that checks the container, and what came of it the last times; where the same came of it
/// again and again, it is told once. Nothing where it was not checked.
pub(super) fn of(found: &Inspected) -> Vec<String> {
    let log = found.state.as_ref().and_then(|state| state.health.as_ref()?.log.as_ref());
    let mut results: Vec<_> = log.into_iter().flatten().map(result).collect();
    results.dedup();
    results.drain(..results.len().saturating_sub(LAST_RESULTS));
    if results.is_empty() { results } else { command(found).into_iter().chain(results).collect() }
}

fn command(found: &Inspected) -> Option<String> {
    let test = found.config.as_ref()?.healthcheck.as_ref()?.test.as_ref()?;
    // The first word says whether a shell runs it.
    Some(format!("health check `{}`:", test.get(1..)?.join(" ")))
}

fn result(result: &HealthcheckResult) -> String {
    let output = result.output.as_deref().unwrap_or_default();
    let lines: Vec<_> = output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let output = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    match (result.exit_code, output.as_str()) {
        // The engine's word for a check that did not end by itself; the output says why.
        (Some(-1), output) if !output.is_empty() => output.to_owned(),
        (Some(code), "") => format!("exit code {code}, no output"),
        (Some(code), output) => format!("exit code {code}: {output}"),
        (None, output) => output.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerConfig, ContainerState, Health, HealthConfig};

    use super::*;

    fn checked(results: &[(i64, &str)]) -> Inspected {
        let log = results.iter().map(|(code, output)| HealthcheckResult {
            exit_code: Some(*code),
            output: Some((*output).to_owned()),
            ..Default::default()
        });
        let health = Health { log: Some(log.collect()), ..Default::default() };
        let test = ["CMD", "check", "--all"].map(str::to_owned).to_vec();
        let healthcheck = HealthConfig { test: Some(test), ..Default::default() };
        Inspected {
            state: Some(ContainerState { health: Some(health), ..Default::default() }),
            config: Some(ContainerConfig { healthcheck: Some(healthcheck), ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn the_last_different_results_are_told_with_the_command() {
        let many = [(0, "a"), (1, "b"), (1, ""), (2, "one\n\ntwo\n"), (2, "one\n\ntwo\n"), (-1, "too slow")];
        assert_eq!(
            of(&checked(&many)),
            ["health check `check --all`:", "exit code 1, no output", "exit code 2: one\ntwo", "too slow"]
        );
    }

    #[test]
    fn only_the_last_lines_of_a_result_count() {
        let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        let told = of(&checked(&[(1, &text)]));
        assert_eq!(told[1], "exit code 1: line 26\nline 27\nline 28\nline 29\nline 30");
    }

    #[test]
    fn nothing_is_said_of_what_was_not_checked() {
        assert_eq!(of(&checked(&[])), [""; 0]);
        assert_eq!(of(&Inspected::default()), [""; 0]);
    }
}
