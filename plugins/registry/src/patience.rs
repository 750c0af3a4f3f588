//! What is tried again, and when. I/O: the clock.
//!
//! The engine repeats the upload of a layer, and nothing else. It does not pass on what a registry says about when to come back
//! (`Retry-After`), so that is for us to choose.

use std::time::Duration;

use cloudpad_engine::refusal::Refusal;
use cloudpad_plugin_api::{Context, Failure, Level};

/// How long is waited before each further try.
const WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// Why something was not done.
pub struct Refused {
    /// What is told to the user.
    pub failure: Failure,
    /// Whether it may well go when it is tried again soon.
    pub passing: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, passing: false }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { failure: refusal.failure, passing: refusal.passing }
    }
}

/// Does `work`, a few times where what is in the way may pass.
///
/// # Errors
/// Why it was not done the last time.
pub async fn again<T>(cx: &Context, work: impl AsyncFn() -> Result<T, Refused>) -> Result<T, Failure> {
    for wait in WAITS {
        let Refused { failure, passing } = match work().await {
            Ok(done) => return Ok(done),
            Err(refused) => refused,
        };
        if !passing {
            return Err(failure);
        }
        cx.log(Level::Warn, format!("{}; trying again in {} s", failure.message, wait.as_secs()));
        tokio::time::sleep(wait).await;
    }
    work().await.map_err(|refused| refused.failure)
}
