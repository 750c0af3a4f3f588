//! `cloudpad ps`: lists what runs.

mod board;
mod watch;

use std::sync::Arc;

use clap_complete::ArgValueCandidates;

use super::args::{Global, Select};
use super::session::Session;
use super::{Ended, Refused, complete, display};
use crate::instances::{Target, not_mistyped, nowhere};
use crate::inventory::Selection;
use crate::listing::{self, Row, Shown};
use crate::look::{At, Looked};
use crate::plan;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// List what runs on the hosts
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only these services or instances, such as `web` or `web.2`
    #[arg(value_name = "SERVICE[.N]", conflicts_with_all = ["service", "group"],
          add = ArgValueCandidates::new(complete::services))]
    targets: Vec<Target>,
    /// Also what is stopped, such as the containers of earlier releases
    #[arg(short, long)]
    all: bool,
    /// Keep the table up to date until interrupted; with `--json`, print a line each time that something has changed
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    select: Select,
}

/// What is to be shown.
struct Picture {
    rows: Vec<Row>,
    /// What does not run, and is not among the rows.
    not_running: Option<String>,
    warnings: Vec<String>,
    /// Hosts that could not be looked at.
    errors: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        if self.watch {
            display::check(term)?;
        }
        let session = Session::open("ps", false, global, term)?;
        let selection = self.selection(&session)?;
        let looked = session.look(&selection, At::Health)?;
        let picture = self.picture(&session, &looked);
        if let [target, ..] = &self.targets[..]
            && picture.rows.is_empty()
            && picture.not_running.is_none()
            && picture.errors.is_empty()
        {
            return Err(nowhere(&session.config, target).into());
        }
        if self.watch {
            return match looked.observed.cluster {
                Some(_) => watch::cluster::watch(self, &session, looked),
                None => watch::watch(self, &session, selection, looked),
            };
        }
        let table = || listing::table(&picture.rows, &session.config.project);
        term.data(&if term.is_json() { words::json_line(&picture.rows) } else { table() });
        picture.not_running.iter().for_each(|line| term.status(line));
        picture.warnings.iter().for_each(|line| term.warn(line));
        picture.errors.iter().for_each(|line| term.error(line));
        Ok(if picture.errors.is_empty() { exit::OK } else { exit::FAILED })
    }

    fn selection(&self, session: &Session) -> Result<Selection, Refused> {
        let mut selection = self.select.selection();
        selection.services.extend(self.targets.iter().map(|target| target.service.clone()));
        for service in &selection.services {
            not_mistyped(&session.config, service)?;
        }
        Ok(selection)
    }

    fn picture(&self, session: &Session, looked: &Looked) -> Picture {
        let is_meant =
            |name: &str| looked.inventory.index(name).is_some_and(|at| looked.scope.hosts.contains(&at));
        let covers = |service: &str| looked.scope.covers(service, &session.config);
        let instances =
            |instance: &_| self.targets.is_empty() || self.targets.iter().any(|t| t.means(instance));
        let one_offs = |of: &str| {
            let is_of = |target: &Target| target.number.is_none() && target.service == of;
            covers(of) && (self.targets.is_empty() || self.targets.iter().any(is_of))
        };
        let shown = Shown {
            hosts: &is_meant,
            instances: &|instance| covers(&instance.service) && instances(instance),
            one_offs: &one_offs,
        };
        let of_cluster = looked.observed.cluster.as_ref();
        let rows = match of_cluster {
            Some(seen) => listing::cluster::rows(seen, &shown),
            None => listing::rows(&looked.observed, &shown),
        };
        let (rows, last) = if self.all { (rows, Vec::new()) } else { listing::running(rows) };
        let told = of_cluster.map(|seen| listing::cluster::about_services(seen, &covers));
        let maintained = plan::in_maintenance(&looked.observed, &covers);
        let maintained = maintained.into_iter().filter(|(host, _)| is_meant(host));
        let unseen = looked.observed.unseen().filter(|(host, _)| is_meant(host));
        let proxies = looked.observed.seen().filter(|(host, _)| is_meant(host));
        let down = proxies.filter_map(|(host, seen)| plan::proxy_down(host, seen.proxy.as_deref()?));
        let down = down.map(|line| format!("{line}; `cloudpad deploy` starts it"));
        Picture {
            rows,
            not_running: listing::not_running(&last),
            warnings: maintained
                .map(|(host, service)| words::routes::in_maintenance(service, host))
                .chain(down)
                .chain(told.into_iter().flatten())
                .collect(),
            errors: unseen.map(|(host, failure)| format!("{host}: {}", words::failure(failure))).collect(),
        }
    }
}
