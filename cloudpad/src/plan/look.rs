//! The questions that have to be answered before a plan can be made, as requests. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cloudpad_plugin_api::model::{Health, Host, Project};
use cloudpad_plugin_api::stage::build::Recipe;
use cloudpad_plugin_api::stage::deploy::Checks;
use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::stage::source::{Fetch, Resolve, Resolved};
use cloudpad_plugin_api::stage::{build, deploy};
use cloudpad_plugin_api::{Request, Stage};

use super::{Scope, jobs};
use crate::config::{BuildImage, Config, Image, Place, Problem, RouteTls, Service};
use crate::inventory::Inventory;

/// One `source.resolve` for each source of the scope. `cache` is where sources are kept, absolute.
pub fn resolves(config: &Config, scope: &Scope, cache: &Path) -> Vec<Request> {
    scope.sources.iter().filter_map(|name| resolve(config, name, cache)).map(Request::SourceResolve).collect()
}

fn resolve(config: &Config, name: &str, cache: &Path) -> Option<Resolve> {
    let location = config.sources.get(name)?.location.clone();
    // The name of the project's own directory is no name for a folder.
    let cache = if name == Config::HERE { cache.join("here") } else { cache.join("sources").join(name) };
    Some(Resolve { name: name.to_owned(), location, cache })
}

/// One `source.fetch` for each source that is not pinned and has to be prepared: its files say what its
/// images are, so they have to be complete before anyone looks at them. It touches no host.
pub fn prepares(config: &Config, sources: &BTreeMap<String, Resolved>, cache: &Path) -> Vec<Request> {
    let open = sources.values().filter(|source| !source.pinned);
    let fetches = open.filter_map(|source| fetch(config, source, cache));
    fetches.filter(|fetch| !fetch.prepare.is_empty()).map(Request::SourceFetch).collect()
}

/// The request that brings a source here and prepares it.
pub(super) fn fetch(config: &Config, source: &Resolved, cache: &Path) -> Option<Fetch> {
    let prepare = config.sources.get(&source.name)?.prepare.clone();
    let revision = source.revision.clone();
    Some(Fetch { source: resolve(config, &source.name, cache)?, revision, prepare })
}

/// One `build.observe` for all images of the scope that are built; none where there is no such image.
pub fn look_images(
    config: &Config,
    scope: &Scope,
    sources: &BTreeMap<String, Resolved>,
    cache: &Path,
) -> Option<Request> {
    let recipes: Vec<Recipe> = scope.images.iter().filter_map(|name| recipe(config, sources, name)).collect();
    if recipes.is_empty() {
        return None;
    }
    Some(Request::BuildObserve(build::Observe { recipes, cache: cache.join("build") }))
}

/// One `secrets.get` for all secrets of the scope; none where there is none.
pub fn look_secrets(config: &Config, scope: &Scope) -> Option<Request> {
    let names: BTreeSet<String> = secrets(config, scope).map(|(_, name)| name).collect();
    let names: Vec<String> = names.into_iter().collect();
    (!names.is_empty()).then_some(Request::SecretsGet(Get { names }))
}

/// The secrets of the scope's services, their routes and jobs: the key in the config, and what each is called where it is kept. What a
/// job has from its service is told with the job.
fn secrets(config: &Config, scope: &Scope) -> impl Iterator<Item = (String, String)> {
    let services = config.services.iter().filter(|(name, _)| scope.services.contains_key(*name));
    let services = services.flat_map(|(name, service)| {
        let own = service.secrets.iter().map(|(target, secret)| (format!("secrets.{target}"), &secret.name));
        own.chain(of_route(service))
            .map(move |(key, secret)| (format!("services.{name}.{key}"), secret.clone()))
    });
    let jobs = config.jobs.iter().filter(|(name, _)| scope.jobs.contains_key(*name));
    let jobs = jobs.flat_map(|(name, job)| {
        let secrets = jobs::secrets(config, job).into_iter();
        secrets.map(move |(target, secret)| (format!("jobs.{name}.secrets.{target}"), secret.name))
    });
    services.chain(jobs)
}

/// The secrets of the routes of the scope's services.
pub(super) fn routes_secrets(config: &Config, scope: &Scope) -> impl Iterator<Item = String> {
    let services = config.services.iter().filter(|(name, _)| scope.services.contains_key(*name));
    services.flat_map(|(_, service)| of_route(service)).map(|(_, secret)| secret.clone())
}

/// The secrets of a service's route, each with its key in the service's table.
fn of_route(service: &Service) -> Vec<(String, &String)> {
    match service.route.as_ref().and_then(|route| route.tls.as_ref()) {
        Some(RouteTls::Own { certificate, key }) => {
            vec![("route.tls.certificate".to_owned(), certificate), ("route.tls.key".to_owned(), key)]
        }
        Some(RouteTls::Auto) | None => Vec::new(),
    }
}

/// Secrets of the scope that nobody knows.
pub fn unknown_secrets(config: &Config, scope: &Scope, marks: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told = BTreeSet::new();
    for (key, name) in secrets(config, scope).filter(|(_, name)| !marks.contains_key(name)) {
        if told.insert(name.clone()) {
            problems.push(Problem { place: Some(Place::Key(key)), ..unknown_secret(config, &name) });
        }
    }
    problems
}

/// That nobody knows a secret, and what to do about it.
pub fn unknown_secret(config: &Config, name: &str) -> Problem {
    let provider = config.stages.get(&Stage::Secrets).and_then(|choice| choice.provider.as_deref());
    let provider = provider.unwrap_or_default();
    let problem = Problem::new(format!("the secrets provider `{provider}` knows no secret `{name}`"));
    match provider {
        "env" => problem.hint(format!("set the environment variable `{name}`, or add it to `.env`")),
        "age" => problem.hint(format!("`cloudpad secrets set {name}` gives it a value")),
        _ => problem,
    }
}

/// All that goes into an image; none when it is not built, or its source has not been resolved.
pub(super) fn recipe(config: &Config, sources: &BTreeMap<String, Resolved>, name: &str) -> Option<Recipe> {
    let Some(Image::Built(image)) = config.images.get(name) else { return None };
    let BuildImage {
        source,
        context,
        dockerfile,
        target,
        args,
        variables,
        runit,
        platforms,
        secrets,
        ssh,
        labels,
        cache_from,
        cache_to,
    } = (**image).clone();
    Some(Recipe {
        name: name.to_owned(),
        repository: repository(&config.project, name),
        source: sources.get(&source)?.clone(),
        prepare: config.sources.get(&source)?.prepare.clone(),
        context,
        dockerfile,
        target,
        args,
        variables,
        runit,
        platforms,
        secrets,
        ssh,
        labels,
        cache_from,
        cache_to,
    })
}

/// `PROJECT.IMAGE`. Environments share it: what is built from the same is the same. No name has a dot, so
/// the images of `a-b` are never taken for those of `a`; and without a slash no registry is asked for it.
pub fn repository(project: &Project, image: &str) -> String {
    format!("{}.{image}", project.name)
}

/// Whether `reference` is one of an image of the project.
pub(super) fn is_of(project: &Project, reference: &str) -> bool {
    reference.strip_prefix(&project.name).is_some_and(|rest| rest.starts_with('.'))
}

/// What is to be told of a host beside what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Also {
    /// What it remembers of releases.
    pub releases: bool,
    /// Whether what runs there serves.
    pub health: bool,
}

/// One `deploy.observe` for each host of the scope: those on which something may have to be done or the decision depends, and the
/// others.
pub fn look_hosts(
    config: &Config,
    inventory: &Inventory,
    scope: &Scope,
    also: Also,
) -> (Vec<Request>, Vec<Request>) {
    let (needed, others): (Vec<usize>, Vec<usize>) =
        scope.look.iter().partition(|&&host| scope.depends_on(host));
    let look = |hosts: Vec<usize>| {
        let look = |index| deploy::Observe {
            connects: is_asked(config, scope, index),
            ..observe(config, &inventory.hosts()[index], also)
        };
        hosts.into_iter().map(look).map(Request::DeployObserve).collect()
    };
    (look(needed), look(others))
}

/// The `deploy.observe` of one host.
pub fn look_host(config: &Config, host: &Arc<Host>, also: Also) -> Request {
    Request::DeployObserve(observe(config, host, also))
}

fn observe(config: &Config, host: &Arc<Host>, also: Also) -> deploy::Observe {
    let (host, project) = (host.clone(), config.project.clone());
    let checks = Checks { ready_within_ms: config.deploy.ready_timeout_ms };
    let (releases, checks) = (also.releases, also.health.then_some(checks));
    deploy::Observe { host, project, connects: false, releases, checks }
}

/// Whether a service that may run on the host is asked whether it serves, and not by the host's engine.
fn is_asked(config: &Config, scope: &Scope, host: usize) -> bool {
    let here = scope.services.iter().filter(|(_, eligible)| eligible.contains(&host));
    here.filter_map(|(name, _)| config.services.get(name)?.health.as_ref()).any(Health::needs_connection)
}
