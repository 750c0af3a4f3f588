//! `cloudpad secrets ls`: which secrets there are, who needs them, and whether each has a value.

use std::sync::Arc;

use cloudpad_plugin_api::stage::secrets::{Get, List};
use cloudpad_plugin_api::{FailureKind, Reply, Request};

use crate::cmd::Ended;
use crate::cmd::args::Global;
use crate::cmd::session::Session;
use crate::listing::secrets::{self, Known};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// List secrets: who needs them, and whether they have a value
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("secrets ls", false, global, term)?;
        let names = secrets::needed(&session.config);
        let mut known = Known::default();
        if !names.is_empty()
            && let Reply::Secrets(found) = session.ask(Request::SecretsGet(Get { names }))?
        {
            known.with_value.extend(found.values.0.into_keys());
        }
        match session.ask(Request::SecretsList(List {})) {
            Ok(Reply::SecretNames(names)) => known.kept.extend(names.names),
            Err(refused) if !is_unsupported(&refused.refusal) => return Err(refused),
            _ => {}
        }
        let rows = secrets::rows(&session.config, &known);
        term.data(&if term.is_json() { words::json_line(&rows) } else { secrets::table(&rows) });
        Ok(exit::OK)
    }
}

/// Whether the provider cannot tell: then those that are needed are all that is known of.
fn is_unsupported(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Failures(failures) if failures.iter().all(|it| it.kind == FailureKind::Unsupported))
}
