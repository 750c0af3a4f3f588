//! What is another in a lock than it was. Pure.

use serde::Serialize;

use super::{Entry, Lock};

/// A plugin of which a lock says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    /// It was not listed.
    Added {
        /// Its name.
        name: String,
        /// Its version, where it was asked.
        version: Option<String>,
    },
    /// It was listed with another version, file or sum.
    Changed {
        /// Its name.
        name: String,
        /// Its version as it was.
        from: Option<String>,
        /// Its version as it is.
        to: Option<String>,
    },
    /// It is not listed any more.
    Removed {
        /// Its name.
        name: String,
    },
}

impl Lock {
    /// What is another than in `before`, by name.
    pub fn since(&self, before: &Lock) -> Vec<Change> {
        let now = |(name, entry): (&String, &Entry)| match before.plugins.get(name) {
            None => Some(Change::Added { name: name.clone(), version: entry.version.clone() }),
            Some(known) if known == entry => None,
            Some(known) => Some(Change::Changed {
                name: name.clone(),
                from: known.version.clone(),
                to: entry.version.clone(),
            }),
        };
        let gone = before.plugins.keys().filter(|name| !self.plugins.contains_key(*name));
        let gone = gone.map(|name| Change::Removed { name: name.clone() });
        self.plugins.iter().filter_map(now).chain(gone).collect()
    }
}
