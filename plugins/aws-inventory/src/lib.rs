//! Inventory provider `aws`: the hosts are EC2's instances. Talks to the user's own `aws` tool.
//!
//! Why the tool and not a library: it brings profiles, single sign-on, assumed roles, credential processes, proxies and
//! regions as the user has set them up, and goes on to be right when AWS invents another way to sign in. The price is
//! a process for each region, and that `aws` must be installed, which for those who work with EC2 it is.
//!
//! Read in this order: `config` (what the user says), `filter` (which instances are meant), `instance` (what the tool
//! prints), `hosts` and `address` (what becomes of it), all pure; then `aws` (one run of the tool) and `refusal` (why it
//! did not work, pure).

use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

mod address;
mod aws;
mod config;
mod filter;
mod hosts;
mod instance;
mod refusal;

use config::Config;
use instance::Instance;

register! {
    Provider {
        name: "aws",
        about: "EC2 instances, by the user's own aws tool",
        handler: Handler::Inventory(&Aws { program: "aws" }),
    },
}

/// The provider.
pub struct Aws {
    /// The aws tool: a name to find on `PATH`, or a path.
    pub program: &'static str,
}

impl Inventory for Aws {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        Config::read(cx).map(drop)
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
        let config = Config::read(cx)?;
        let instances = self.instances(cx, &config)?;
        let hosts = hosts::of(&config, &instances)?;
        if hosts.is_empty() {
            return Err(nothing(&config));
        }
        Ok(Hosts { hosts, ..Hosts::default() })
    }
}

impl Aws {
    /// All that match, of all regions, which are asked at the same time.
    fn instances(&self, cx: &Context, config: &Config) -> Result<Vec<Instance>, Failure> {
        let ask = |region| aws::instances(cx, self.program, config, region);
        let regions = config.regions();
        std::thread::scope(|threads| {
            let asked: Vec<_> = regions.iter().map(|region| threads.spawn(move || ask(*region))).collect();
            let mut all = Vec::new();
            for answer in asked {
                all.extend(answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(all)
        })
    }
}

fn nothing(config: &Config) -> Failure {
    let filters = filter::words(&config.filters());
    Failure::failed(format!("no EC2 instance{} has {filters}", config.place())).hint(
        "see whether `regions`, `tags` and `filters` of `[stages.inventory.config]` say what you mean, and `profile` leads to \
         the right account",
    )
}
