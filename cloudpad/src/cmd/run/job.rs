//! `cloudpad run JOB`: a job of the config by hand, as what is deployed.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Host, label};
use cloudpad_plugin_api::stage::deploy::{ImageRef, Pull, Run};

use crate::cmd::interact::interact;
use crate::cmd::session::Session;
use crate::cmd::whom::{Seen, Whom};
use crate::cmd::{Ended, Refused};
use crate::config::{Image, Job, RunOn};
use crate::instances::{Target, nowhere};
use crate::look;
use crate::observed::HostState;
use crate::plan;
use crate::refusal::Refusal;
use crate::report::exit;

/// Runs a job of the config where it belongs, with another command where one is given. The exit code is that of the first
/// that does not end well.
pub(super) fn run(session: &Session, name: &str, job: &Job, whom: &Whom, command: &[String]) -> Ended {
    if whom.target.number.is_some() {
        return Err(Refusal::new(format!("`{name}` is a job, which has no instances")).into());
    }
    let service = plan::job_service(&session.config, job);
    let target = service.map(|service| Target { service: service.to_owned(), number: None });
    let seen = whom.look_for(session, target.as_ref())?;
    let places = places(session, (name, job), &seen, target.as_ref())?;
    let secrets = plan::job_secrets(&session.config, job);
    let marks = session.wait_for(look::secrets(&session.runner, secrets))?;
    for (host, image) in places {
        let mut spec = plan::job_spec(&session.config, job, &image, &marks);
        if !command.is_empty() {
            spec.command = Some(command.to_vec());
        }
        session.term.status(&format!("job {name} on {}", host.name));
        bring(session, &host, &image, &seen)?;
        let code = one(session, name, host, spec)?;
        if code != exit::OK {
            return Ok(code);
        }
    }
    Ok(exit::OK)
}

/// The hosts on which it runs, each with the image: that of what runs there of a service that has the job's image.
fn places(
    session: &Session,
    (name, job): (&str, &Job),
    seen: &Seen,
    target: Option<&Target>,
) -> Result<Vec<(Arc<Host>, String)>, Refused> {
    let inventory = &seen.looked.inventory;
    let hosts =
        plan::job_hosts(&session.config, inventory, (name, job)).map_err(|p| session.refuses(p.into()))?;
    let hosts = hosts.into_iter().filter(|host| seen.looked.scope.hosts.contains(host));
    let hosts: Vec<&Arc<Host>> = hosts.map(|host| &inventory.hosts()[host]).collect();
    let mut places: Vec<(Arc<Host>, String)> =
        match session.config.images.get(plan::job_image(&session.config, job)) {
            Some(Image::Ready { reference }) => {
                hosts.iter().map(|host| ((*host).clone(), reference.clone())).collect()
            }
            _ if target.is_none() => {
                let message =
                    format!("the image of job `{name}` is that of no service, and comes with a deploy only");
                return Err(Refusal::new(message).hint("let it run `before` or `after` one").into());
            }
            _ => {
                let newest = |host: &&Arc<Host>| {
                    let there = seen.found.iter().filter(|found| found.host == host.name);
                    there.max_by_key(|found| (found.container.state.is_up(), found.container.created))
                };
                let image = |host: &Arc<Host>| {
                    let spec = newest(&host)?.container.spec.as_ref()?;
                    Some((host.clone(), spec.image.clone()))
                };
                hosts.into_iter().filter_map(image).collect()
            }
        };
    if places.is_empty() {
        let none = || Refusal::new(format!("none of the hosts of job `{name}` is selected"));
        return Err(target.map_or_else(none, |target| nowhere(&session.config, target)).into());
    }
    if job.run == RunOn::Once {
        places.truncate(1);
    }
    Ok(places)
}

/// Lets the host pull an image that it lacks.
fn bring(session: &Session, host: &Arc<Host>, image: &str, seen: &Seen) -> Result<(), Refused> {
    let is_there = match seen.looked.observed.hosts.get(&host.name) {
        Some(HostState::Seen(seen)) => plan::has_image(seen, image),
        _ => true,
    };
    if is_there {
        return Ok(());
    }
    let pull = Pull { host: host.clone(), image: ImageRef::Known(image.to_owned()), tag: None };
    session.wait_for(look::ask(&session.runner, vec![Request::DeployPull(pull)]))?;
    Ok(())
}

fn one(session: &Session, name: &str, host: Arc<Host>, spec: ContainerSpec) -> Ended {
    let labels = [(label::JOB, name), (label::JOB_WHEN, "manual")];
    let run = Run {
        host,
        project: session.config.project.clone(),
        release: String::new(),
        container: session.one_off(name),
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        spec: spec.into(),
        timeout_ms: session.config.jobs.get(name).and_then(|job| job.timeout_ms),
        keep: false,
        tty: None,
        stream: None,
    };
    interact(session, |tty, stream| Request::DeployRun(Run { tty, stream, ..run }))
}

/// What was meant by a name that is neither a service's nor a job's, as far as it is like a job's.
pub(super) fn not_mistyped(session: &Session, name: &str) -> Result<(), Refusal> {
    let jobs: Vec<&str> = session.config.jobs.keys().map(String::as_str).collect();
    if session.config.services.contains_key(name) {
        return Ok(());
    }
    match crate::config::nearest(name, &jobs) {
        Some(meant) => {
            Err(Refusal::new(format!("there is no job `{name}`")).hint(format!("did you mean `{meant}`?")))
        }
        None => Ok(()),
    }
}
