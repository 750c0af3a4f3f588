//! The seam to a proxy: what the provider has to know of one in order to run it and to have it lead requests. Pure.
//!
//! Another proxy is another implementation of [`Kind`], in a file of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::piece::Piece;

/// The folder that all parts of a proxy share, in which the pieces are too.
pub(super) const FOLDER: &str = "/cloudpad";
/// The folder of certificates and their keys.
pub(super) const SECRETS: &str = "/data";

/// A proxy, as a program.
pub(super) trait Kind: Sync {
    /// The containers that it consists of, in the order in which they start.
    fn parts(&self) -> &'static [Part];

    /// The configuration that a part is to have, given the one that is in effect; the very same where nothing is to change.
    fn config(&self, part: &Part, pieces: &[Piece], in_effect: Option<&Value>) -> Value;

    /// What a command of [`Part::load`] has printed, in the words of the proxy.
    fn refusal<'a>(&self, output: &'a str) -> &'a str;

    /// Where a part tells how many requests each container is answering: the port and the path of a URL.
    fn status(&self) -> (u16, &'static str);

    /// What it tells there, by `container:port`.
    fn requests(&self, status: &[u8]) -> Option<BTreeMap<String, u64>>;
}

/// A container that a proxy consists of.
pub(super) struct Part {
    /// The container's name on every host.
    pub(super) container: &'static str,
    /// Whether it takes the requests of the world; one that does not is in the networks of the projects.
    pub(super) is_front: bool,
    /// The command with its arguments.
    pub(super) command: &'static [&'static str],
    /// Environment variables.
    pub(super) env: &'static [&'static str],
    /// The file that it begins with where it has never been given another, in [`FOLDER`].
    pub(super) first: &'static str,
    /// The file that it is given, in [`FOLDER`], and the command that does it: it ends when what was given is in effect.
    pub(super) next: &'static str,
    pub(super) load: &'static [&'static str],
    /// The file in [`FOLDER`] in which it keeps what is in effect, and that it begins with when it starts again.
    pub(super) in_effect: &'static str,
}

/// The container's address for the proxy. A name is resolved by the engine whenever a connection is made, so it leads to
/// a container that was started again on another address too.
pub(super) fn address(container: &str, port: u16) -> String {
    format!("{container}:{port}")
}
