//! Hosts that an inventory keeps, and which are added and taken out there.

use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Add, Remove};
use cloudpad_plugin_api::{Reply, Request, Stage};

use crate::cmd::Refused;
use crate::cmd::args::Global;
use crate::cmd::session::{self, Session};
use crate::config::{check_host, names_inventory};
use crate::inventory::Inventory;
use crate::project::Project;
use crate::refusal::Refusal;
use crate::term::Term;

/// An inventory that can be written to, and what it has listed.
pub(super) struct Writable {
    session: Session,
    inventory: Inventory,
}

impl Writable {
    /// That of the project; none where its hosts are those of the file, or come from what only lists. A file with something
    /// wrong in it is for whoever would write to it to tell of; but where it names an inventory, nobody can know yet whether
    /// that is the place to write to.
    pub fn of(project: &Project, global: &Global, term: &Arc<Term>) -> Result<Option<Self>, Refused> {
        let environment = global.environment.as_deref();
        let read = match session::read(project.clone(), environment) {
            Err(refused) if names_inventory(&project.text, environment) => return Err(refused),
            Err(_) => return Ok(None),
            Ok(read) => read,
        };
        let choice = read.config.stages.get(&Stage::Inventory);
        if choice.is_none_or(|choice| choice.provider.is_none()) {
            return Ok(None);
        }
        let session = Session::open("hosts add", false, global, term)?;
        if !is_writable(&session) {
            return Ok(None);
        }
        let inventory = session.inventory()?;
        Ok(Some(Self { session, inventory }))
    }

    /// Writes a host there.
    pub fn add(&self, host: &Host) -> Result<(), Refused> {
        let name = &host.name;
        if self.inventory.get(name).is_some() {
            let place = if self.inventory.is_listed(name) { "the inventory" } else { "the file" };
            return Err(Refusal::new(format!("there is a host `{name}` already, in {place}")).into());
        }
        check_host(host).map_err(|problem| Refusal::Problems(vec![problem]))?;
        let place = write(&self.session, Request::InventoryAdd(Add { host: host.clone() }))?;
        self.session.keep_also(|hosts| {
            hosts.retain(|other| other.name != *name);
            hosts.push(host.clone());
        });
        self.session.term.status(&format!("added `{name}` to {place}"));
        Ok(())
    }
}

/// Whether hosts are added to and taken out of what the inventory lists.
pub(super) fn is_writable(session: &Session) -> bool {
    let runner = &session.runner;
    let offers = |method| runner.providers.offers(Stage::Inventory, method, runner.stop.cancel());
    offers("inventory.add") && offers("inventory.remove")
}

/// Takes a host out of the inventory.
pub(super) fn remove(session: &Session, name: &str) -> Result<(), Refused> {
    let place = write(session, Request::InventoryRemove(Remove { name: name.to_owned() }))?;
    session.keep_also(|hosts| hosts.retain(|host| host.name != name));
    session.term.status(&format!("took `{name}` out of {place}"));
    Ok(())
}

/// Where that was.
fn write(session: &Session, request: Request) -> Result<String, Refused> {
    match session.ask(request)? {
        Reply::Written(written) if !written.place.is_empty() => Ok(written.place),
        _ => Ok("the inventory".to_owned()),
    }
}
