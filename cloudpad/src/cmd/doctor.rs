//! `cloudpad doctor`: says what is wrong with this machine and the hosts, and what to do about it.

use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{HostKey, Keys, Look, Machine, Observation};
use cloudpad_plugin_api::stage::push::{List, Listed};
use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::{Failure, FailureKind, Placement, Reply, Request, Stage};

use super::Ended;
use super::args::{Global, SelectHosts};
use super::session::Session;
use crate::config::Image;
use crate::doctor::{self, Finding, HERE, Needs, Report, Shown, here};
use crate::everywhere;
use crate::listing::secrets::needed;
use crate::plan::{self, Also};
use crate::provision::{Seen, Wanted};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::run::MOST_AT_ONCE;
use crate::term::Term;
use crate::{look, words};

/// Check this machine and the hosts, and say what to mend and how
///
/// Only what the config needs is looked at, and nothing is changed. The exit code is 1 when something has to be mended.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let mut findings = Vec::new();
        match Session::open("doctor", false, global, term) {
            Err(refused) => findings.extend(refusal("config", &refused.refusal)),
            Ok(session) => {
                session.runner.stop.let_be_at_once();
                self.examine(&session, &mut findings)?;
                if session.runner.stop.is_requested() {
                    return Err(Refusal::Stopped.into());
                }
            }
        }
        let report = Report::of(&findings);
        term.data(&if term.is_json() { words::json_line(&report) } else { report.text() });
        term.status(&report.sum());
        Ok(if report.well { exit::OK } else { exit::FAILED })
    }

    fn examine(&self, session: &Session, findings: &mut Vec<Finding>) -> Result<(), super::Refused> {
        findings.push(Finding::ok(HERE, "config", "it is understood, and its providers are there"));
        let in_cluster = session.runner.providers.placement() == Placement::Cluster;
        let hosts = if in_cluster { Vec::new() } else { self.hosts(session, findings)? };
        let needs = Needs::of(&session.config, hosts.iter().map(|host| &**host));
        findings.extend(doctor::local(&needs, &here::look(session.directory(), &needs)));
        findings.extend(registry(session));
        findings.extend(secrets(session));
        if in_cluster {
            findings.extend(unfit(session));
            findings.push(cluster(session));
        } else {
            findings.extend(engine_here(session, &needs, &hosts));
            findings.extend(examine_hosts(session, &needs, &hosts)?);
        }
        Ok(())
    }

    /// The hosts that are meant, where they are known.
    fn hosts(
        &self,
        session: &Session,
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<Arc<Host>>, super::Refused> {
        let inventory = match session.inventory() {
            Ok(inventory) => inventory,
            Err(refused) => {
                findings.extend(refusal("inventory", &refused.refusal));
                return Ok(Vec::new());
            }
        };
        let choice = session.config.stages.get(&Stage::Inventory);
        let provider = choice.and_then(|choice| choice.provider.as_deref());
        findings.extend(provider.map(|provider| doctor::listed(provider, &inventory)));
        if inventory.hosts().is_empty() {
            return Ok(Vec::new());
        }
        let mut problems = Vec::new();
        let selected = inventory.selected(&self.select.selection(), &mut problems);
        // What is mistyped is no finding.
        if !problems.is_empty() {
            return Err(session.refuses(problems.into()));
        }
        Ok(selected.into_iter().map(|index| inventory.hosts()[index].clone()).collect())
    }
}

/// What has kept something from being looked at.
fn refusal(check: &'static str, refusal: &Refusal) -> Vec<Finding> {
    let one = |message: &str, hint: &Option<String>| Finding::mend(HERE, check, message, hint.clone());
    match refusal {
        Refusal::Message { message, hint } => vec![one(message, hint)],
        Refusal::Problems(problems) => problems.iter().map(|p| one(&p.message, &p.hint)).collect(),
        Refusal::Failures(failures) => failures.iter().map(|f| one(&f.message, &f.hint)).collect(),
        Refusal::Stopped => vec![one(Refusal::STOPPED, &None)],
    }
}

/// Whether the registry answers, and lets us look: it is asked for the images of the first repository that the project has there.
fn registry(session: &Session) -> Option<Finding> {
    let runner = &session.runner;
    if !runner.providers.offers(Stage::Push, "push.list", runner.stop.cancel()) {
        return None;
    }
    let mut images = session.config.images.iter();
    let (image, _) = images.find(|(_, image)| matches!(image, Image::Built(_)))?;
    let repository = format!("{}.{image}", session.config.project.name);
    let request = Request::PushList(List { repository });
    match session.wait_for(everywhere::one(runner, request, "doctor".to_owned(), |_| {})) {
        Ok(Reply::Listed(Listed { place, images })) => {
            let images = words::plural(images.len(), "image");
            Some(Finding::ok(HERE, "registry", format!("it answers: `{place}` has {images}")))
        }
        Ok(_) => None,
        Err(failure) => {
            let message = format!("{}, and images are pushed there", failure.message);
            Some(Finding::mend(HERE, "registry", message, failure.hint))
        }
    }
}

/// Whether all secrets have a value that something of the config needs.
fn secrets(session: &Session) -> Vec<Finding> {
    let names = needed(&session.config);
    if names.is_empty() {
        return Vec::new();
    }
    match session.ask(Request::SecretsGet(Get { names: names.clone() })) {
        Ok(Reply::Secrets(found)) => {
            doctor::secrets(&session.config, &names, |name| found.values.0.contains_key(name))
        }
        Ok(_) => Vec::new(),
        Err(refused) => refusal("secret", &refused.refusal),
    }
}

/// What of the config the cluster cannot be asked for.
fn unfit(session: &Session) -> Vec<Finding> {
    let problems = look::unfit(&session.config, &session.runner.providers);
    let why = problems.map_or_else(|why| why, Refusal::Problems);
    refusal("config", &why)
}

fn cluster(session: &Session) -> Finding {
    match session.wait_for(look::seen(&session.runner, &session.config, false)) {
        Ok(seen) => {
            let nodes = words::plural(seen.nodes.len(), "node");
            Finding::ok("cluster", "cluster", format!("it answers: {nodes}"))
        }
        Err(why) => {
            let found = refusal("cluster", &why).pop();
            let unknown = || Finding::mend("cluster", "cluster", "it has not answered", None);
            found.map_or_else(unknown, |found| Finding { place: "cluster".to_owned(), ..found })
        }
    }
}

/// The engine of this machine, where images are built by it and it is none of the hosts.
fn engine_here(session: &Session, needs: &Needs, hosts: &[Arc<Host>]) -> Option<Finding> {
    if !needs.builds || hosts.iter().any(|host| host.is_local()) {
        return None;
    }
    let host = Arc::new(Host::new(HERE, Host::LOCAL));
    let request = Request::DeployHost(Look { host });
    let asked = everywhere::one(&session.runner, request, "doctor".to_owned(), |_| {});
    match session.wait_for(asked) {
        Ok(Reply::Machine(Machine { engine, .. })) => {
            Some(Finding::ok(HERE, "engine", format!("{} answers, which builds images", engine.version)))
        }
        // Another provider knows no machine but its hosts.
        Ok(_) => None,
        Err(failure) if failure.kind == FailureKind::Unsupported => None,
        Err(failure) => {
            let message = format!("{}, and images are built by it", failure.message);
            Some(Finding::mend(HERE, "engine", message, failure.hint))
        }
    }
}

fn examine_hosts(
    session: &Session,
    needs: &Needs,
    hosts: &[Arc<Host>],
) -> Result<Vec<Finding>, super::Refused> {
    let seen = session.look_at_machines(hosts, Wanted { ports: &needs.ports, etcd: false })?;
    let mut asked = ask(session, needs, hosts, &seen);
    let all = hosts.iter().zip(&seen).zip(&mut asked).flat_map(|((host, seen), (key, observed))| {
        let untold = || Err(Failure::failed("it was not looked at"));
        let shown = Shown {
            name: &host.name,
            key: key.as_ref(),
            seen,
            observed: observed.get_or_insert_with(untold),
        };
        doctor::host(needs, &shown)
    });
    Ok(all.collect())
}

/// What a host has answered of its key, and of what is there.
type Asked = (Option<Result<HostKey, Failure>>, Option<Result<Observation, Failure>>);

/// Asks each host for its key, and those whose engine answers for what is there.
fn ask(session: &Session, needs: &Needs, hosts: &[Arc<Host>], seen: &[Result<Seen, Failure>]) -> Vec<Asked> {
    let mut answers: Vec<Asked> = hosts.iter().map(|_| (None, None)).collect();
    let mut requests = Vec::new();
    let mut about = Vec::new();
    for (at, (host, seen)) in hosts.iter().zip(seen).enumerate() {
        if !host.is_local() {
            about.push(at);
            requests.push(Request::DeployKeys(Keys { host: host.clone() }));
        }
        if seen.as_ref().is_ok_and(|seen| seen.engine.is_ok()) {
            let mut request = plan::look_host(&session.config, host, Also::default());
            if let Request::DeployObserve(observe) = &mut request {
                observe.connects = needs.connects;
            }
            about.push(at);
            requests.push(request);
        }
    }
    let is_key: Vec<bool> =
        requests.iter().map(|request| matches!(request, Request::DeployKeys(_))).collect();
    session.wait_for(everywhere::ask(
        &session.runner,
        requests,
        MOST_AT_ONCE,
        |_, _| {},
        |answer| {
            let Some((key, observed)) = about.get(answer.index).and_then(|&at| answers.get_mut(at)) else {
                return;
            };
            match answer.outcome {
                Ok(Reply::HostKey(shown)) => *key = Some(Ok(shown)),
                Ok(Reply::Observation(seen)) => *observed = Some(Ok(*seen)),
                Err(failure) if is_key[answer.index] => *key = Some(Err(failure)),
                Err(failure) => *observed = Some(Err(failure)),
                Ok(_) => {}
            }
        },
    ));
    answers
}
