//! What a call waits for beside its work. I/O: it waits.

use cloudpad_plugin_api::Cancel;
use tokio::sync::oneshot;

/// Comes back when the caller asks to stop.
pub async fn cancelled(cancel: &Cancel) {
    let (wake, woken) = oneshot::channel();
    cancel.on_cancel(move || {
        // Nobody waits any more when the work is done.
        let _ = wake.send(());
    });
    // The sender lives as long as the caller's `Cancel`; when it goes away, nobody can ask any more.
    if woken.await.is_err() {
        std::future::pending().await
    }
}
