//! `cloudpad registry ls`: what the registry has of the project, and who needs it.

use std::sync::Arc;

use super::seen::Seen;
use crate::cmd::Ended;
use crate::cmd::args::Global;
use crate::listing::registry::{rows, table};
use crate::project;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// List the project's images in the registry, and who needs them
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only this image
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let seen = Seen::of("registry ls", None, global, term)?;
        let needs = seen.needs();
        let listed = seen.listed(&needs, self.image.as_deref())?;
        let config = &seen.chosen().session.config;
        let rows = rows(&config.project.name, &listed, &needs, config.deploy.keep as usize);
        let now = project::nanoseconds() / 1_000_000_000;
        term.data(&if term.is_json() { words::json_line(&rows) } else { table(&rows, now) });
        let codes = seen.places().iter().map(|place| place.session.tell_unseen(&place.looked.observed));
        Ok(codes.max().unwrap_or(exit::OK))
    }
}
