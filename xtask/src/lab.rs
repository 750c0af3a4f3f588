//! The lab: real hosts to deploy to, made on this machine from its own Debian packages.
//!
//! `settings` says which lab is meant, `engine` and `packages` get what it is made of, `image` makes
//! its images, `keys` its keys and certificates, `hosts` and `services` its containers, `describe` the
//! files by which tests and people find them, `fault` breaks them on request; `aws` gets what beside it
//! stands for EC2, and `swarm` makes the hosts one.

mod aws;
mod describe;
mod engine;
mod fault;
mod hosts;
mod image;
mod keys;
mod packages;
mod services;
mod settings;
mod swarm;

use std::process::{Command as Process, ExitCode};
use std::time::Instant;

use clap::Subcommand;

pub use describe::{Host, Lab};
pub use settings::{Settings, workspace};
pub use swarm::ensure as be_swarm;

use crate::shell::{self, Result, docker};

/// How many hosts a lab has unless one says otherwise.
pub const HOSTS: u8 = 3;

/// How many hosts tests need.
const HOSTS_OF_TESTS: u8 = 5;

/// `cargo xtask lab …`
#[derive(Subcommand)]
pub enum Command {
    /// Raises the lab, or brings a running one to this size
    Up {
        /// How many hosts
        #[arg(long, default_value_t = HOSTS, value_parser = clap::value_parser!(u8).range(1..=60))]
        hosts: u8,
        /// What all hosts are made of; without it the third is `lite26`, the fourth and fifth `systemd`, the others `lite`
        #[arg(long, value_enum)]
        variant: Option<image::Variant>,
        /// Make the first three hosts a swarm, with the first as its manager
        #[arg(long)]
        swarm: bool,
    },
    /// Removes the lab, and stops the engine if the lab started it
    Down {
        /// Also remove the lab's images
        #[arg(long)]
        images: bool,
    },
    /// Says what runs and how to reach it
    Status,
    /// Opens a shell on a host, or runs a command there
    Ssh {
        /// `h1`, `h2`, …
        host: String,
        /// The command
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Installs the aws tool and a double of EC2 into the lab's folder, for tests of `plugins/aws-inventory`
    Aws,
    /// Breaks a host, or mends it with `clear`
    Fault {
        /// What happens to it
        #[arg(value_enum)]
        fault: fault::Fault,
        /// `h1`, `h2`, …
        host: String,
        /// The fault's size, where it has one
        argument: Option<String>,
    },
}

/// Does what was asked.
pub fn run(command: Command) -> Result<ExitCode> {
    let settings = Settings::from_environment()?;
    match command {
        Command::Up { hosts, variant, swarm } => {
            up(&settings, hosts, variant)?;
            if swarm {
                swarm::ensure(&settings, &Lab::read(&settings)?)?;
            }
        }
        Command::Down { images } => down(&settings, images)?,
        Command::Status => status(&settings)?,
        Command::Ssh { host, command } => return ssh(&settings, &host, &command),
        Command::Aws => aws::ensure(&settings)?,
        Command::Fault { fault, host, argument } => fault.inject(&settings, &host, argument.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Raises the lab; what is there already stays.
pub fn up(settings: &Settings, hosts: u8, variant: Option<image::Variant>) -> Result<()> {
    let since = Instant::now();
    packages::install_missing()?;
    engine::ensure(settings)?;
    settings.claim()?;
    keys::ensure(settings, hosts)?;
    let variants: Vec<_> = (1..=hosts).map(|number| variant.unwrap_or(image::Variant::of(number))).collect();
    let images = image::ensure(settings, &variants)?;
    let subnet = hosts::network(settings)?;
    services::ensure(settings, &subnet, &images.services)?;
    hosts::ensure(settings, &subnet, &images.hosts)?;
    let lab = describe::write(settings, &subnet, hosts, &images.bare)?;
    hosts::wait(settings, hosts)?;
    services::wait(&lab)?;
    services::offer(&images.base, &lab.base_image)?;
    services::offer(&images.proxy, &lab.proxy_image)?;
    println!("{} is up in {:.1} s\n\n{}", settings.name, since.elapsed().as_secs_f32(), lab.summary());
    Ok(())
}

/// Raises the lab as tests, the demonstration and the benchmarks want it.
pub fn up_for_use(settings: &Settings) -> Result<Lab> {
    up(settings, HOSTS, None)?;
    Lab::read(settings)
}

/// The same with more hosts, and all that tests need beside it.
pub fn up_for_tests(settings: &Settings) -> Result<Lab> {
    aws::ensure(settings)?;
    up(settings, HOSTS_OF_TESTS, None)?;
    let lab = Lab::read(settings)?;
    swarm::ensure(settings, &lab)?;
    Ok(lab)
}

/// `PATH` with the programs that tests start themselves and that are not installed here.
pub fn path_for_tests(settings: &Settings) -> Result<String> {
    let mut path = std::env::var("PATH").unwrap_or_default();
    for package in ["docker-registry", "etcd-server", "etcd-client"] {
        path = format!("{path}:{}", packages::unpacked(settings, package)?.join("usr/bin").display());
    }
    Ok(path)
}

fn down(settings: &Settings, images: bool) -> Result<()> {
    if !engine::answers() {
        println!("no engine answers, so nothing of {} runs", settings.name);
        return engine::stop_if_ours(settings);
    }
    hosts::remove(settings)?;
    if images {
        image::remove()?;
    }
    engine::stop_if_ours(settings)?;
    println!("{} is down", settings.name);
    Ok(())
}

fn status(settings: &Settings) -> Result<()> {
    let format = "table {{.Names}}\t{{.Status}}\t{{.Ports}}";
    println!(
        "{}",
        shell::output(&mut docker(["ps", "-a", "--filter", &settings.filter(), "--format", format]))?
    );
    println!("\n{}", Lab::read(settings)?.summary());
    Ok(())
}

fn ssh(settings: &Settings, host: &str, command: &[String]) -> Result<ExitCode> {
    let lab = Lab::read(settings)?;
    let mut ssh = Process::new("ssh");
    ssh.arg("-F").arg(&lab.ssh_config).arg(host).args(command);
    let status = ssh.status().map_err(|error| format!("cannot start `ssh`: {error}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
