//! Whether a service can be updated at all without falling below the stated minimum. Pure.

use super::placement::Placed;
use super::service::stop_first_because;
use crate::config::{Amount, Config, Problem, Update};

pub(super) fn check(config: &Config, placed: &[Placed<'_>], problems: &mut Vec<Problem>) {
    problems.extend(placed.iter().filter_map(|one| stuck(one, config.deploy.min_healthy)));
}

fn stuck(placed: &Placed<'_>, minimum: Amount) -> Option<Problem> {
    let (name, instances) = (placed.name, placed.instances());
    let needed = minimum.of(instances);
    if instances == 0 || needed == 0 {
        return None;
    }
    if needed > instances {
        let message =
            format!("{needed} healthy instances are demanded, but service `{name}` has {instances}");
        return Some(Problem::at_key("deploy.min_healthy", message).hint("write a percentage, or fewer"));
    }
    let why = match placed.service.update {
        Update::StopFirst => Some("its `update` is `stop-first`".to_owned()),
        _ => stop_first_because(placed.service),
    }?;
    (needed == instances).then(|| {
        Problem::at_key("deploy.min_healthy", format!(
            "service `{name}` cannot be updated: no instance of it may stop, but one has to before its successor starts, since {why}"
        ))
        .hint("write fewer, or add instances")
    })
}
