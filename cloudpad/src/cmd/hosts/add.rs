//! `cloudpad hosts add`: writes one more host into `Cloudpad.toml`, or into an inventory that can be written to, and looks
//! whether it can be reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::Reply;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::Machine;

use super::listed::Writable;
use crate::cmd::args::Global;
use crate::cmd::session::{self, Session};
use crate::cmd::{Ended, Refused, environments};
use crate::config::Problem;
use crate::plan::{self, Also};
use crate::project::{self, Project};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::{config, words};

/// Add a host to `Cloudpad.toml`, or to an inventory that can be written to, and see whether it can be reached
#[derive(clap::Args)]
pub(super) struct Args {
    /// Its name; asked for where it is missing
    name: Option<String>,
    /// `local`, or `[user@]host[:port]`; asked for where it is missing
    address: Option<String>,
    /// A role that it has; may be given several times
    #[arg(long, value_name = "NAME")]
    role: Vec<String>,
    /// A label; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Do not try to reach it
    #[arg(long)]
    offline: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let project = Project::find()?;
        let offline = self.offline;
        let host = self.host(term)?;
        if let Some(inventory) = Writable::of(&project, global, term)? {
            inventory.add(&host)?;
            return if offline { Ok(exit::OK) } else { reach(&host, global, term) };
        }
        let environment = global.environment.as_deref();
        let text = config::add_host(&project.text, environment, &host)
            .map_err(|problem| Refusal::Problems(vec![problem]))?;
        let file = project.dir.join(project::FILE);
        // Whatever it makes wrong is told before it is written.
        let added = Project { text: text.clone(), ..project.clone() };
        let left = no_worse(&project, &added, global)?;
        let now = project::read_if_there(&file)?.unwrap_or_default();
        if now != project.text {
            return Err(Refusal::new(format!(
                "`{}` was changed meanwhile, and is left alone",
                file.display()
            ))
            .into());
        }
        project::write_shared(&file, &text)?;
        term.status(&format!("added `{}` to {}", host.name, project.display_name()));
        if !left.is_empty() {
            left.iter().for_each(|problem| term.warn(&problem.message));
            term.status(
                "no host is tried before the file is right; `cloudpad check` tells what is missing yet",
            );
            return Ok(exit::OK);
        }
        let before =
            session::read(project, environment).map(|before| before.config.hosts).unwrap_or_default();
        if !before.is_empty()
            && before.iter().all(Host::is_local)
            && !host.is_local()
            && !text.contains("\"local\"")
        {
            term.status(
                "from now on nothing is deployed to this machine any more: it is no host of the file",
            );
        }
        if offline { Ok(exit::OK) } else { reach(&host, global, term) }
    }

    /// The host that is meant. What is missing is asked for, where there is somebody who could answer.
    fn host(self, term: &Term) -> Result<Host, Refusal> {
        let asks = self.name.is_none() || self.address.is_none();
        if asks && !term.is_interactive() {
            return Err(Refusal::new("a host needs a name and an address")
                .hint("`cloudpad hosts add NAME ADDRESS`; on a terminal what is missing is asked for"));
        }
        let ask = |question: &str| {
            let failed =
                |error| Refusal::new(format!("nothing was added: the terminal cannot be read: {error}"));
            term.answer(question).map(|answer| answer.trim().to_owned()).map_err(failed)
        };
        let name = self.name.map_or_else(|| ask("name: "), Ok)?;
        let address = self.address.map_or_else(|| ask("address, `[user@]host[:port]`: "), Ok)?;
        let mut roles = self.role;
        if asks && roles.is_empty() {
            let answer = ask("roles, with commas between them (none): ")?;
            roles =
                answer.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned).collect();
        }
        let labels: BTreeMap<_, _> = self.label.into_iter().collect();
        Ok(Host { roles, labels, ..Host::new(name, address) })
    }
}

/// Refuses what is wrong with the file only since the host was added, in any environment that may have it, and returns what was wrong
/// before: the first hosts come one by one, so that services which need others have to wait.
fn no_worse(before: &Project, added: &Project, global: &Global) -> Result<Vec<Problem>, Refused> {
    let mut left: Vec<Problem> = Vec::new();
    for place in global.environments(&before.text) {
        let environment = place.environment.as_deref();
        let known = environments::faults(before, environment)?;
        let (new, old) = environments::new_ones(environments::faults(added, environment)?, &known);
        if !new.is_empty() {
            let new = new.into_iter().map(|problem| environments::told(problem, environment));
            return Err(environments::refuse(added, new.collect()));
        }
        // What is wrong in an environment and was before is not about this host.
        if environment == global.environment.as_deref() {
            left.extend(old);
        }
    }
    Ok(left)
}

/// Looks whether the host, which was added, can be reached.
fn reach(host: &Host, global: &Global, term: &Arc<Term>) -> Ended {
    let session = Session::open("hosts add", false, global, term)?;
    let look = plan::look_host(&session.config, &Arc::new(host.clone()), Also::default());
    match session.ask(look) {
        Ok(Reply::Observation(seen)) => {
            let version = Machine { engine: seen.engine, ..Machine::default() }.engine.version;
            term.status(&format!("`{}` is reached: its engine is {version}", host.name));
            Ok(exit::OK)
        }
        Ok(_) => Ok(exit::OK),
        Err(refused) => {
            if let Refusal::Failures(failures) = &refused.refusal {
                failures.iter().for_each(|failure| term.error(&words::failure(failure)));
            }
            let name = &host.name;
            term.error(&format!(
                "`{name}` was added, and cannot be reached yet\n  hint: `cloudpad hosts trust {name}` accepts its key where \
                 that is what is missing; `cloudpad hosts ls` tries again"
            ));
            Ok(exit::FAILED)
        }
    }
}
