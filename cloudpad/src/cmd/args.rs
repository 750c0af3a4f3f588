//! Arguments that several commands share.

use anstream::ColorChoice;
use chrono::DateTime;
use clap::builder::PossibleValuesParser;
use clap_complete::ArgValueCandidates;

use super::complete;
use crate::config::{self, millis};
use crate::inventory::Selection;
use crate::project;
use crate::term::Style;

/// Arguments of every command.
#[derive(Clone, clap::Args)]
pub(super) struct Global {
    /// Use this environment of `Cloudpad.toml`
    #[arg(short, long, global = true, env = "CLOUDPAD_ENV", value_name = "NAME",
          add = ArgValueCandidates::new(complete::environments))]
    pub environment: Option<String>,
    /// Take the hosts that the inventory listed last, and do not ask it
    #[arg(long, global = true)]
    pub cached: bool,
    /// Print events, or data, as JSON lines on stdout
    #[arg(long, global = true)]
    json: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto",
          value_parser = PossibleValuesParser::new(["auto", "always", "never"]))]
    color: String,
    /// Print data and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print also what is begun, and what tools say
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl Global {
    /// The same for each environment that is meant: the chosen one, or where none is, that and all that the file has.
    pub fn environments(&self, text: &str) -> Vec<Self> {
        let others = match self.environment {
            Some(_) => Vec::new(),
            None => config::environments(text),
        };
        let others = others.into_iter().map(|name| self.within(Some(name)));
        std::iter::once(self.clone()).chain(others).collect()
    }

    /// The same for another environment, or for none.
    pub fn within(&self, environment: Option<String>) -> Self {
        Self { environment, ..self.clone() }
    }

    /// `acts`: whether JSON means the events of a run, and not one document of data.
    pub(super) fn style(&self, acts: bool) -> Style {
        let colour = match self.color.as_str() {
            "always" => ColorChoice::Always,
            "never" => ColorChoice::Never,
            _ => ColorChoice::Auto,
        };
        Style { json: self.json, events: self.json && acts, quiet: self.quiet, verbose: self.verbose, colour }
    }
}

/// Arguments of commands that have the project to themselves while they run.
#[derive(clap::Args)]
pub(super) struct Lock {
    /// Wait while somebody else is at work on the project, instead of giving up
    #[arg(long)]
    pub wait: bool,
    /// Go ahead without what the inventory has and cannot be read as a host
    #[arg(long)]
    pub skip_broken_hosts: bool,
}

/// Arguments that choose a part of the project. Each may be given several times, with `*` and `?`.
#[derive(clap::Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct Select {
    /// Only this service
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::services))]
    service: Vec<String>,
    /// Only services of this group
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::groups))]
    group: Vec<String>,
    /// Only hosts with this role
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::roles))]
    role: Vec<String>,
    /// Only this host
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    host: Vec<String>,
}

/// Arguments that choose hosts. Each may be given several times, with `*` and `?`.
#[derive(clap::Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectHosts {
    /// Only hosts with this role
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::roles))]
    role: Vec<String>,
    /// Only this host
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    host: Vec<String>,
}

impl SelectHosts {
    pub(super) fn selection(&self) -> Selection {
        Selection { roles: self.role.clone(), hosts: self.host.clone(), ..Selection::default() }
    }
}

impl Select {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            services: self.service.clone(),
            groups: self.group.clone(),
            roles: self.role.clone(),
            hosts: self.host.clone(),
        }
    }
}

/// The time that is meant, in nanoseconds since 1970.
pub(super) fn since(text: &str) -> Result<i64, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return time.timestamp_nanos_opt().ok_or_else(|| "that is too long ago, or not yet".to_owned());
    }
    let ago = millis(text)
        .map_err(|_| "it is a duration such as `10m`, or a time such as `2026-11-26T08:15:00Z`")?;
    Ok(project::nanoseconds()
        .saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX).saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::since;

    #[test]
    fn a_time_is_a_duration_or_a_time() {
        assert_eq!(since("1970-01-01T01:00:00+01:00"), Ok(0));
        assert_eq!(since("2026-11-26T08:15:00.5Z"), Ok(1_795_680_900_500_000_000));
        assert!(since("1h").unwrap() < since("10m").unwrap());
        assert!(since("soon").is_err() && since("2026-11-26").is_err());
    }
}
