//! A host that an inventory has listed, by the rules of those in the file. Pure.

use cloudpad_plugin_api::model::Host;

use super::{name, network};
use crate::config::Problem;

/// Whether it could stand in the file.
///
/// # Errors
/// What of it could not.
pub fn check(host: &Host) -> Result<(), Problem> {
    name::host(&host.name)?;
    network::address(&host.address)?;
    host.labels.keys().try_for_each(|label| name::any_label(label))?;
    host.roles.iter().try_for_each(|role| name::word(role))
}
