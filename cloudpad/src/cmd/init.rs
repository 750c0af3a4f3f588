//! `cloudpad init`: writes a first `Cloudpad.toml`.

use std::sync::Arc;

use super::Ended;
use crate::init::{self, DOCKERFILES, Found};
use crate::project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;

/// Write a first `Cloudpad.toml`, and a Dockerfile where there is none
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, term: &Arc<Term>) -> Ended {
        let dir = project::working_directory()?;
        let dockerfile = DOCKERFILES.into_iter().find_map(|name| {
            let text = project::read_if_there(&dir.join(name)).transpose()?;
            Some(text.map(|text| (name, text)))
        });
        let dockerfile = dockerfile.transpose()?;
        let ignore = project::read_if_there(&dir.join(".dockerignore"))?;
        let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let scaffold = init::scaffold(&Found {
            dir_name: &name,
            config: dir.join(project::FILE).exists(),
            dockerfile: dockerfile.as_ref().map(|(name, text)| (*name, text.as_str())),
            ignore: ignore.as_deref(),
        });
        let scaffold = scaffold.map_err(|problem| Refusal::Problems(vec![problem]))?;
        for file in &scaffold.files {
            project::write_new(&dir.join(file.name), &file.text)?;
            term.status(&format!("wrote {}", file.name));
        }
        for advice in &scaffold.advice {
            term.status(advice);
        }
        Ok(exit::OK)
    }
}
