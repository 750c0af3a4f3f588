//! Which sums the file of a plugin has to have before it runs: the one that the user trusts, and the one that the
//! project's lock lists. I/O: the lock file.

use cloudpad_plugin_api::Failure;

use super::find::{Candidate, Place};
use super::lock::{self, FILE, Lock, platform};
use super::setup::Setup;
use super::start::Launch;
use crate::refusal::Refusal;

const MEND: &str = "`cloudpad plugin lock` records what is used now";

impl Setup {
    /// The project's lock, where there is one and it is heeded.
    ///
    /// # Errors
    /// `invalid`, when it cannot be read or understood.
    pub fn lock(&self) -> Result<Option<Lock>, Failure> {
        if !self.heeds_lock {
            return Ok(None);
        }
        lock::read(&self.project).map_err(|refusal| match refusal {
            Refusal::Message { message, hint } => Failure { hint, ..Failure::invalid(message) },
            _ => Failure::invalid(format!("`{FILE}` cannot be read")),
        })
    }

    /// How a plugin that the project uses is started.
    ///
    /// # Errors
    /// `invalid`, saying why it may not be.
    pub fn guarded(&self, found: &Candidate) -> Result<Launch, Failure> {
        let mut launch = self.usable(found)?;
        if let Some(lock) = self.lock()? {
            demand(&lock, &found.name, &mut launch)?;
        }
        Ok(launch)
    }

    /// How a plugin that the user has asked for is started. The lock is about those that it lists and those that
    /// come with the project; what else the user has on this machine is nobody else's affair.
    ///
    /// # Errors
    /// `invalid`, saying why it may not be.
    pub fn asked(&self, found: &Candidate) -> Result<Launch, Failure> {
        let mut launch = self.usable(found)?;
        let of_project = matches!(found.place, Place::Config | Place::Project);
        if let Some(lock) = self.lock()?
            && (of_project || lock.lists(&found.name))
        {
            demand(&lock, &found.name, &mut launch)?;
        }
        Ok(launch)
    }

    fn usable(&self, found: &Candidate) -> Result<Launch, Failure> {
        match &found.fault {
            Some(fault) => Err(Failure::invalid(unusable(found, fault))),
            None => Ok(self.launch(found)),
        }
    }
}

/// Why a plugin that was found is not used.
pub(super) fn unusable(found: &Candidate, fault: &str) -> String {
    format!("plugin `{}` (`{}`) cannot be used: {fault}", found.name, found.path.display())
}

/// Adds the sum that the lock asks for.
///
/// # Errors
/// `invalid`, when it does not list the plugin for this platform.
pub(super) fn demand(lock: &Lock, name: &str, launch: &mut Launch) -> Result<(), Failure> {
    let expected = lock
        .expects(name, &platform())
        .map_err(|why| Failure::invalid(format!("{} may not be used: {why}", launch.who)).hint(MEND))?;
    let other = format!("{} is not the one that `{FILE}` lists", launch.who);
    launch.sums.push((expected, Failure::invalid(other).hint(MEND)));
    Ok(())
}
