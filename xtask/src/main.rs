//! Contributor tasks: `cargo xtask lab | test | demo | bench`. Talks to the machine's tools and engine.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tasks speak to the person who runs them")]

mod bench;
mod demo;
mod lab;
mod program;
mod shell;
mod test;
#[cfg(test)]
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Contributor tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Hosts with their own sshd and Docker engine, a registry and etcd, on this machine
    #[command(subcommand)]
    Lab(lab::Command),
    /// Cloudpad against what one would type by hand
    Bench {
        /// Only this
        #[arg(value_enum)]
        group: Option<bench::Group>,
    },
    /// A small application, from a git repository to three hosts
    Demo,
    /// Everything that has to be so before a change is merged
    Test,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Lab(command) => lab::run(command),
        Task::Bench { group } => bench::run(group),
        Task::Demo => demo::run(),
        Task::Test => test::run(),
    };
    done.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}
