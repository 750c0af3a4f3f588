//! `cloudpad hosts rm`: takes the project off hosts, and those out of `Cloudpad.toml`, or of an inventory that can be written to.

mod refusals;

use std::collections::BTreeSet;
use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::Stage;

use refusals::{needed, together};

use super::listed;
use crate::cmd::args::{Global, Lock};
use crate::cmd::consent::consent;
use crate::cmd::environments::in_environment;
use crate::cmd::session::{self, Loaded, Session};
use crate::cmd::{Ended, Refused, complete};
use crate::config::{self, Config, OnFailure, Problem};
use crate::inventory::{Inventory, Selection, no_match};
use crate::look::{At, Looked};
use crate::plan::{self, Goal, Plan, Until};
use crate::project::{self, Project};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// Remove the project from hosts, and take those out of `Cloudpad.toml`, or of an inventory that can be written to
#[derive(clap::Args)]
pub(super) struct Args {
    /// The host; several may be given
    #[arg(value_name = "NAME", required = true, add = ArgValueCandidates::new(complete::hosts))]
    hosts: Vec<String>,
    /// Only take them out, and leave what runs there: for machines that are gone for ever
    #[arg(long)]
    keep: bool,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let Loaded { project, .. } = session::load(global)?;
        let names: BTreeSet<&str> = self.hosts.iter().map(String::as_str).collect();
        // Whatever is wrong with the file without them is told before anything is touched.
        let Leaving { session, listed, text, places } = self.without(&names, &project, global, term)?;
        let file = project.dir.join(project::FILE);
        project::check_shared(&file)?;
        if !self.keep {
            let code = self.clear(&names, &places, term)?;
            if code != exit::OK {
                term.error(&format!("{} is left as it was", project.display_name()));
                return Ok(code);
            }
        }
        if project::read_if_there(&file)?.unwrap_or_default() != project.text {
            let message = format!("`{}` was changed meanwhile, and is left alone", file.display());
            return Err(Refusal::new(message).hint("the command does the rest when it is run again").into());
        }
        let own: Vec<&str> = names.iter().copied().filter(|name| !listed.contains(name)).collect();
        if !own.is_empty() {
            project::write_shared(&file, &text)?;
            let own = crate::inventory::list(own);
            term.status(&format!("took {own} out of {}", project.display_name()));
        }
        listed.iter().try_for_each(|name| listed::remove(&session, name))?;
        Ok(exit::OK)
    }

    /// Why what the inventory has of a host is not taken out, where nothing can be looked at by it.
    fn unreadable(&self, inventory: &Inventory, name: &str) -> Option<Problem> {
        (inventory.is_broken(name) && !self.keep).then(|| {
            let message = format!(
                "what the inventory has of `{name}` cannot be used, so what runs there cannot be removed"
            );
            Problem::new(message).hint("mend it there; `--keep` takes it out, and leaves what runs there")
        })
    }

    /// What becomes of the file and its environments without the hosts.
    fn without<'a>(
        &self,
        names: &BTreeSet<&'a str>,
        project: &Project,
        global: &Global,
        term: &Arc<Term>,
    ) -> Result<Leaving<'a>, Refused> {
        let session = Session::open("hosts rm", false, global, term)?;
        let inventory = session.inventory()?;
        let is_writable = listed::is_writable(&session);
        let unknown = |name: &&str| {
            unknown(&inventory, is_writable, name).or_else(|| self.unreadable(&inventory, name))
        };
        let mut problems: Vec<Problem> = names.iter().filter_map(unknown).collect();
        let listed: BTreeSet<_> = names
            .iter()
            .copied()
            .filter(|name| inventory.is_listed(name) || inventory.is_broken(name))
            .collect();
        let chosen = global.environments(&project.text);
        let text = names.difference(&listed).try_fold(project.text.clone(), |text, name| {
            let out_of =
                |text: String, place: &Global| config::remove_host(&text, place.environment.as_deref(), name);
            chosen.iter().try_fold(text, out_of)
        });
        let text = text.unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        });
        if !problems.is_empty() {
            return Err(session.refuses(problems.into()));
        }
        let mut places = Vec::new();
        for place in chosen {
            let environment = place.environment.as_deref();
            let before = match session::read(project.clone(), environment) {
                // One that cannot be read here, for want of a variable, has something there, or not.
                Err(_) if self.keep => continue,
                before => before.map_err(|why| in_environment(why, environment))?.config,
            };
            let lists_them = !listed.is_empty() && has_same_inventory(&before, &session.config);
            if lists_them || before.hosts.iter().any(|host| names.contains(&*host.name)) {
                let after = session::read(Project { text: text.clone(), ..project.clone() }, environment);
                let after = after.map_err(|why| in_environment(needed(why, names), environment))?.config;
                let checked = check(&session, names, &after);
                checked.map_err(|why| in_environment(needed(why, names), environment))?;
                if let [host] = &*after.hosts
                    && before.hosts.iter().all(|other| other.name != host.name)
                {
                    term.warn(&alone(environment));
                }
                places.push(place);
            }
        }
        Ok(Leaving { session, listed, text, places })
    }

    /// Removes the project from the hosts in these environments, and returns the exit code. All of them are looked at before anything
    /// is touched, and asked about at once.
    fn clear(&self, names: &BTreeSet<&str>, places: &[Global], term: &Arc<Term>) -> Ended {
        let (mut removals, mut refusals) = (Vec::new(), Vec::new());
        for place in places {
            match self.removal(names, place, term) {
                Ok(removal) => removals.push(removal),
                Err(refused) if matches!(refused.refusal, Refusal::Problems(_)) => refusals.push(refused),
                Err(refused) => return Err(refused),
            }
        }
        if let Some(refused) = together(refusals) {
            return Err(refused);
        }
        // What there is nothing to remove of is not worth a word but for what the plan notes.
        removals.iter().filter(|removal| removal.plan.actions.is_empty()).for_each(Removal::warn);
        removals.retain(|removal| !removal.plan.actions.is_empty());
        let Some(first) = removals.first() else { return Ok(exit::OK) };
        let text: Vec<String> = removals.iter().map(|removal| removal.text(places.len() > 1)).collect();
        consent(&text.join("\n"), self.yes, term, |question| first.session.confirm(question))?;
        for removal in removals {
            match removal.carry_out(term)? {
                exit::OK => {}
                code => return Ok(code),
            }
        }
        Ok(exit::OK)
    }

    /// What is to be removed in one environment. It is a `remove`, for hooks and the journal too.
    fn removal(&self, names: &BTreeSet<&str>, place: &Global, term: &Arc<Term>) -> Result<Removal, Refused> {
        let session = Session::open("remove", true, place, term)?.exclusive("hosts rm", &self.lock);
        let hosts = names.iter().map(|name| (*name).to_owned()).collect();
        let selection = Selection { hosts, ..Selection::default() };
        let looked = session.look(&selection, At::Left)?;
        let problems = in_the_way(names, &session.config, &looked);
        if !problems.is_empty() {
            return Err(session.refuses(problems.into()));
        }
        let goal = session.goal(Until::Deploy, selection, &looked);
        let mut plan = plan::remove(&session.config, &looked.inventory, &looked.observed, &goal, false)
            .map_err(|problems| session.refuses(problems.into()))?;
        session.decided(&mut plan, &looked, &goal);
        Ok(Removal { session, looked, goal, plan })
    }
}

/// What is to be done about hosts that leave.
struct Leaving<'a> {
    /// Whose inventory lists some of them.
    session: Session,
    /// Which of them that are.
    listed: BTreeSet<&'a str>,
    /// The file without the others.
    text: String,
    /// The environments that have had any of them.
    places: Vec<Global>,
}

/// What is to be removed in one environment, whose lock it holds.
struct Removal {
    session: Session,
    looked: Looked,
    goal: Goal,
    plan: Plan,
}

impl Removal {
    fn warn(&self) {
        self.session.warn_of(&self.plan);
    }

    /// The plan in words, below the environment that it is for where there are several.
    fn text(&self, is_one_of_several: bool) -> String {
        let project = &self.session.config.project;
        let heading = match &project.environment {
            _ if !is_one_of_several => String::new(),
            None => format!("`{}` without an environment:\n", project.name),
            Some(name) => format!("`{}` in environment `{name}`:\n", project.name),
        };
        format!("{heading}{}", words::plan(&self.plan))
    }

    fn carry_out(self, term: &Term) -> Ended {
        if term.is_reticent() {
            self.warn();
        }
        self.session.carry_out_or(OnFailure::Stop, &self.plan, &self.looked, &self.goal)
    }
}

/// Why a host cannot be taken out, where it is neither one of the file's nor of an inventory that can be written to.
fn unknown(inventory: &Inventory, is_writable: bool, name: &str) -> Option<Problem> {
    if inventory.get(name).is_none() && !(inventory.is_broken(name) && is_writable) {
        let names = inventory.hosts().iter().map(|host| host.name.as_str()).collect();
        return Some(no_match("host", name, &names));
    }
    let is_out_of_reach = inventory.is_listed(name) && !is_writable;
    is_out_of_reach.then(|| {
        let message = format!("host `{name}` is not in the file: the inventory lists it");
        let hint = format!(
            "`cloudpad remove --host {name}` removes the project from it; then take it out of the inventory"
        );
        Problem::new(message).hint(hint)
    })
}

/// Refuses a config that still has the hosts, or whose services need them.
fn check(session: &Session, names: &BTreeSet<&str>, after: &Config) -> Result<(), Refused> {
    if let Some(host) = after.hosts.iter().find(|host| names.contains(&*host.name)) {
        let message = format!("host `{}` is one of every environment", host.name);
        let hint = format!("without `-e`, `cloudpad hosts rm {}` takes it out of all of them", host.name);
        return Err(Refusal::new(message).hint(hint).into());
    }
    let inventory = session.inventory_without(names, after)?;
    let scope = plan::scope(after, &inventory, &Selection::default());
    scope.map(drop).map_err(|problems| session.refuses(problems.into()))
}

/// Whether the hosts that two configs have listed are the same.
fn has_same_inventory(one: &Config, other: &Config) -> bool {
    one.stages.get(&Stage::Inventory) == other.stages.get(&Stage::Inventory)
}

/// The file has no host without these, so that the one that stands in for none comes up.
fn alone(environment: Option<&str>) -> String {
    let name = environment.map(|name| format!(" in environment `{name}`")).unwrap_or_default();
    format!("no host is left{name} then: the project means the engine of this machine from there on")
}

/// What keeps the project from being removed from the hosts as a whole.
fn in_the_way(names: &BTreeSet<&str>, config: &Config, looked: &Looked) -> Vec<Problem> {
    let unseen = looked.observed.unseen().filter(|(host, _)| names.contains(host));
    let environment = config.project.environment.as_ref();
    let environment = environment.map(|name| format!("-e {name} ")).unwrap_or_default();
    let unseen = unseen.map(|(host, failure)| {
        let message =
            format!("host `{host}` cannot be looked at, so what runs there cannot be removed: {failure}");
        Problem::new(message)
            .hint("bring it back; where it is gone for ever, `--keep` only takes it out of the file")
    });
    let protected = plan::protected(config, &looked.inventory, &looked.observed).into_iter();
    let protected = protected.filter(|held| names.contains(&*held.host)).map(|held| {
        let plan::Held { host, container, service } = held;
        let message = format!("`{container}` on `{host}` is protected, and would stay there");
        let hint = format!(
            "`cloudpad remove {environment}--service {service} --host {host}` removes it; `--keep` leaves what runs there"
        );
        Problem::new(message).hint(hint)
    });
    unseen.chain(protected).collect()
}
