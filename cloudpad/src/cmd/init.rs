//! `cloudpad init`: writes a first `Cloudpad.toml`, and what else a project begins with.

use std::path::Path;
use std::sync::Arc;

use super::Ended;
use crate::init::{self, DOCKERFILES, Found, Template};
use crate::project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;

/// Write a first `Cloudpad.toml`, and a Dockerfile where there is none; by `--template` for other kinds of projects
#[derive(clap::Args)]
pub(super) struct Args {
    /// What kind of project it is to be
    #[arg(long, short, value_enum, default_value_t)]
    template: Template,
}

const GITIGNORE: &str = ".gitignore";

/// The text of a directory's `.gitignore`, and of those above it.
type Ignores = (Option<String>, Vec<String>);

/// The `.gitignore` of a directory, and those above it in its work tree; nothing where there is neither file nor work tree.
fn git(dir: &Path) -> Result<Option<Ignores>, Refusal> {
    let own = project::read_if_there(&dir.join(GITIGNORE))?;
    let Some(depth) = dir.ancestors().position(|above| above.join(".git").exists()) else {
        return Ok(own.map(|own| (Some(own), Vec::new())));
    };
    let above = dir.ancestors().skip(1).take(depth);
    let above = above.filter_map(|above| project::read_if_there(&above.join(GITIGNORE)).transpose());
    Ok(Some((own, above.collect::<Result<_, _>>()?)))
}

impl Args {
    pub(super) fn run(&self, term: &Arc<Term>) -> Ended {
        let dir = project::working_directory()?;
        let dockerfile = DOCKERFILES.into_iter().find_map(|name| {
            let text = project::read_if_there(&dir.join(name)).transpose()?;
            Some(text.map(|text| (name, text)))
        });
        let dockerfile = dockerfile.transpose()?;
        let ignore = project::read_if_there(&dir.join(".dockerignore"))?;
        let git = git(&dir)?;
        let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let scaffold = init::scaffold(&Found {
            template: self.template,
            dir_name: &name,
            config: dir.join(project::FILE).exists(),
            dockerfile: dockerfile.as_ref().map(|(name, text)| (*name, text.as_str())),
            there: self
                .template
                .files()
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| dir.join(name).exists())
                .collect(),
            ignore: ignore.as_deref(),
            git: git.as_ref().map(|(own, above)| (own.as_deref(), above.as_slice())),
        });
        let scaffold = scaffold.map_err(|problem| Refusal::Problems(vec![problem]))?;
        for file in &scaffold.files {
            project::write_new(&dir.join(file.name), &file.text)?;
            term.status(&format!("wrote {}", file.name));
        }
        if let Some(text) = &scaffold.gitignore {
            project::write_shared(&dir.join(GITIGNORE), text)?;
            term.status(&format!("added `.env` and `.env.*` to {GITIGNORE}"));
        }
        for advice in &scaffold.advice {
            term.status(advice);
        }
        Ok(exit::OK)
    }
}
