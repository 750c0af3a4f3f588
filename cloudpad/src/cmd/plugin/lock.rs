//! `cloudpad plugin lock`: writes down which plugins the project is used with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cmd::session::{self, Loaded};
use crate::cmd::{Ended, Refused};
use crate::config;
use crate::plugin::lock::{self, FILE, Present};
use crate::plugin::setup::Setup;
use crate::plugin::used::used;
use crate::project::Project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words::{self, plugins};

/// Write the sums of the plugins that the project uses, in whatever environment, to `Cloudpad.lock`
///
/// Plugins that do a stage are started, and asked for their version.
#[derive(clap::Args)]
pub(super) struct Args {}

/// The project's config in each environment that can be understood.
struct Everywhere {
    loaded: Vec<Loaded>,
    /// Whether that is all of them.
    whole: bool,
}

impl Args {
    pub(super) fn run(&self, term: &Arc<Term>) -> Ended {
        let project = Project::find()?;
        let everywhere = Everywhere::read(&project, term)?;
        let present = everywhere.present(&project)?;
        let before = lock::read(&project.dir)?;
        let known = before.clone().unwrap_or_default();
        let after = if everywhere.whole { known.with(&present) } else { known.and(&present) };
        let changes = after.since(&before.clone().unwrap_or_default());
        if !changes.is_empty() {
            lock::write(&project.dir, &after)?;
        }
        if term.is_json() {
            term.data(&words::json_line(&changes));
        }
        for line in plugins::changes(&changes).lines() {
            term.status(line);
        }
        term.status(match (changes.is_empty(), before.is_some()) {
            (false, _) => "written; commit `Cloudpad.lock`",
            (true, true) => "nothing has changed",
            (true, false) => "nothing to lock: all that this project uses is built in",
        });
        Ok(exit::OK)
    }
}

impl Everywhere {
    fn read(project: &Project, term: &Term) -> Result<Self, Refused> {
        let mut everywhere = Self { loaded: Vec::new(), whole: true };
        let plain = session::read(project.clone(), None);
        for name in config::environments(&project.text) {
            match session::read(project.clone(), Some(&name)) {
                Ok(loaded) => everywhere.loaded.push(loaded),
                Err(_) => {
                    everywhere.whole = false;
                    term.warn(&format!(
                        "environment `{name}` has problems, so what `{FILE}` lists stays; `cloudpad check -e {name}` \
                         tells them"
                    ));
                }
            }
        }
        match plain {
            Ok(loaded) => everywhere.loaded.push(loaded),
            // What is no config without an environment is only used with one.
            Err(refused) if everywhere.loaded.is_empty() => return Err(refused),
            Err(_) => {}
        }
        Ok(everywhere)
    }

    fn present(&self, project: &Project) -> Result<Vec<Present>, Refused> {
        let setup = Setup { heeds_lock: false, ..Setup::of_process(&project.dir) };
        let mut all = BTreeMap::new();
        for loaded in &self.loaded {
            let config = &loaded.config;
            let used = used(config, &setup.listing(&config.plugins));
            for (name, used) in used.map_err(|problems| loaded.refuses(problems.into()))? {
                let present = setup.present(&used).map_err(|failure| Refusal::Failures(vec![failure]))?;
                if all
                    .insert(name.clone(), present.clone())
                    .is_some_and(|other: Present| other.sum != present.sum)
                {
                    let message =
                        format!("plugin `{name}` is another file in one environment than in another");
                    return Err(Refusal::new(message).hint("give them different names").into());
                }
            }
        }
        Ok(all.into_values().collect())
    }
}
