//! Time, which tests let pass as they like. I/O: the clock.

use std::time::{Duration, Instant};

use cloudpad_transport::BoxFuture;

/// What passes time.
pub trait Clock: Send + Sync {
    /// How long it has run.
    fn now(&self) -> Duration;

    /// Waits so long before something is done again.
    fn pause(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// Comes back when something has taken so long that nobody waits for it any more.
    fn limit(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// The clock on the wall.
pub struct Wall(Instant);

impl Default for Wall {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Wall {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn limit(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.pause(time)
    }
}
