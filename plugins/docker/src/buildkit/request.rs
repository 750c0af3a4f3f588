//! A recipe as a request to BuildKit. Pure.
//!
//! Attributes are those of the Dockerfile frontend (moby/buildkit, `frontend/dockerfile`). The fields
//! that are called deprecated are the only ones that BuildKit 0.8 reads, and newer ones read them too.

use std::collections::BTreeMap;

use bollard_buildkit_proto::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry, SolveRequest};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::build::{Recipe, Run};

use crate::{dockerfile, identity};

/// The label that says from which revision an image was built.
const REVISION: &str = "org.opencontainers.image.revision";

/// The request to build and tag an image, in the session `session`.
pub fn solve(run: &Run, dockerfile_name: &str, session: &str) -> SolveRequest {
    SolveRequest {
        r#ref: session.to_owned(),
        session: session.to_owned(),
        exporter_deprecated: "moby".to_owned(),
        exporter_attrs_deprecated: [("name".to_owned(), run.reference.clone())].into(),
        frontend: "dockerfile.v0".to_owned(),
        frontend_attrs: attributes(run, dockerfile_name).into_iter().collect(),
        cache: Some(CacheOptions {
            exports: run.recipe.cache_to.iter().map(|to| export(to)).collect(),
            ..CacheOptions::default()
        }),
        ..SolveRequest::default()
    }
}

fn attributes(run: &Run, dockerfile_name: &str) -> BTreeMap<String, String> {
    let recipe = &run.recipe;
    let mut all = BTreeMap::from([("filename".to_owned(), dockerfile_name.to_owned())]);
    all.extend(dockerfile::target(recipe).map(|target| ("target".to_owned(), target.to_owned())));
    if !recipe.platforms.is_empty() {
        all.insert("platform".to_owned(), recipe.platforms.join(","));
    }
    all.extend(imports(recipe).map(|entries| ("cache-imports".to_owned(), entries)));
    let argument = |(name, arg)| (format!("build-arg:{name}"), identity::value(arg, &run.bases).to_owned());
    all.extend(recipe.args.iter().map(argument));
    all.extend(labels(run).into_iter().map(|(name, value)| (format!("label:{name}"), value)));
    all
}

/// The image's labels: the user's, the revision where it alone says what was built, and what it is built as.
/// No step is run for them, so none that is cached is run again.
pub fn labels(run: &Run) -> BTreeMap<String, String> {
    let recipe = &run.recipe;
    let revision = recipe.source.revision.clone().filter(|_| recipe.source.pinned && !recipe.source.dirty);
    let revision = revision.map(|revision| (REVISION.to_owned(), revision));
    let built_as = (label::IMAGE.to_owned(), run.reference.clone());
    revision.into_iter().chain(recipe.labels.clone()).chain([built_as]).collect()
}

/// Where the cache comes from is told to the frontend, which is the one that looks there.
fn imports(recipe: &Recipe) -> Option<String> {
    let entry = |reference| serde_json::json!({"Type": "registry", "Attrs": {"ref": reference}});
    let entries: Vec<_> = recipe.cache_from.iter().map(entry).collect();
    (!entries.is_empty()).then(|| serde_json::Value::from(entries).to_string())
}

fn export(to: &str) -> CacheOptionsEntry {
    match to {
        "inline" => CacheOptionsEntry { r#type: "inline".to_owned(), ..Default::default() },
        // Without `max` the steps of earlier stages are not there to be found again.
        reference => CacheOptionsEntry {
            r#type: "registry".to_owned(),
            attrs: [("ref", reference), ("mode", "max")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        },
    }
}
