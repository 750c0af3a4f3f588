//! `[images.NAME]`. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use cloudpad_plugin_api::stage::build::{Arg, SecretSource};

use super::names::Names;
use crate::config::grammar::{image, name, path};
use crate::config::keys::BUILD_KEYS;
use crate::config::section::Section;
use crate::config::tree::{Table, Value};
use crate::config::{BuildImage, Config, Image, Problem};

/// Whether an image is built from the directory of `Cloudpad.toml`.
pub(super) fn use_here(images: &BTreeMap<String, Image>) -> bool {
    images.values().any(|image| matches!(image, Image::Built(built) if built.source == Config::HERE))
}

pub(super) fn read(file: &Section<'_>, dir: &Path, names: &Names) -> BTreeMap<String, Image> {
    let Some(section) = file.section("images") else { return BTreeMap::new() };
    let read = |(name, section): (&str, Section<'_>)| {
        let image = section.sound(|section| match section.has("reference") {
            true => ready(section),
            false => Some(built(section, dir, names)),
        });
        Some((name.to_owned(), image?))
    };
    section.named(name::component).into_iter().filter_map(read).collect()
}

fn ready(section: &Section<'_>) -> Option<Image> {
    for key in BUILD_KEYS.iter().filter(|key| section.has(key)) {
        section.problem_with_key(
            key,
            Problem::new(format!(
                "`{key}` is for an image that is built, but `{}` has a `reference`",
                section.at
            ))
            .hint("remove one of them"),
        );
    }
    Some(Image::Ready { reference: section.parse("reference", image::reference)? })
}

fn built(section: &Section<'_>, dir: &Path, names: &Names) -> Image {
    let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
    let context = or(section.parse("context", path::context), ".");
    Image::Built(Box::new(BuildImage {
        source: or(section.parse("source", |name| names.sources.find(name)), Config::HERE),
        dockerfile: or(section.parse("dockerfile", |path| path::dockerfile(path, &context)), "Dockerfile"),
        context,
        target: section.parse("target", image::target),
        args: section.map("args", name::variable, |value| arg(value, names)),
        variables: variables(section, names),
        runit: section.map("runit", name::word, script),
        platforms: section.set("platforms", image::platform),
        secrets: secrets(section, dir),
        ssh: section.flag("ssh").unwrap_or(false),
        labels: section.map("labels", name::label, super::services::plain),
        cache_from: section.set("cache_from", image::reference),
        cache_to: section.parse("cache_to", image::cache),
    }))
}

/// It is by having any that a Dockerfile is a template.
fn variables(section: &Section<'_>, names: &Names) -> BTreeMap<String, Arg> {
    let read =
        section.sound(|section| Some(section.map("variables", name::variable, |value| arg(value, names))));
    if section.has("variables") && read.as_ref().is_some_and(BTreeMap::is_empty) {
        let problem =
            "`variables` has none, so the Dockerfile would be built as it is, and not as a template";
        section.problem("variables", Problem::new(problem).hint("name a variable, or remove `variables`"));
    }
    read.unwrap_or_default()
}

fn arg(value: &Value, names: &Names) -> Result<Arg, Problem> {
    match value {
        Value::Table(table) => image_arg(table, names),
        value => super::services::plain(value).map(Arg::Value),
    }
}

/// What runs a service. The kernel wants a Unix line's end after `#!`, and no file of text has a NUL.
fn script(value: &Value) -> Result<String, Problem> {
    let text = super::services::plain(value)?;
    match text.trim().is_empty() {
        true => {
            Err(Problem::new("the script is empty").hint("write what runs the service, as in `exec puma`"))
        }
        false if text.contains('\0') => Err(Problem::new("the script has a NUL in it")),
        false => Ok(text.replace("\r\n", "\n")),
    }
}

fn image_arg(table: &Table, names: &Names) -> Result<Arg, Problem> {
    match table.get("image").map(|entry| &entry.node.value) {
        Some(Value::Text(image)) => names.images.find(image).map(Arg::Image),
        _ => Err(Problem::new("the build argument does not say which image is meant")
            .hint("write `{ image = \"NAME\" }`")),
    }
}

fn secrets(section: &Section<'_>, dir: &Path) -> BTreeMap<String, SecretSource> {
    let Some(secrets) = section.section("secrets") else { return BTreeMap::new() };
    let read = |(id, section): (&str, Section<'_>)| Some((id.to_owned(), secret(id, &section, dir)?));
    secrets.named(name::word).into_iter().filter_map(read).collect()
}

fn secret(id: &str, section: &Section<'_>, dir: &Path) -> Option<SecretSource> {
    match (section.has("env"), section.has("file")) {
        (true, false) => {
            section.parse("env", |text| name::variable(text).map(|()| SecretSource::Env(text.to_owned())))
        }
        (false, true) => {
            let file = section.parse("file", path::any)?;
            Some(SecretSource::File(path::resolve(dir, &file)))
        }
        (both, _) => {
            let has = if both { "has both `env` and `file`" } else { "has neither `env` nor `file`" };
            section.problem("", Problem::new(format!("the secret `{id}` {has}"))
                .hint("write `{ env = \"VARIABLE\" }` or `{ file = \"PATH\" }`; the value itself is never in this file"));
            None
        }
    }
}
