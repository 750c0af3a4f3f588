//! One run at a time in a source's cache. I/O.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;

use cloudpad_plugin_api::{Context, Failure, Level};

/// Waits until no other run uses the cache at `root`, and keeps others out until the file is dropped.
///
/// The lock belongs to the process and ends with it, so it is never left behind.
///
/// # Errors
/// `cancelled` when the caller asked to stop, `failed` when there can be no lock file.
pub fn hold(cx: &Context, root: &Path) -> Result<File, Failure> {
    let path = root.join("lock");
    let no_lock = |error| crate::no_file("lock", &path, &error);
    let file = File::create(&path).map_err(no_lock)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(no_lock(error)),
        Err(TryLockError::WouldBlock) => (),
    }
    cx.log(Level::Info, format!("waiting for another run that uses `{}`", root.display()));
    wait(cx, file, no_lock)
}

/// Waiting for a lock cannot be broken off, so a thread does it, which is left alone when the caller asks
/// to stop: it gives the lock back as soon as it has it.
fn wait(cx: &Context, file: File, no_lock: impl FnOnce(std::io::Error) -> Failure) -> Result<File, Failure> {
    let (tell, told) = channel();
    let stop = tell.clone();
    cx.cancel().on_cancel(move || drop(stop.send(None)));
    thread::spawn(move || tell.send(Some(file.lock().map(|()| file))));
    match told.recv() {
        Ok(Some(locked)) => locked.map_err(no_lock),
        Ok(None) | Err(_) => Err(Failure::cancelled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::{Cancel, FailureKind};
    use std::sync::Arc;

    #[test]
    fn others_wait_and_can_be_told_to_stop() {
        let root = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let on_log = cancel.clone();
        // The first log line says that it waits; then it is told to stop.
        let waiting = Context::new(serde_json::Value::Null, Arc::new(move |_| on_log.cancel()), cancel);
        let held = hold(&waiting, root.path()).unwrap();
        assert_eq!(hold(&waiting, root.path()).unwrap_err().kind, FailureKind::Cancelled);
        drop(held);
        let cx = Context::new(serde_json::Value::Null, Arc::new(|_| ()), Cancel::new());
        hold(&cx, root.path()).unwrap();
    }
}
