//! When the hosts of a cluster may have changed. I/O: by way of [`crate::client`].

use cloudpad_plugin_api::Failure;

use crate::client::Client;
use crate::list::refused;
use crate::wire::{Bytes, CreateWatch, Range, Ranged, WatchRequest, Watching, end_of};

/// The cluster's revision when something below the prefix was changed after `since`; of now, where there is no such time.
///
/// # Errors
/// No member answers, or lets us read.
pub(crate) fn changed(client: &mut Client, since: Option<i64>) -> Result<i64, Failure> {
    let Some(since) = since else { return now(client) };
    let prefix = client.config().prefix().into_bytes();
    let range_end = Bytes(end_of(&prefix));
    let create = CreateWatch { key: Bytes(prefix), range_end, start_revision: since + 1 };
    let request = WatchRequest { create_request: create };
    loop {
        // Which ends after a while, since a member that is lost says nothing of it.
        let heard = client.listen("/v3/watch", &request, |heard: Watching| heard.result.changed());
        match heard.map_err(|why| refused(client.config(), why))? {
            Some(Some(revision)) => return Ok(revision),
            // What happened since then is not known any more.
            Some(None) => return now(client),
            None => {}
        }
    }
}

fn now(client: &mut Client) -> Result<i64, Failure> {
    let prefix = client.config().prefix().into_bytes();
    let range_end = Bytes(end_of(&prefix));
    let range = Range { key: Bytes(prefix), range_end, limit: 1, revision: 0 };
    let answer: Result<Ranged, _> = client.ask("/v3/kv/range", &range);
    answer.map(|found| found.header.revision).map_err(|why| refused(client.config(), why))
}
