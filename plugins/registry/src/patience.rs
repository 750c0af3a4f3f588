//! What is tried again, and when. I/O: the clock.
//!
//! Where the engine asks the registry, it repeats the upload of a layer, and nothing else, and does not pass on what a registry says
//! about when to come back (`Retry-After`): so that is for us to choose. Where we ask ourselves, it is the registry that says it.

use std::time::{Duration, SystemTime};

use cloudpad_engine::refusal::Refusal;
use cloudpad_plugin_api::{Context, Failure, Level};

/// How long is waited before each further try.
const WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// The longest that is waited where a registry says for how many seconds. It may mean hours, and then nobody waits.
const LONGEST: u32 = 60;

/// Why something was not done.
pub struct Refused {
    /// What is told to the user.
    pub failure: Failure,
    /// Whether it is tried again.
    pub again: Again,
}

/// Whether something may well go when it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Not as things are.
    Never,
    /// Soon.
    Soon,
    /// In so many seconds, as the registry has said.
    After(u32),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, again: Again::Never }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { failure: refusal.failure, again: if refusal.passing { Again::Soon } else { Again::Never } }
    }
}

/// Does `work`, a few times where what is in the way may pass.
///
/// # Errors
/// Why it was not done the last time.
pub async fn again<T>(cx: &Context, work: impl AsyncFn() -> Result<T, Refused>) -> Result<T, Failure> {
    for wait in WAITS {
        let Refused { failure, again } = match work().await {
            Ok(done) => return Ok(done),
            Err(refused) => refused,
        };
        let wait = match again {
            Again::Never => return Err(failure),
            Again::Soon => wait,
            Again::After(seconds) if seconds > LONGEST => {
                let why = format!("it wants to be asked again in {seconds} s, and not before");
                return Err(failure.cause(why));
            }
            Again::After(seconds) => Duration::from_secs(seconds.into()),
        };
        cx.log(Level::Warn, format!("{}; trying again in {} s", failure.message, wait.as_secs()));
        tokio::time::sleep(wait).await;
    }
    work().await.map_err(|refused| refused.failure)
}

/// In how many seconds from `now` on one is to come back, by the header `Retry-After`: seconds, or a time. One that has passed is now.
pub fn after(header: &str, now: SystemTime) -> Option<u32> {
    let header = header.trim();
    let seconds = match header.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let time = httpdate::parse_http_date(header).ok()?;
            time.duration_since(now).unwrap_or_default().as_secs()
        }
    };
    Some(seconds.try_into().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_says_in_seconds_or_by_a_date_when_to_come_back() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cases = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("9999999999", Some(u32::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(after(header, now), expected, "{header}");
        }
    }
}
