//! Which goes first, the old container or the new one.

use super::kit::*;
use crate::plan::ChangeKind;

#[test]
fn on_the_hosts_own_network_the_old_one_makes_room() {
    let mut case = case();
    case.service("web", |web| web.networks = vec!["host".into()]);
    case.deploy();
    case.image("web", "v2");
    let orders: Vec<_> = case.plan().changes.iter().map(|change| change.kind).collect();
    assert_eq!(orders, [ChangeKind::ReplaceStopFirst; 3]);
}
