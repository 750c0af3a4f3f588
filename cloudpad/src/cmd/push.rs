//! `cloudpad push`: builds images and brings them to where hosts can have them.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::look::At;
use crate::plan::Until;
use crate::term::Term;

/// Build images, and bring them to the hosts or to the registry, without starting anything
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("push", true, global, term)?;
        session.prepare(Until::Push, self.select.selection(), At::ImagesAndHosts)
    }
}
