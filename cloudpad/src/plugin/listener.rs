//! Who hears what plugins write to standard error, line by line, while they write it. Pure but for whoever listens.

use std::fmt;
use std::sync::Arc;

use super::session::Who;

type Hear = dyn Fn(&Who, &str) + Send + Sync;

/// Somebody who listens, or nobody.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<Hear>>);

impl Listener {
    /// Somebody who is told each line, masked, and whose it is.
    pub fn new(hear: impl Fn(&Who, &str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    /// Tells a line.
    pub fn tell(&self, who: &Who, line: &str) {
        if let Some(hear) = &self.0 {
            hear(who, line);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "nobody" })
    }
}
