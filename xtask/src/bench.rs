//! `cargo xtask bench`: Cloudpad against what one would type by hand, as ratios and counts of one run.
//!
//! Each reference is measured in the same run and on the same machine, in turns with ours, so that
//! other load harms both. Talks to the lab and to the program as it is shipped.

mod fanout;
mod inventory;
mod light;
mod logs;
mod measure;
mod planning;
mod plugins;
mod project;
mod push;
mod registry;
mod rollback;
mod startup;
mod swarm;
mod update;

use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::lab::{self, Lab, Settings};
use crate::program;
use crate::shell::Result;

/// What is measured together.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Group {
    /// How long the program takes to start
    Startup,
    /// Planning for many hosts
    Planning,
    /// Deploys that change little or nothing
    Update,
    /// Going back to an earlier release
    Rollback,
    /// An image sent straight to a host
    Push,
    /// An image pushed to a registry
    Registry,
    /// Plugins, and looking for them
    Plugins,
    /// A command on many hosts
    Fanout,
    /// What many containers print
    Logs,
    /// Learning of many hosts from etcd
    Inventory,
    /// An update in a swarm
    Swarm,
}

/// A line of the table.
pub struct Row {
    /// What was measured.
    name: String,
    /// What Cloudpad takes.
    ours: String,
    /// What the reference takes, and what it is; empty for a plain limit.
    reference: String,
    /// The measure that has a goal, such as a ratio.
    value: f64,
    /// The most that it may be.
    goal: f64,
    /// Its unit: `x` for a ratio.
    unit: &'static str,
}

impl Row {
    /// Ours as a share of a reference, in seconds or any other unit.
    fn ratio(name: &str, unit: &str, ours: f64, reference: (f64, &str), goal: f64) -> Self {
        let (theirs, what) = reference;
        Self {
            name: name.into(),
            ours: format!("{ours:.3} {unit}"),
            reference: format!("{theirs:.3} {unit} ({what})"),
            value: ours / theirs,
            goal,
            unit: "x",
        }
    }

    /// A number with a limit.
    fn limit(name: &str, unit: &'static str, ours: f64, goal: f64) -> Self {
        Self {
            name: name.into(),
            ours: format!("{ours:.1} {unit}"),
            reference: String::new(),
            value: ours,
            goal,
            unit,
        }
    }

    fn reached(&self) -> bool {
        self.value <= self.goal
    }

    fn cells(&self) -> [String; 5] {
        let verdict = if self.reached() { "reached" } else { "MISSED" };
        let value = format!("{:.3} {} (goal {})", self.value, self.unit, self.goal);
        [self.name.clone(), self.ours.clone(), self.reference.clone(), value, verdict.into()]
    }
}

impl Group {
    fn measure(self, program: &Path, lab: &Lab) -> Result<Vec<Row>> {
        match self {
            Group::Startup => startup::measure(program),
            Group::Planning => planning::measure(),
            Group::Update => update::measure(program, lab),
            Group::Rollback => rollback::measure(program, lab),
            Group::Push => push::measure(program, lab),
            Group::Registry => registry::measure(program, lab),
            Group::Plugins => plugins::measure(program),
            Group::Fanout => fanout::measure(program),
            Group::Logs => logs::measure(program, lab),
            Group::Inventory => inventory::measure(program, lab),
            Group::Swarm => swarm::measure(program, lab),
        }
    }
}

/// Measures one group, or everything, and fails when a goal is missed.
pub fn run(group: Option<Group>) -> Result<ExitCode> {
    let program = program::build_release()?;
    let lab = lab::up_for_use(&Settings::from_environment()?)?;
    let mut rows = Vec::new();
    for group in group.as_ref().map_or(Group::value_variants(), std::slice::from_ref) {
        rows.extend(group.measure(&program, &lab)?);
    }
    println!("\n{}", table(&rows));
    let missed = rows.iter().filter(|row| !row.reached()).count();
    println!("{} goals reached, {missed} missed", rows.len() - missed);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(rows: &[Row]) -> String {
    let heading = ["MEASURE", "CLOUDPAD", "REFERENCE", "RESULT", ""].map(String::from);
    let cells: Vec<_> = std::iter::once(heading).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let padded: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_missed_by_more_than_it_allows() {
        assert!(Row::ratio("x", "s", 1.0, (2.0, "docker"), 0.5).reached());
        assert!(!Row::ratio("x", "s", 1.1, (2.0, "docker"), 0.5).reached());
        assert!(!Row::limit("x", "MB", 41.0, 40.0).reached());
    }

    #[test]
    fn the_table_says_in_words_whether_a_goal_is_reached() {
        let text = table(&[Row::limit("memory", "MB", 12.0, 40.0), Row::limit("trips", "", 5.0, 3.0)]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].starts_with("memory") && lines[1].ends_with("reached"), "{text}");
        assert!(lines[2].ends_with("MISSED"), "{text}");
    }
}
