//! `cloudpad plugin new`: writes a plugin to begin with.

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use cloudpad_plugin_api::Stage;

use super::Ended;
use crate::project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::starter::{self, Language};
use crate::term::Term;

/// Write a plugin to begin with, into a folder of its own
#[derive(clap::Args)]
pub(super) struct Args {
    /// The provider's name in `Cloudpad.toml`
    name: String,
    /// The stage that the provider is for
    #[arg(long, value_parser = parser(&Stage::ALL, Stage::name))]
    stage: Stage,
    /// The language it is written in
    #[arg(long, value_parser = parser(&Language::ALL, Language::name))]
    lang: Language,
}

/// Reads one of `all` by its name.
fn parser<T: Copy + Send + Sync>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |text| {
        all.iter().copied().find(|value| name(*value) == text).ok_or("there is no such thing")
    })
}

impl Args {
    pub(super) fn run(self, term: &Arc<Term>) -> Ended {
        let made = starter::starter(&self.name, self.stage, self.lang)
            .map_err(|problem| Refusal::Problems(vec![problem]))?;
        let folder = project::working_directory()?.join(&made.folder);
        project::make_new(&folder)?;
        for file in &made.files {
            let path = folder.join(&file.path);
            if file.executable {
                project::write_new_program(&path, &file.text)?;
            } else {
                project::write_new(&path, &file.text)?;
            }
            term.status(&format!("wrote {}/{}", made.folder, file.path));
        }
        term.status(&format!(
            "next: `cd {} && {}`; its README.md says how to name it in Cloudpad.toml",
            made.folder, made.test
        ));
        Ok(exit::OK)
    }
}
