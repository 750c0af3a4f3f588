//! `cloudpad build`: builds the images of the selected services.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::look::At;
use crate::plan::Until;
use crate::term::Term;

/// Build the images of the selected services, where they are not built yet
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("build", true, global, term)?;
        session.prepare(Until::Build, self.select.selection(), At::Images)
    }
}
