//! `deploy.record`: releases that a host remembers, each as the label of an empty volume. I/O.
//!
//! A volume needs no image, stays when what is stopped or unused is cleared away, and whoever may deploy can make one.

use std::collections::{BTreeSet, HashMap};

use bollard::errors::Error;
use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptions};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{Project, label};
use cloudpad_plugin_api::stage::deploy::{Record, Release};

use super::labels;
use super::seen::belongs_to;

pub(super) async fn record(engine: &Engine, request: &Record) -> Result<(), Failure> {
    if let Some(release) = &request.release {
        remember(engine, &request.project, release).await?;
    }
    for id in &request.forget {
        forget(engine, &request.project, id).await?;
    }
    Ok(())
}

/// What the host remembers of a project.
pub(super) struct Remembered {
    /// Its releases in this environment, by id.
    pub(super) releases: Vec<Release>,
    /// The images that its releases in others need.
    pub(super) elsewhere: BTreeSet<String>,
    /// Its own volumes in this environment, by name.
    pub(super) volumes: Vec<String>,
}

pub(super) async fn remembered(engine: &Engine, project: &Project) -> Result<Remembered, Failure> {
    // The engine finds what a pattern fits somewhere. Records have such names too.
    let names = vec![format!("{}.", project.name)];
    let options = ListVolumesOptionsBuilder::new().filters(&HashMap::from([("name", names)])).build();
    let listed = engine.docker().await?.list_volumes(Some(options)).await;
    let listed = listed.map_err(|error| failure("could not list the volumes", &error))?;
    let all = listed.volumes.unwrap_or_default();
    let mut volumes: Vec<String> =
        all.iter().filter(|seen| is_own(&seen.name, project)).map(|seen| seen.name.clone()).collect();
    volumes.sort();
    let (ours, others): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|seen| seen.labels.get(label::PROJECT) == Some(&project.name))
        .partition(|seen| belongs_to(&seen.labels, project));
    let mut releases: Vec<Release> = ours.into_iter().filter_map(read).collect();
    releases.sort_by(|a, b| a.id.cmp(&b.id));
    let others = others.into_iter().filter_map(read).flat_map(|release| release.specs.into_values());
    Ok(Remembered { releases, elsewhere: others.map(|spec| spec.image.clone()).collect(), volumes })
}

/// Whether a volume is one of the project's in this environment. Nothing tells whose it is but its name.
pub(super) fn is_own(name: &str, project: &Project) -> bool {
    name.strip_prefix(&project.own("")).is_some_and(|own| !own.is_empty() && !own.contains('.'))
}

/// What a volume stands for; none when somebody has changed its label, or given it another name.
fn read(volume: &Volume) -> Option<Release> {
    serde_json::from_str(volume.labels.get(label::RECORD)?).ok()
}

/// No volume of a project's own has a name with two dots beside each other.
fn name(project: &Project, id: &str) -> String {
    format!("{}..{id}", project.prefix())
}

async fn remember(engine: &Engine, project: &Project, release: &Release) -> Result<(), Failure> {
    let text = serde_json::to_string(release)
        .map_err(|error| Failure::invalid("the release cannot be written down").cause(error))?;
    let mut labels = labels::of_project(project);
    labels.extend([(label::RELEASE.to_owned(), release.id.clone()), (label::RECORD.to_owned(), text)]);
    let made = make(engine, project, release, &labels).await?;
    if made.labels == labels {
        return Ok(());
    }
    // An engine leaves a volume as it is that has been there before.
    forget(engine, project, &release.id).await?;
    make(engine, project, release, &labels).await.map(drop)
}

async fn make(
    engine: &Engine,
    project: &Project,
    release: &Release,
    labels: &HashMap<String, String>,
) -> Result<Volume, Failure> {
    let name = Some(name(project, &release.id));
    let request = VolumeCreateRequest { name, labels: Some(labels.clone()), ..Default::default() };
    let made = engine.docker().await?.create_volume(request).await;
    made.map_err(|error| said(&format!("could not note release `{}`", release.id), &error))
}

async fn forget(engine: &Engine, project: &Project, id: &str) -> Result<(), Failure> {
    match engine.docker().await?.remove_volume(&name(project, id), None::<RemoveVolumeOptions>).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(said(&format!("could not forget release `{id}`"), &error)),
    }
}

fn said(tried: &str, error: &Error) -> Failure {
    failure(tried, error)
        .hint("`docker volume ls --filter label=cloudpad.record` shows what the host remembers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_volume_of_a_project_is_taken_for_a_release() {
        let project = |name: &str, environment: Option<&str>| Project {
            name: name.to_owned(),
            environment: environment.map(str::to_owned),
        };
        let release = name(&project("shop", None), "20260131T235959Z");
        assert_eq!(release, "shop..20260131T235959Z");
        for own in ["20260131T235959Z", "data"] {
            assert_ne!(project("shop", None).own(own), release);
            assert_ne!(project("shop", Some(own)).own(own), release);
        }
        assert_eq!(name(&project("shop", Some("staging")), "1"), "shop.staging..1");
        let own = |name: &str| {
            (is_own(name, &project("shop", None)), is_own(name, &project("shop", Some("staging"))))
        };
        assert_eq!((own("shop.data"), own("shop.staging.data")), ((true, false), (false, true)));
        for other in
            ["shop", "shop.", &release, "shop-b.data", "myshop.data", "shop.staging..1", "shop.staging."]
        {
            assert_eq!(own(other), (false, false), "{other}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_release() {
        let volume = |text: &str| Volume {
            labels: [(label::RECORD.to_owned(), text.to_owned())].into(),
            ..Default::default()
        };
        assert_eq!(read(&volume(r#"{"id":"1"}"#)).map(|release| release.id), Some("1".to_owned()));
        assert_eq!(read(&volume("changed by hand")), None);
    }
}
