//! What commands about plugins begin with: the project, where there is one, and every plugin that was found.

use std::collections::BTreeMap;

use cloudpad_plugin_api::{Provider, Stage};

use super::Refused;
use super::args::Global;
use super::session::{self, Loaded};
use crate::config::nearest;
use crate::plugin::find::{self, Finding, Listing};
use crate::plugin::setup::Setup;
use crate::plugin::start::Launch;
use crate::project::Project;
use crate::refusal::Refusal;
use crate::term::Term;

/// A project, and what is around it.
pub(super) struct Around {
    /// The project and its config, or why that cannot be understood.
    pub project: Option<Result<Loaded, Refused>>,
    pub setup: Setup,
    /// All that was found. What a config names that cannot be understood is not in it.
    pub listing: Listing,
}

impl Around {
    /// Looks at the project of the working directory, and for plugins. Runs none of them.
    pub(super) fn look(global: &Global) -> Result<Self, Refusal> {
        let project = Project::look()?;
        let setup = Setup::here(project.as_ref())?;
        let project = project.map(|project| session::read(project, global.environment.as_deref()));
        let listing = match &project {
            Some(Ok(loaded)) => setup.listing(&loaded.config.plugins),
            Some(Err(_)) => setup.listing(&BTreeMap::new()),
            None => setup.listing_of_machine(),
        };
        Ok(Self { project, setup, listing })
    }

    /// The provider of each stage of the project; none where there is no project. A config that cannot be understood
    /// is told as a warning.
    pub(super) fn chosen(&self, term: &Term) -> BTreeMap<Stage, String> {
        match &self.project {
            Some(Ok(Loaded { config, .. })) => config
                .stages
                .iter()
                .filter_map(|(stage, choice)| Some((*stage, choice.provider.clone()?)))
                .collect(),
            Some(Err(_)) => {
                term.warn(
                    "the project's config has problems, so nothing is known of the plugins that it names or uses; \
                     `cloudpad check` tells them",
                );
                BTreeMap::new()
            }
            None => BTreeMap::new(),
        }
    }

    /// How the plugin of this name is started, for somebody who has asked for it.
    pub(super) fn launch(&self, name: &str) -> Result<Launch, Refused> {
        if let Some(Err(refused)) = &self.project {
            // It may name another file.
            return Err(refused.clone());
        }
        let mut finding = find::named(&self.listing, name);
        // The provider's name is enough where one file has it, and none that is built in.
        let built_in = Provider::built_in().iter().any(|provider| provider.name == name);
        if let (None, false, [only]) = (finding.used, built_in, self.listing.names_of(name).as_slice()) {
            finding = find::named(&self.listing, only);
        }
        let found = finding.used.ok_or_else(|| self.unknown(name, &finding))?;
        Ok(self.setup.asked(found).map_err(|failure| Refusal::Failures(vec![failure]))?)
    }

    /// There is no such plugin: what was passed over, and what was meant.
    fn unknown(&self, name: &str, finding: &Finding<'_>) -> Refusal {
        let refusal = Refusal::new(format!("there is no plugin `{name}`{}", passed_over(finding)));
        let meant = match self.listing.names_of(name) {
            many if many.len() > 1 => many,
            _ => nearest(name, &self.listing.names()).into_iter().collect(),
        };
        let meant: Vec<_> = meant.iter().map(|meant| format!("`{meant}`")).collect();
        let meant = match meant.is_empty() {
            true => String::new(),
            false => format!("did you mean {}? ", meant.join(" or ")),
        };
        refusal.hint(format!("{meant}`cloudpad plugin list` prints all"))
    }
}

/// What was found under a name and cannot be used, in words that follow others.
pub(super) fn passed_over(finding: &Finding<'_>) -> String {
    let mut words = String::new();
    for rejected in finding.rejected.iter().take(3) {
        let fault = rejected.fault.as_deref().unwrap_or_default();
        words += &format!("; `{}` was passed over: {fault}", rejected.path.display());
    }
    words
}
