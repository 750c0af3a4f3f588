//! `[plugins.NAME]`: where a plugin's file is. Pure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::Problem;
use crate::config::grammar::{name, path};
use crate::config::section::Section;

pub(super) fn read(file: &Section<'_>, dir: &Path) -> BTreeMap<String, PathBuf> {
    let Some(section) = file.section("plugins") else { return BTreeMap::new() };
    let read = |(name, section): (&str, Section<'_>)| Some((name.to_owned(), plugin(&section, dir)?));
    section.named(name::provider).into_iter().filter_map(read).collect()
}

fn plugin(section: &Section<'_>, dir: &Path) -> Option<PathBuf> {
    if !section.has("path") {
        let message = format!("`{}` does not say where the plugin is", section.at);
        section.problem("path", Problem::new(message).hint("add `path = \"FILE\"`"));
    }
    Some(path::resolve(dir, &section.parse("path", path::any)?))
}
