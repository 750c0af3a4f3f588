//! What can only be judged when all tables are read: combinations that cannot be. Pure.
//!
//! Only what is certain from the file is a problem here. With an inventory the hosts are not known
//! yet, and the planner, which knows them, judges what depends on them.

mod cycle;
mod in_clear;
mod jobs;
mod placement;
mod ports;
mod rollout;
mod route;
mod service;

pub(super) use in_clear::in_clear;

use super::{Config, Problem};

/// Tells every problem between the tables. `hosts_known` says that the hosts of the config are all
/// there will be.
pub(super) fn all(config: &Config, hosts_known: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    cycle::check(config, &mut problems);
    for (name, service) in &config.services {
        service::check(name, service, &mut problems);
        ports::check(name, service, &mut problems);
    }
    jobs::check(config, &mut problems);
    route::check(config, &mut problems);
    if hosts_known {
        let placed = placement::placed(config);
        placement::check(config, &placed, &mut problems);
        rollout::check(config, &placed, &mut problems);
    }
    problems
}
