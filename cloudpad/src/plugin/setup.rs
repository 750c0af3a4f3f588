//! All that finding and starting plugins depends on, in one value. I/O: environment.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use cloudpad_plugin_api::Provider;

use super::find::{Candidate, Carrier, Listing, Place};
use super::folders::{self, Folders, Trusted};
use super::limits::Limits;
use super::listener::Listener;
use super::start::DEPTH;
use super::trust::Store;
use crate::project::{self, Project};
use crate::refusal::Refusal;

/// What finding and starting plugins depends on.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The project's directory; the working directory where there is no project.
    pub project: PathBuf,
    /// Where plugins may be beside it.
    pub folders: Folders,
    /// What the user trusts; none where the user has no home.
    pub trust: Option<Store>,
    /// Whether `Cloudpad.lock` is heeded; not when it is to be written anew.
    pub heeds_lock: bool,
    /// What plugins may take.
    pub limits: Limits,
    /// The program that loads libraries.
    pub loader: PathBuf,
    /// How deep in plugins this process is.
    pub depth: u32,
    /// Who hears what plugins write to standard error.
    pub listener: Listener,
}

impl Setup {
    /// That of this process, for the project in `project`.
    pub fn of_process(project: &Path) -> Self {
        Self {
            project: project.to_owned(),
            folders: Folders {
                user: project::data_folder().map(|data| data.join("plugins")),
                system: ["/usr/local/lib/cloudpad/plugins", "/usr/lib/cloudpad/plugins"]
                    .map(PathBuf::from)
                    .into(),
                path: env::var_os("PATH"),
            },
            trust: project::config_folder().map(|config| Store::new(config.join("trust.json"))),
            heeds_lock: true,
            limits: Limits::default(),
            loader: env::current_exe().unwrap_or_default(),
            listener: Listener::default(),
            depth: env::var(DEPTH).ok().and_then(|depth| depth.parse().ok()).unwrap_or(0),
        }
    }

    /// That of this process, in the project that was found, or in none.
    ///
    /// # Errors
    /// When the working directory cannot be told.
    pub fn here(project: Option<&Project>) -> Result<Self, Refusal> {
        let dir = project.map_or_else(project::working_directory, |project| Ok(project.dir.clone()))?;
        Ok(Self::of_process(&dir))
    }

    /// Everything there is outside of a project.
    pub fn listing_of_machine(&self) -> Listing {
        let mut listing = self.near(&BTreeMap::new());
        folders::read_machine(&self.folders, &mut listing);
        listing
    }

    /// Everything there is, in all places.
    pub fn listing(&self, plugins: &BTreeMap<String, PathBuf>) -> Listing {
        let mut listing = self.near(plugins);
        folders::read(&self.project, &self.trusted(), &self.folders, &mut listing);
        listing
    }

    /// What needs no look into any folder: what the config names, and what is built in.
    pub(super) fn near(&self, plugins: &BTreeMap<String, PathBuf>) -> Listing {
        let built_in = Provider::built_in().into_iter().map(|provider| Candidate {
            name: provider.name.to_owned(),
            place: Place::BuiltIn,
            carrier: Carrier::BuiltIn(provider.stage()),
            path: PathBuf::new(),
            fault: None,
            trusted: None,
        });
        let folders = vec![folders::read_config(plugins), built_in.collect()];
        Listing { folders, passed: Vec::new(), unread: None }
    }

    fn trusted(&self) -> Trusted {
        let Some(store) = &self.trust else {
            return Err(
                "nobody can tell whether you trust it: neither XDG_CONFIG_HOME nor HOME is set".to_owned()
            );
        };
        store.trusted(&self.project).map_err(|refusal| match refusal {
            Refusal::Message { message, .. } => message,
            _ => "the trust file cannot be read".to_owned(),
        })
    }
}
