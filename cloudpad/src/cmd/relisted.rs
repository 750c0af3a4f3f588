//! Which hosts there are, told each time that the inventory may list others: for `--watch`.

use std::future::pending;

use cloudpad_plugin_api::stage::inventory::Hosts;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::happening::listen_to_inventory;
use crate::inventory::{Inventory, Selection};
use crate::look::listed;
use crate::plan::{self, Scope};
use crate::refusal::Refusal;
use crate::run::Runner;

/// What the inventory lists from now on.
pub(super) struct Relisted {
    runner: Runner,
    changed: UnboundedReceiver<()>,
    /// Questions for hosts that are under way.
    lists: JoinSet<Result<Hosts, Refusal>>,
}

impl Relisted {
    /// Listens until the runner's calls are broken off.
    pub(super) fn by(runner: &Runner) -> Self {
        let (send, changed) = unbounded_channel();
        listen_to_inventory(runner, move || {
            let _ = send.send(());
        });
        Self { runner: runner.clone(), changed, lists: JoinSet::new() }
    }

    /// What it lists next; nothing ever where its provider does not tell of changes. What comes of a list that fails is left for the
    /// next one.
    pub(super) async fn next(&mut self) -> Hosts {
        loop {
            tokio::select! {
                Some(()) = self.changed.recv() => {
                    let runner = self.runner.clone();
                    self.lists.spawn(async move { listed(&runner).await });
                }
                Some(listed) = self.lists.join_next() => {
                    if let Ok(Ok(listed)) = listed {
                        return listed;
                    }
                }
                else => return pending().await,
            }
        }
    }
}

/// What of a list is meant. What the config cannot do with it is left for the next command to say: there is nothing then.
pub(super) fn meant(config: &Config, selection: &Selection, listed: Hosts) -> Option<(Inventory, Scope)> {
    let inventory = Inventory::new(&config.hosts, listed).ok()?;
    let scope = plan::scope(config, &inventory, selection).ok()?;
    Some((inventory, scope))
}
