//! One change of a host's proxy at a time, whoever makes it and from where. I/O.
//!
//! It is a lock as that of a project: it ends with whoever has it, however that comes.

use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::Holder;
use cloudpad_plugin_api::{Context, Failure, Level};
use tokio::time::sleep;

use crate::deploy::lock::{self, Held};
use crate::pool::Connection;

/// No project has this name.
const NAME: &str = ".proxy";
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(300);

/// Takes the lock once nobody else has it, and says for whom it waits. It is given back when it is dropped.
pub(super) async fn take(cx: &Context, host: &Connection) -> Result<Held, Failure> {
    let holder = host.locks.lock().await.values().next().map(Held::holder).unwrap_or_default();
    let mut told = None;
    loop {
        match lock::take(host, NAME, &holder).await? {
            Ok(held) => return Ok(held),
            Err(other) => {
                if told.as_ref() != Some(&other) {
                    cx.log(Level::Info, waits_for(&other));
                    told = Some(other);
                }
            }
        }
        sleep(PAUSE).await;
    }
}

fn waits_for(other: &Holder) -> String {
    match other.who.as_str() {
        "" => "waiting: somebody else changes the proxy".to_owned(),
        who => format!("waiting: `{who}` changes the proxy, for `{}` since {}", other.command, other.since),
    }
}
